"""Pictures pass through no server that writes to a disk, unless that is accepted; no process leaves its memory."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from moodstream.contracts.events import FrameCaptured, utc_now
from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import end_with_parent
from shared.contracts.access import USERS, acl_file
from shared.delivery import frames_server
from shared.delivery.frames_server import FramesServer
from shared.settings import Settings, load
from tests.support.gateways import JPEG, Gateway, connected_bus
from tests.support.needs import missing
from tests.support.page.site import TOKEN
from tests.support.ports import free_port

DEBIAN = Path("/etc/redis/redis.conf")
ROOT = Path(__file__).parents[2]
WRITES = {
    "append-only": ["--save", "", "--appendonly", "yes"],
    "snapshots": ["--save", "60 1", "--appendonly", "no"],
    "Debian's own configuration": [str(DEBIAN), "--daemonize", "no", "--logfile", "", "--pidfile", ""],
}


def server(folder: Path, *arguments: str) -> "tuple[subprocess.Popen[bytes], str]":
    if not shutil.which("redis-server"):
        missing("redis-server")
    port = free_port()
    folder.mkdir(exist_ok=True)
    command = ["redis-server", *arguments, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
    url = f"redis://127.0.0.1:{port}/0"
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process, url
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(params=WRITES)
def keeps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A server that writes what it holds to a disk."""
    if "Debian" in request.param and not DEBIAN.exists():
        missing("Debian's redis-server with its configuration")
    process, url = server(tmp_path / "redis", *WRITES[request.param])
    yield url
    process.kill()
    process.wait()


async def test_a_server_that_writes_is_refused_in_one_line(keeps: str) -> None:
    async with connected_bus(keeps) as bus:
        with pytest.raises(MoodstreamError, match="MOODSTREAM_FRAMES_ON_DISK") as told:
            await FramesServer(bus, load(Settings)).check()
        assert "\n" not in str(told.value)
        await FramesServer(bus, load(Settings, frames_on_disk=True)).check()


def test_no_service_that_handles_pictures_starts_on_it(tmp_path: Path) -> None:
    process, url = server(tmp_path / "redis", *WRITES["snapshots"])
    environment = os.environ | {"MOODSTREAM_REDIS_URL": url, "MOODSTREAM_PORT": "0", "XDG_DATA_HOME": str(tmp_path)}
    try:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", f"services.{name}.main"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
            )
            for name in ("camera", "gateway", "emotion")
        ]
        for one in started:
            _, said = one.communicate(timeout=120)
            assert one.returncode == 1
            assert b"FRAMES_ON_DISK" in said.splitlines()[-1]
        with connected(url) as client:
            assert client.xlen("mood:frames") == 0
    finally:
        process.kill()
        process.wait()


def test_who_accepts_it_says_so(tmp_path: Path) -> None:
    process, url = server(tmp_path / "redis", *WRITES["append-only"])
    settings = {"MOODSTREAM_FRAMES_ON_DISK": "true", "MOODSTREAM_OPERATOR_TOKEN": TOKEN}
    try:
        with Gateway(url, settings).run() as gateway:
            status = httpx.get(f"{gateway.url}/api/v1/status").json()
            assert (status["pictures_on_disk"], status["state"]) == (True, "degraded")
            assert httpx.get(f"{gateway.url}/api/v1/state").json()["kiosk"]["pictures_on_disk"] is True
            sign = httpx.get(f"{gateway.url}/operator/sign", auth=("x", TOKEN))
            assert sign.status_code == 409, "it would say that no picture is kept"
    finally:
        process.kill()
        process.wait()


async def test_who_may_not_ask_waits_for_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With users of their own the emotion service alone sees the configuration; a restarted server is asked anew."""
    acl = tmp_path / "users.acl"
    acl.write_text(acl_file("mood:", "both", dict.fromkeys(USERS, hash_of("x"))) + "user admin on nopass ~* &* +@all\n")
    process, url = server(tmp_path / "redis", "--save", "", "--aclfile", str(acl), "--protected-mode", "no")
    host = url.removeprefix("redis://")
    monkeypatch.setattr(frames_server, "RETRY_S", 0.02)
    try:
        for waiting in ("camera", "gateway"):
            async with (
                connected_bus(f"redis://{waiting}:x@{host}") as bus,
                connected_bus(f"redis://emotion:x@{host}") as emotion,
            ):
                check = asyncio.create_task(FramesServer(bus, load(Settings)).check())
                await asyncio.sleep(0.2)
                assert not check.done()
                frame = FrameCaptured(camera_id="c", run_id="1", seq=0, captured_at=utc_now(), jpeg=JPEG)
                assert await bus.publish_frame(frame) is False
                assert "no emotion service" in str(bus.outage.reason)
                await FramesServer(emotion, load(Settings), reads=True).check()
                async with asyncio.timeout(5):
                    await check
                assert await bus.publish_frame(frame) is True
                assert bus.outage.reason is None
            with Redis.from_url(f"redis://admin:x@{host}") as admin:
                admin.set("mood:frames-checked", "of a server before")
    finally:
        process.kill()
        process.wait()


def hash_of(password: str) -> str:
    from hashlib import sha256

    return sha256(password.encode()).hexdigest()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says so in /proc")
def test_no_process_that_holds_pictures_leaves_a_core_dump(redis_url: str, tmp_path: Path) -> None:
    with Gateway(redis_url).run() as gateway:
        assert gateway._process is not None
        pid = gateway._process.pid
        limits = Path(f"/proc/{pid}/limits").read_text()
        [core] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"]
        gateway._process.send_signal(signal.SIGABRT)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        assert ended.si_code == os.CLD_KILLED, "it was dumped"
        gateway._process.wait()
        gateway._process = None

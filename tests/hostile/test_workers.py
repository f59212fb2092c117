"""No input makes a worker exit: real processes, fed with what is wrong in every way that we could think of."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from moodstream.contracts.events import FrameCaptured, utc_now
from moodstream.contracts.streams import STREAMS
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.hostile.corpus import GOOD, KINDS, events, pictures
from tests.support.secured_services import PLAIN, ROOT, Services, eventually, services

SEED = 9
PICTURES = 20 * len(KINDS)
ALWAYS_REFUSED = set(KINDS) - {"cut off", "flipped"}
"""Damage behind the header may still leave a picture; then it is one like any other."""


def feed(redis_url: str, jpegs: list[bytes], camera: str) -> None:
    """One after the other, as soon as the one before was taken."""

    async def feeding() -> None:
        bus = create_bus(load(Settings, redis_url=redis_url, frames_kept=100))
        await bus.connect()
        try:
            for seq, jpeg in enumerate(jpegs):
                frame = FrameCaptured(camera_id=camera, run_id="1", seq=seq, captured_at=utc_now(), jpeg=jpeg)
                assert await bus.publish_frame(frame)
                async with asyncio.timeout(30):
                    while await bus.redis.xlen("mood:frames"):
                        await asyncio.sleep(0.001)
        finally:
            await bus.close()

    asyncio.run(feeding())


def readings(client: Any, camera: str) -> dict[int, dict[str, Any]]:
    all_ = (json.loads(fields[b"__data__"]) for _, fields in client.xrange("mood:readings"))
    return {one["seq"]: one for one in all_ if one["camera_id"] == camera}


def memory_kb(pid: int, what: str) -> int:
    """``VmRSS`` now, or ``VmHWM``, the most that it ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator[Services]:
    with services(tmp_path) as running:
        running.start("emotion", redis_url=redis_url, frame_max_age_ms="60000")
        running.wait_until_ready()
        yield running


def test_bad_pictures_are_refused_fast_and_small_and_are_no_mood(worker: Services, redis_url: str) -> None:
    bad = list(pictures(SEED, PICTURES))
    with connected(redis_url) as client:
        feed(redis_url, [GOOD] * 10, "good")
        eventually(lambda: len(readings(client, "good")) == 10)
        before_kb, pid = memory_kb(worker.pid("emotion"), "VmHWM"), worker.pid("emotion")
        feed(redis_url, [jpeg for _, jpeg in bad], "bad")
        eventually(lambda: len(readings(client, "bad")) == PICTURES)
        read = readings(client, "bad")
        refused = {seq: one for seq, one in read.items() if one["error"]}
        for seq, (kind, _) in enumerate(bad):
            assert kind not in ALWAYS_REFUSED or seq in refused, kind
            assert seq in refused or kind not in ALWAYS_REFUSED
        assert all(one["faces"] == [] for one in refused.values())
        times_ms = sorted(one["took_ms"] for one in refused.values())
        assert times_ms[int(0.95 * len(times_ms))] < 50
        assert times_ms[-1] < 500, "one may be interrupted by what else this machine does, but not for long"
        assert memory_kb(pid, "VmHWM") - before_kb < 20_000
        text = worker.read("emotion", "/metrics").decode()
        counted = [line for line in text.splitlines() if line.startswith("moodstream_frames_refused_total")]
        assert sum(float(line.split()[-1]) for line in counted) == len(refused)
        assert {line.partition('kind="')[2].partition('"')[0] for line in counted} == {
            "no picture", "broken", "too many bytes", "too many pixels",
        }  # fmt: skip
        assert not client.exists("mood:moods")
        assert worker.pid("emotion") == pid
        assert worker.runs("emotion")
        feed(redis_url, [GOOD], "after")
        eventually(lambda: readings(client, "after"))
    said = worker.said("emotion").splitlines()
    assert len(said) < 60, "a line for each would be a flood"
    assert [line for line in said if "left out" in line or "was refused" in line]


def test_what_is_no_frame_at_all_changes_nothing(worker: Services, redis_url: str) -> None:
    with connected(redis_url) as client:
        for fields in (
            {"other": "field"},
            {"__data__": b""},
            {"__data__": b"{}"},
            {"__data__": GOOD},
            {"__data__": b"\x89BIN\r\n\x1a\n" + bytes(20)},
            {"__data__": b"\x89BIN\r\n\x1a\n\x00\x01\x00\x00\x00\x12\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(40)},
            {"__data__": json.dumps({"data": "x", "headers": {"camera_id": 7, "seq": "NaN"}})},
        ):
            client.xadd("mood:frames", fields)
        eventually(lambda: client.xlen("mood:frames") == 0)
        feed(redis_url, [GOOD], "after")
        eventually(lambda: readings(client, "after"))
    assert worker.runs("emotion")
    assert b"moodstream_frames_without_headers_total" in worker.read("emotion", "/metrics")


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """All services in one process with simulated visitors; the address of its page, of its Redis, and its log."""
    log = tmp_path / "log"
    folders = dict.fromkeys(("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"), str(tmp_path))
    with embedded_redis() as url, log.open("wb") as errors:
        environment = PLAIN | folders | {"MOODSTREAM_REDIS_URL": url, "MOODSTREAM_LOG_LEVEL": "INFO"}
        command = [sys.executable, "-m", "services", "run", "--demo", "--player", "log", "--port", "0"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        try:
            running = eventually(lambda: (tmp_path / "moodstream.json").exists() and tmp_path / "moodstream.json")
            page = json.loads(running.read_text())["page"]
            eventually(lambda: is_ready(page), 60)
            yield page, url, log
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def is_ready(page: str) -> bool:
    try:
        with urllib.request.urlopen(f"{page}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_no_event_makes_any_service_exit(everything: tuple[str, str, Path]) -> None:
    page, url, log = everything
    with connected(url) as client:
        count = 0
        for kind, body in events(SEED):
            client.xadd(f"mood:{STREAMS[kind].name}", {"__data__": body})
            count += 1
        for stream in STREAMS.values():
            client.xadd(f"mood:{stream.name}", {"other": "field"})
        assert count > 1_500
        eventually(lambda: nothing_waits(client), 150)
        eventually(lambda: is_ready(page))
        with urllib.request.urlopen(f"{page}/api/v1/state", timeout=5) as answer:
            json.loads(answer.read(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        letters = sum(client.xlen(dead) for dead in client.scan_iter(match="mood:*:dead"))
        assert letters > 100
        plays = client.xlen("mood:playback")
        # a visitor may have picked just now, and the next one comes and picks a minute later
        eventually(lambda: client.xlen("mood:playback") > plays, 150)
    text = log.read_text(errors="replace")
    assert "restarting" not in text, text[-3000:]
    assert "Traceback" not in text.replace("attempt 1 of 3 failed", ""), text[-3000:]
    lines = text.splitlines()
    assert len(lines) < 40 + 10 * 180, "the log is bounded"


def nothing_waits(client: Redis) -> bool:
    for stream in STREAMS.values():
        name = f"mood:{stream.name}"
        newest = client.xinfo_stream(name)["last-generated-id"]
        for group in client.xinfo_groups(name):
            if group["pending"] or group["last-delivered-id"] != newest:
                return False
    return True


def test_the_corpus_is_the_same_each_time() -> None:
    assert list(pictures(1, 30)) == list(pictures(1, 30))
    assert list(pictures(1, 30)) != list(pictures(2, 30))

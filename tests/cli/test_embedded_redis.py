"""The embedded server and the parent that owns it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from services.cli.run.supervisor import supervise


def test_it_is_a_recent_server_on_a_private_socket() -> None:
    with embedded_redis() as url:
        socket = Path(url.removeprefix("unix://"))
        assert socket.is_socket()
        assert socket.stat().st_mode & 0o077 == 0
        assert socket.parent.stat().st_mode & 0o077 == 0
        with connected(url) as client:
            assert client.info()["redis_version"] >= "7.2"
            assert client.config_get("port") == {b"port": b"0"} or client.config_get("port") == {"port": "0"}
    assert not socket.parent.exists()


def test_a_data_folder_keeps_what_was_written(tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        with embedded_redis(tmp_path) as url, connected(url) as client:
            assert client.get("key") == expected
            client.set("key", "kept")


def test_a_data_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(MoodstreamError, match="data folder"), embedded_redis(file / "below"):
        pass


OWNER = """
import sys, time
from services.cli.run.embedded_redis import embedded_redis
with embedded_redis() as url:
    print(url, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's; elsewhere the child does it")
def test_it_dies_with_an_owner_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        owner.kill()
        owner.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with connected(url):
                time.sleep(0.05)
        except MoodstreamError:
            return
    raise AssertionError("the server outlived its owner")


def answers(url: str, within_s: float = 5) -> bytes | None:
    """What the server has under "key", once it answers."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            with connected(url) as client:
                return client.get("key")  # type: ignore[no-any-return]
        except MoodstreamError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@pytest.mark.parametrize("data", [True, False])
def test_a_server_that_dies_is_replaced_at_its_old_address(tmp_path: Path, *, data: bool) -> None:
    with embedded_redis(tmp_path if data else None, kept=True) as url:
        for expected in (None, b"kept" if data else None):
            assert answers(url) == expected
            with connected(url) as client:
                client.set("key", "kept")
                if data:
                    client.waitaof(1, 0, 3000)
                pid = client.info("server")["process_id"]
            os.kill(pid, signal.SIGKILL)
        assert answers(url) == (b"kept" if data else None)
    with pytest.raises(MoodstreamError):
        answers(url, within_s=0.5)


def test_two_owners_of_one_data_folder_are_refused_in_one_line(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        with pytest.raises(MoodstreamError, match="already uses the data folder"), embedded_redis(tmp_path, wait_s=0.1):
            pass
        other = tmp_path / "." / "same"
        other.symlink_to(tmp_path)
        with pytest.raises(MoodstreamError, match="already uses the data folder"), embedded_redis(other, wait_s=0.1):
            pass
        assert answers(url) is None
    with embedded_redis(tmp_path) as url:
        assert answers(url) is None


def test_a_server_that_outlives_its_owner_still_owns_the_folder(tmp_path: Path) -> None:
    """Its parent was killed; until the server has gone too, nobody else may write to the file."""
    with embedded_redis(tmp_path) as url:
        script = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        lock = tmp_path / "moodstream.lock"
        with connected(url) as client:
            server = client.info("server")["process_id"]
        held = {os.readlink(f"/proc/{server}/fd/{fd}") for fd in os.listdir(f"/proc/{server}/fd")}
        assert str(lock) in held
        assert subprocess.run([sys.executable, "-c", script, lock], capture_output=True, check=False).returncode == 1


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(0o022)
    try:
        with embedded_redis(folder) as url:
            answers(url)
    finally:
        os.umask(before)
    (folder / "appendonlydir").chmod(0o755)  # as earlier versions made it
    with embedded_redis(folder) as url:
        answers(url)
        made = [folder, *folder.rglob("*")]
        assert len(made) > 3
        shared = [str(path) for path in (folder, folder / "appendonlydir") if path.stat().st_mode & 0o077]
        assert not shared


def child(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_the_parent_restarts_a_child_that_asks_for_it(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
runs = pathlib.Path({str(tmp_path / "runs")!r})
count = len(runs.read_text()) if runs.exists() else 0
runs.write_text("x" * (count + 1))
sys.exit(70 if count < 2 else 3)
"""
    assert supervise(child(script), os.environ) == 3
    assert (tmp_path / "runs").read_text() == "xxx"


def test_the_parent_passes_a_signal_on_and_ends_with_the_child() -> None:
    program = """
import os, sys
from services.cli.run.supervisor import supervise
script = '''
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
time.sleep(60)
'''
sys.exit(supervise([sys.executable, "-c", script], os.environ))
"""
    with subprocess.Popen(child(program), stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        parent.send_signal(signal.SIGINT)
        assert parent.wait(timeout=10) == 0

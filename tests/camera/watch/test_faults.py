"""The fault table's row of cameras: detected within 5 s, told within another, back within 10 s of its return."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cameras import FAKE_WEBCAM, children, some_frames, watched
from tests.support.servers.mjpeg_server import MjpegServer, Mode

TOLD_S, BACK_S = 6.0, 10.0


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    one = MjpegServer()
    yield one
    one.end()


@pytest.mark.parametrize(
    ("mode", "state", "code"),
    [
        ("stall", "offline", "stalled"),
        ("closed", "offline", "lost"),
        ("freeze", "offline", "frozen"),
        ("black", "offline", "black"),
        ("covered", "degraded", "covered"),
        ("garbage", "offline", "broken_pictures"),
        ("bomb", "offline", "broken_pictures"),
        ("truncated", "offline", "broken_pictures"),
        ("endless", "offline", "broken_pictures"),
        ("slow", "degraded", "too_slow"),
        ("flood", "degraded", "too_fast"),
    ],
)
async def test_a_fault_is_told_and_the_camera_comes_back(
    redis_url: str, server: MjpegServer, mode: Mode, state: str, code: str
) -> None:
    async with watched(redis_url, server.address) as seen:
        await seen.until("online")
        server.set(mode)
        assert await seen.until(state, code) <= TOLD_S
        if state == "offline":
            await asyncio.sleep(0.3)
            before = await seen.count()
            await asyncio.sleep(0.5)
            assert await seen.count() == before, "what is frozen, black or broken must not be read as a mood"
        server.set("good")
        assert await seen.until("online", limit_s=15) <= BACK_S
        await some_frames(seen, await seen.count())


async def test_after_a_long_outage_it_is_back_at_once(redis_url: str, server: MjpegServer) -> None:
    """The pauses between tries have grown by then, but a cheap question shows that the camera answers again."""
    async with watched(redis_url, server.address) as seen:
        await seen.until("online")
        server.set("closed")
        await seen.until("offline")
        await asyncio.sleep(12)
        restarts = seen.publisher.cameras["camera-1"].status()["restarts"]
        assert restarts <= 4
        server.set("good")
        assert await seen.until("online", limit_s=20) <= BACK_S


async def test_one_picture_and_dead_is_not_tried_every_second(redis_url: str, server: MjpegServer) -> None:
    server.set("one")
    async with watched(redis_url, server.address) as seen:
        await asyncio.sleep(10)
        assert seen.publisher.cameras["camera-1"].status()["restarts"] <= 3
    assert server.connections <= 4


async def test_a_webcam_whose_driver_hangs_is_ended_and_comes_back(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = tmp_path / "mode"
    mode.write_text("good")
    monkeypatch.setenv("FAKE_WEBCAM", str(mode))
    async with watched(redis_url, "webcam:0", command=FAKE_WEBCAM) as seen:
        await seen.until("online")
        [capture] = ours()
        mode.write_text("hang")
        assert await seen.until("offline", "stalled") <= TOLD_S
        mode.write_text("good")
        assert await seen.until("online") <= BACK_S
        assert not runs(capture)
        mode.write_text("gone")
        assert await seen.until("offline", "lost", "webcam:0") <= TOLD_S
        mode.write_text("good")
        assert await seen.until("online") <= BACK_S


async def test_a_capture_process_that_is_killed_or_stopped_is_replaced(redis_url: str, server: MjpegServer) -> None:
    async with watched(redis_url, server.address) as seen:
        await seen.until("online")
        for number, code in ((signal.SIGKILL, "crashed"), (signal.SIGSTOP, "stalled")):
            [capture] = ours()
            os.kill(capture, number)
            assert await seen.until("offline", code) <= TOLD_S
            assert await seen.until("online") <= BACK_S
            assert not runs(capture)


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def ours() -> list[int]:
    """The capture processes of this very process."""
    names = (b"services.camera.capture.worker", b"tests.support.fake_webcam")
    found = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(os.getpid())}
    return [pid for pid, command in found.items() if any(name in command for name in names)]


async def test_a_bomb_costs_neither_time_nor_memory(redis_url: str, server: MjpegServer) -> None:
    async with watched(redis_url, server.address) as seen:
        await seen.until("online")
        [capture] = ours()
        before = resident_mb(capture)
        server.set("bomb")
        await asyncio.sleep(2)
        assert resident_mb(capture) - before < 20
        begun_s = time.monotonic()
        await seen.until("offline", limit_s=5)
        assert time.monotonic() - begun_s < 5


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

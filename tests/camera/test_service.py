"""The camera service on a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.camera.main import CameraSettings, create_service
from shared.app import build_app, create_bus
from shared.bus import Bus, frame_of
from shared.delivery import create_groups
from shared.errors import MoodstreamError
from shared.events import FrameCaptured, StatusChanged
from shared.settings import load
from tests.camera.test_sources import film


@asynccontextmanager
async def camera(
    url: str, address: str, *, once: bool = True, rate: float = 20, ended: Callable[[], None] | None = None
) -> AsyncIterator[Bus]:
    settings = load(
        CameraSettings, redis_url=url, camera=address, once=once, frame_rate=rate, frames_kept=1000, max_side_px=120
    )
    bus = create_bus(settings)
    service = create_service(settings, bus, ended)
    build_app(bus, service)
    await bus.connect()
    await create_groups(bus)
    await bus.broker.start()
    jobs = [asyncio.ensure_future(job()) for job in service.background]
    try:
        yield bus
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await bus.close()


async def frames(bus: Bus) -> list[FrameCaptured]:
    from faststream.redis.parser import BinaryMessageFormatV1

    entries = await bus.redis.xrange("mood:frames")
    parsed = (BinaryMessageFormatV1.parse(fields[b"__data__"]) for _, fields in entries)
    return [frame_of(headers, body) for body, headers in parsed]


async def statuses(bus: Bus) -> list[tuple[str, str]]:
    found = reversed(await bus.newest(StatusChanged, 100))
    return [(one.state, one.reason) for one in found if isinstance(one, StatusChanged)]


async def test_a_film_plays_by_its_own_time_and_ends(redis_url: str, tmp_path: Path) -> None:
    ended = asyncio.Event()
    async with camera(redis_url, str(film(tmp_path / "film.avi")), rate=5, ended=ended.set) as bus:
        async with asyncio.timeout(15):
            await ended.wait()
        got = await frames(bus)
        told = await statuses(bus)
    assert 13 <= len(got) <= 16
    assert [frame.seq for frame in got] == list(range(len(got)))
    assert len({frame.run_id for frame in got}) == 1
    assert all(frame.jpeg.startswith(b"\xff\xd8\xff") for frame in got)
    length_s = (got[-1].captured_at - got[0].captured_at).total_seconds()
    assert 2.5 <= length_s <= 3.3
    assert told == [("online", "film.avi"), ("offline", "end of input")]


async def test_a_film_begins_again_unless_told_otherwise(redis_url: str, tmp_path: Path) -> None:
    async with camera(redis_url, str(film(tmp_path / "film.avi")), once=False, rate=10) as bus:
        async with asyncio.timeout(15):
            while len(await frames(bus)) < 45:
                await asyncio.sleep(0.1)
        assert await statuses(bus) == [("online", "film.avi")]


async def test_a_camera_rests_while_it_is_asked_to(redis_url: str) -> None:
    async with camera(redis_url, "pattern:") as bus:
        async with asyncio.timeout(10):
            while not await frames(bus):
                await asyncio.sleep(0.05)
        reply = await bus.ask("camera.pause", {"camera_id": "camera-1", "seconds": 1.5}, timeout_s=5)
        assert reply.error is None
        await asyncio.sleep(0.3)
        before = len(await frames(bus))
        await asyncio.sleep(0.7)
        assert len(await frames(bus)) == before
        async with asyncio.timeout(10):
            while len(await frames(bus)) == before:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("body", [{"camera_id": "camera-1"}, {"camera_id": "camera-1", "seconds": "long"}])
async def test_a_senseless_pause_is_refused(redis_url: str, body: dict[str, object]) -> None:
    async with camera(redis_url, "pattern:") as bus:
        reply = await bus.ask("camera.pause", body, timeout_s=5)  # type: ignore[arg-type]
    assert reply.error


async def test_a_request_to_another_camera_is_not_answered(redis_url: str) -> None:
    async with camera(redis_url, "pattern:") as bus:
        with pytest.raises(TimeoutError):
            await bus.ask("camera.status", {"camera_id": "another"}, timeout_s=0.5)
        assert (await bus.ask("camera.status", {"camera_id": "camera-1"}, timeout_s=5)).error is None


async def test_a_camera_that_is_away_is_told_within_a_second(redis_url: str) -> None:
    async with camera(redis_url, "webcam:63") as bus:
        async with asyncio.timeout(3):
            while not await statuses(bus):
                await asyncio.sleep(0.05)
        assert await statuses(bus) == [("offline", "cannot open webcam:63")]


def test_a_wrong_file_ends_the_start(redis_url: str) -> None:
    settings = load(CameraSettings, redis_url=redis_url, camera="no/such/file.mp4")
    with pytest.raises(MoodstreamError, match="no such camera or file"):
        create_service(settings, create_bus(settings))

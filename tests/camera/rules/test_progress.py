"""A camera that neither captures nor rests is noticed, and its process ends to be started anew."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from moodstream.contracts.events import FrameCaptured
from services.camera.rules.progress import Progress
from services.camera.settings import CameraSettings, cameras_of
from services.camera.watch.publisher import CameraStuck, Publisher
from shared.bus.connection import Bus
from shared.settings import load
from tests.support.cameras import watched


class Publishing(Bus):
    """A bus whose frames go another way."""

    def __init__(self, settings: CameraSettings, publish: Callable[[FrameCaptured], Awaitable[bool]]) -> None:
        super().__init__(settings)
        self._otherwise = publish

    async def publish_frame(self, frame: FrameCaptured) -> bool:
        return await self._otherwise(frame)


async def never(_: FrameCaptured) -> bool:
    await asyncio.Event().wait()
    return True


async def unforeseen(_: FrameCaptured) -> bool:
    raise RuntimeError("nobody thought of that")


@pytest.mark.parametrize("publish", [never, unforeseen])
async def test_frames_that_get_nowhere_end_the_service(
    redis_url: str, publish: Callable[[FrameCaptured], Awaitable[bool]]
) -> None:
    settings = load(CameraSettings, redis_url=redis_url, camera="pattern:")
    bus = Publishing(settings, publish)
    await bus.connect()
    publisher = Publisher(bus, cameras_of(settings))
    running = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(30):
            while publisher.cameras["camera-1"].status()["frames"] < 3:
                await asyncio.sleep(0.05)
            with pytest.raises(CameraStuck, match="camera-1: publishing its frames has not gone on"):
                await publisher.watch(every_s=0.02)
    finally:
        running.cancel()
        await asyncio.wait({running})
        await bus.close()


async def test_a_camera_that_works_rests_and_waits_is_not_stuck(redis_url: str) -> None:
    """Rounds that come as often as here would soon find whatever stands still."""
    async with watched(redis_url, "pattern:") as seen:
        camera = seen.publisher.cameras["camera-1"]
        watching = asyncio.create_task(seen.publisher.watch(every_s=0.3))
        await seen.until("online")
        for _ in range(3):
            camera.pause(3.0)  # ending the capture process takes a second and a half at most
            await seen.until("offline", "resting")
            await seen.until("online")
        assert not watching.done()
        watching.cancel()


def test_what_goes_on_is_not_stuck_and_what_does_not_is() -> None:
    progress = Progress(rounds=3)
    assert [progress.round() for _ in range(9)] == [None] * 9, "nothing is expected yet"
    progress.goes_on("captures")
    progress.goes_on("publishing")
    for _ in range(9):
        assert progress.round() is None
        progress.goes_on("captures")
        progress.goes_on("publishing")
    progress.done("publishing")
    assert [progress.round() for _ in range(4)] == [None, None, None, "captures"]
    progress.done("captures")
    assert [progress.round() for _ in range(9)] == [None] * 9

"""Pictures of the view are there while somebody looks, and at no other time. A real server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from moodstream.contracts.events import FacesRead, FrameCaptured, utc_now
from services.emotion.preview.view_publisher import DRAW_EVERY_S, ViewPublisher
from shared.bus.connection import Bus
from shared.contracts.mounting_view import PICTURE, WANTED, WATCHED, MountingPicture, ViewWanted
from shared.tasks import end_tasks
from tests.support.gateways import connected_bus
from tests.support.pictures import drawn_face, encoded

JPEG = encoded(drawn_face())


@pytest.fixture
async def bus(redis_url: str) -> AsyncIterator[Bus]:
    async with connected_bus(redis_url) as bus:
        yield bus


def frame(camera_id: str = "hall", jpeg: bytes = JPEG) -> tuple[FrameCaptured, FacesRead]:
    now = utc_now()
    one = FrameCaptured(camera_id=camera_id, run_id="1", seq=0, captured_at=now, jpeg=jpeg)
    return one, FacesRead(camera_id=camera_id, run_id="1", seq=0, captured_at=now, faces=(), model="m")


async def want(bus: Bus, camera_id: str = "hall") -> ViewWanted:
    wanted = ViewWanted(id="v", camera_id=camera_id, until=utc_now() + timedelta(minutes=2))
    await bus.redis.set(bus.key(WANTED), wanted.model_dump_json())
    await bus.redis.set(bus.key(WATCHED), "1")
    return wanted


async def test_what_a_camera_sees_is_drawn_while_somebody_looks_and_not_a_moment_longer(bus: Bus) -> None:
    drawn: list[None] = []
    view = ViewPublisher(bus, "outline", lambda: drawn.append(None))
    looking = asyncio.create_task(view.run())
    try:
        await view.show(*frame())
        assert await bus.redis.exists(bus.key(PICTURE)) == 0, "nobody looks"
        await want(bus)
        async with asyncio.timeout(10):
            while not await bus.redis.exists(bus.key(PICTURE)):
                await view.show(*frame("door"))
                await view.show(*frame(jpeg=b"\xff\xd8\xffbroken"))
                await asyncio.sleep(DRAW_EVERY_S)
                await view.show(*frame())
        assert 0 < await bus.redis.pttl(bus.key(PICTURE)) <= 2000
        picture = MountingPicture.model_validate_json(await bus.redis.get(bus.key(PICTURE)))
        assert (picture.camera_id, picture.preview, picture.figures.size) == ("hall", "outline", (640, 480))
        assert len(drawn) == 1
        await bus.redis.delete(bus.key(WANTED), bus.key(PICTURE))
        await asyncio.sleep(DRAW_EVERY_S)
        await view.show(*frame())  # the worker has not noticed yet, but asks before it draws
        assert await bus.redis.exists(bus.key(PICTURE)) == 0
        await want(bus)
        await bus.redis.delete(bus.key(WATCHED))
        await asyncio.sleep(DRAW_EVERY_S)
        await view.show(*frame())
        assert await bus.redis.exists(bus.key(PICTURE)) == 0, "the page was closed"
    finally:
        await end_tasks(looking)


async def test_a_picture_that_is_drawn_while_the_operator_stops_is_taken_away(bus: Bus) -> None:
    view = ViewPublisher(bus, "picture", lambda: None)
    looking = asyncio.create_task(view.run())
    try:
        await want(bus)
        await asyncio.sleep(0.6)
        for _ in range(20):
            stop = asyncio.create_task(bus.redis.delete(bus.key(WANTED), bus.key(WATCHED), bus.key(PICTURE)))
            await asyncio.gather(view.show(*frame()), stop)
            assert await bus.redis.exists(bus.key(PICTURE)) == 0
            await want(bus)
    finally:
        await end_tasks(looking)

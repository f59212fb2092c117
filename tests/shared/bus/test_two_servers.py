"""Frames on a server of their own, events on another."""

import asyncio

import httpx
from faststream.redis import RedisRouter

from moodstream.contracts.events import FrameCaptured, StatusChanged, utc_now
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from shared.app.service import FRESH_S, Service, build_app, create_bus
from shared.delivery.consume import consume, consume_captures
from shared.settings import Settings, load


def frame(seq: int) -> FrameCaptured:
    return FrameCaptured(camera_id="c", run_id="r", seq=seq, captured_at=utc_now(), jpeg=b"\xff\xd8\xff")


async def test_frames_and_events_go_to_their_own_servers_and_readiness_asks_both() -> None:
    with embedded_redis() as events_url, embedded_redis() as frames_url:
        bus = create_bus(load(Settings, redis_url=events_url, frames_redis_url=frames_url))
        router = RedisRouter()
        frames, statuses = asyncio.Queue[int](), asyncio.Queue[str]()

        @consume_captures(router, bus, FrameCaptured, "test")
        async def take_frame(one: FrameCaptured) -> None:
            await frames.put(one.seq)

        @consume(router, bus, StatusChanged, "test")
        async def take_status(one: StatusChanged) -> None:
            await statuses.put(one.reason)

        app = build_app(bus, Service("test", router))
        async with (
            app.web.router.lifespan_context(app.web),
            httpx.AsyncClient(transport=httpx.ASGITransport(app.web), base_url="http://test") as client,
            asyncio.timeout(30),
        ):
            await app.ready.wait()
            assert await bus.publish_frame(frame(7))
            await bus.publish(StatusChanged(service="camera", part="c", state="online", reason="here"))
            assert (await frames.get(), await statuses.get()) == (7, "here")
            with connected(events_url) as events, connected(frames_url) as pictures:
                assert events.exists("mood:frames") == 0
                assert pictures.exists("mood:status") == 0
                async with asyncio.timeout(5):
                    while pictures.xlen("mood:frames"):  # who has taken a picture has it alone
                        await asyncio.sleep(0.01)
                assert (await client.get("/health/ready")).status_code == 200
                pictures.shutdown(nosave=True)
            await asyncio.sleep(FRESH_S)
            assert (await client.get("/health/ready")).status_code == 503
            assert not await bus.publish_frame(frame(8))
            assert bus.publisher.captures_dropped == 1
            bus.stopping.set()

"""Frames are worth a second: a Redis that hangs and a reader that is too slow cost frames, which are counted."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from faststream.redis import RedisRouter

from moodstream.contracts.events import FrameCaptured, StatusChanged, utc_now
from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.bus.publisher import CAPTURE_TIMEOUT_S
from shared.delivery.consume import consume_captures
from shared.settings import Settings, load
from tests.support.redis_process import Server
from tests.support.wires import p95

JPEG = b"\xff\xd8\xff" + bytes(30_000)


def frame(seq: int) -> FrameCaptured:
    return FrameCaptured(camera_id="c", run_id="r", seq=seq, captured_at=utc_now(), jpeg=JPEG)


@asynccontextmanager
async def ready(bus: Bus, *services: Service) -> AsyncIterator[None]:
    app = build_app(bus, *services)
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), 20)
        yield


async def test_while_redis_hangs_frames_are_dropped_after_a_second_and_events_wait(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        bus = create_bus(load(Settings, redis_url=server.url))
        async with ready(bus, Service("test", publishes_status=False)):
            assert await bus.publish_frame(frame(0))
            server.pause()
            try:
                waiting = asyncio.create_task(bus.publish(StatusChanged(service="camera", state="online")))
                begun = time.monotonic()
                assert not await bus.publish_frame(frame(1))
                gave_up_s = time.monotonic() - begun
                assert not await bus.publish_frame(frame(2))
                assert bus.publisher.captures_dropped == 2
                await asyncio.sleep(3)
                assert bus.outage.reason is not None
                assert not waiting.done()
            finally:
                server.resume()
            begun = time.monotonic()
            await asyncio.wait_for(waiting, 15)
            told_s = time.monotonic() - begun
            assert await bus.publish_frame(frame(3))
            with server.client() as client:
                assert client.xlen("mood:status") >= 1
    assert CAPTURE_TIMEOUT_S <= gave_up_s < CAPTURE_TIMEOUT_S + 1
    print(f"a frame given up after {gave_up_s:.2f} s; the event told {told_s:.1f} s after Redis went on")


async def test_a_reader_that_is_too_slow_loses_the_oldest_frames_and_never_falls_behind(tmp_path: Path) -> None:
    """30 frames a second in, 20 out, for four seconds."""
    ages_ms, seen = list[float](), list[int]()
    with Server(tmp_path) as server:
        bus, router = create_bus(load(Settings, redis_url=server.url)), RedisRouter()

        @consume_captures(router, bus, FrameCaptured, "slow")
        async def read(one: FrameCaptured) -> None:
            seen.append(one.seq)
            await asyncio.sleep(0.05)
            ages_ms.append((utc_now() - one.captured_at).total_seconds() * 1000)

        async with ready(bus, Service("test", router, publishes_status=False)):
            begun = time.monotonic()
            for seq in range(120):
                await asyncio.sleep(begun + seq / 30 - time.monotonic())
                assert await bus.publish_frame(frame(seq))
            await asyncio.sleep(0.5)
            assert await bus.redis.xlen("mood:frames") <= bus.publisher.frames_kept
    assert seen == sorted(seen)
    assert len(seen) < 115
    assert p95(ages_ms) < 750  # 250 on a machine at rest
    print(f"{120 - len(seen)} of 120 dropped, p95 age {p95(ages_ms):.0f} ms")

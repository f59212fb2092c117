"""What is forgotten, and what stays."""

import asyncio
import time

from faststream.redis import RedisRouter

from moodstream.contracts.events import FacesRead, FrameCaptured, MoodChanged, utc_now
from shared.app.service import Service, build_app, create_bus
from shared.delivery.consume import consume_captures
from shared.delivery.retention import DAY_S, READINGS_S, Retention
from shared.settings import Settings, load


def moment(seconds_ago: float) -> str:
    return f"{int((time.time() - seconds_ago) * 1000)}-0"


async def test_readings_go_at_once_and_events_after_their_days(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url, events_kept_days=2))
    await bus.connect()
    try:
        ages_s = {
            "mood:readings": (3600, 21, 5, 0.1),
            "mood:moods": (3 * DAY_S, DAY_S, 5),
            "mood:picks:dead": (3 * DAY_S, DAY_S),
            "mood:playback": (3 * DAY_S, DAY_S),
        }
        for stream, all_ in ages_s.items():
            for age_s in all_:
                await bus.redis.xadd(stream, {"f": "v"}, id=moment(age_s))
        await Retention(bus, ["emotion", "recommender", "console"]).trim()
        left = {stream: await bus.redis.xlen(stream) for stream in ages_s}
        assert left == {"mood:readings": 2, "mood:moods": 2, "mood:picks:dead": 1, "mood:playback": 2}
        assert not await bus.redis.exists(bus.stream(MoodChanged) + "s"), "what is not there is not made"
        assert await bus.redis.exists(bus.stream(FacesRead))
    finally:
        await bus.close()


async def test_a_picture_leaves_redis_when_it_is_taken(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url))
    router, taken = RedisRouter(), asyncio.Event()

    @consume_captures(router, bus, FrameCaptured, "test")
    async def take(_: FrameCaptured) -> None:
        taken.set()
        await asyncio.sleep(3600)

    app = build_app(bus, Service("test", router))
    async with app.web.router.lifespan_context(app.web), asyncio.timeout(30):
        await app.ready.wait()
        for seq in range(3):
            frame = FrameCaptured(camera_id="c", run_id="r", seq=seq, captured_at=utc_now(), jpeg=b"\xff\xd8\xff")
            assert await bus.publish_frame(frame)
        await taken.wait()
        while await bus.redis.xlen("mood:frames") > 2:  # those that are not taken yet
            await asyncio.sleep(0.01)
        bus.stopping.set()


async def test_what_nobody_takes_is_forgotten_too(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url))
    await bus.connect()
    try:
        for stream in ("mood:frames", "mood:sounds"):
            for age_s in (READINGS_S + 10, READINGS_S - 10):
                await bus.redis.xadd(stream, {"f": "v"}, id=moment(age_s))
        await Retention(bus, ["voice", "emotion"]).trim()
        assert [await bus.redis.xlen(f"mood:{name}") for name in ("frames", "sounds")] == [2, 2], "whoever sends trims"
        await Retention(bus, ["gateway"]).trim()
        assert [await bus.redis.xlen(f"mood:{name}") for name in ("frames", "sounds")] == [1, 1]
    finally:
        await bus.close()

"""Lag, pending entries, length and dead letters of the streams that a process reads, at ``/metrics``."""

import asyncio
import time

import httpx
from faststream.redis import RedisRouter

from moodstream.contracts.events import SongPicked, expiry
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.app.metrics_route import FRESH_S
from shared.app.service import Service, build_app, create_bus
from shared.delivery.consume import consume
from shared.delivery.stream_metrics import StreamMetrics, lag
from shared.settings import Settings, load
from tests.support.gateways import connected_bus
from tests.support.redis_servers import single


def pick() -> SongPicked:
    return SongPicked(offer_id="o", song_id="s", by="visitor", mood=Mood.HAPPY, expires_at=expiry(SongPicked))


async def test_what_waits_is_told_and_a_dead_redis_too() -> None:
    with embedded_redis() as url:
        bus = create_bus(load(Settings, redis_url=url))
        router, taken, go_on = RedisRouter(), asyncio.Event(), asyncio.Event()

        @consume(router, bus, SongPicked, "test")
        async def take(_: SongPicked) -> None:
            taken.set()
            await go_on.wait()

        app = build_app(bus, Service("test", router))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app.web), base_url="http://test") as client:

            async def metrics() -> str:
                return (await client.get("/metrics")).text

            assert "moodstream_redis_up 0.0" in await metrics()  # not connected yet
            async with app.web.router.lifespan_context(app.web):
                await asyncio.wait_for(app.ready.wait(), 10)
                for _ in range(3):
                    await bus.publish(pick())
                await bus.redis.xadd("mood:picks:dead", {"error": "broken"})
                await asyncio.wait_for(taken.wait(), 10)
                await asyncio.sleep(FRESH_S)
                text = await metrics()
                go_on.set()
                assert "moodstream_redis_up 1.0" in text
                assert 'moodstream_stream_entries{stream="picks"} 3.0' in text
                assert 'moodstream_stream_dead_letters{stream="picks"} 1.0' in text
                assert 'moodstream_stream_lag{group="test",stream="picks"} 2.0' in text
                assert 'moodstream_stream_pending{group="test",stream="picks"} 1.0' in text
                await bus.redis.shutdown(nosave=True)
                await asyncio.sleep(FRESH_S)
                begun_s = time.monotonic()
                assert "moodstream_redis_up 0.0" in await metrics()
                assert time.monotonic() - begun_s < 4
                bus.stopping.set()


def test_lag_is_right_where_redis_counts_entries_that_were_trimmed_away() -> None:
    with single() as client:
        client.xgroup_create("frames", "test", id="0", mkstream=True)

        def told() -> float:
            return lag(client.xinfo_groups("frames")[0], client.xinfo_stream("frames"))

        for number in range(30):
            client.xadd("frames", {"n": number}, maxlen=8, approximate=False)
            if number % 3 == 0:
                client.xreadgroup("test", "one", {"frames": ">"}, count=1, noack=True)
        assert told() == 8
        while client.xreadgroup("test", "one", {"frames": ">"}, count=1, noack=True):
            pass
        assert told() == 0
        client.xadd("frames", {"n": 30}, maxlen=8, approximate=False)
        assert 1 <= told() <= 8


async def test_dead_letters_are_counted_where_no_group_reads(redis_url: str) -> None:
    """The player puts aside by itself what is no ranking; also before there was any ranking."""
    async with connected_bus(redis_url) as bus:
        metrics = StreamMetrics(bus, ["player", "console"])
        for count in (0, 1):
            await metrics.refresh()
            value = metrics.registry.get_sample_value
            assert value("moodstream_redis_up") == 1
            assert value("moodstream_stream_dead_letters", {"stream": "rankings"}) == count
            await bus.redis.xadd("mood:rankings:dead", {"error": "broken"})

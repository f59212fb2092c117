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
from shared.bus.heartbeats import write_heartbeat
from shared.delivery.consume import consume, create_groups
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
                await asyncio.wait_for(taken.wait(), 10)
                await asyncio.sleep(FRESH_S)
                text = await metrics()
                go_on.set()
                assert "moodstream_redis_up 1.0" in text
                assert "moodstream_stream_entries" not in text, "the gateway tells it"
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


async def test_lengths_and_dead_letters_are_told_by_the_gateway_that_lives(redis_url: str) -> None:
    """Also of streams that nobody reads in a group, and before anything was written to them."""
    async with connected_bus(redis_url) as one, connected_bus(redis_url) as two, connected_bus(redis_url) as player:
        one.consumer, two.consumer = "gateway-1", "gateway-2"
        first, second = StreamMetrics(one, ["gateway"]), StreamMetrics(two, ["gateway"])
        for bus in (one, two):
            await write_heartbeat(bus, ["gateway"])
        for count in (0, 1):
            for metrics in (first, second, others := StreamMetrics(player, ["player", "console"])):
                await metrics.refresh()
                assert metrics.registry.get_sample_value("moodstream_redis_up") == 1
            assert told(first, "stream_dead_letters", stream="rankings") == count
            assert told(first, "stream_entries", stream="picks") == count
            assert told(second, "stream_dead_letters", stream="rankings") is None
            assert told(others, "stream_entries", stream="picks") is None
            await one.redis.xadd("mood:rankings:dead", {"error": "broken"})
            await one.publish(pick())
        await one.redis.zadd("mood:alive:gateway", {"gateway-1": 1})
        await second.refresh()
        assert told(second, "stream_dead_letters", stream="rankings") == 2


async def test_what_waits_for_a_group_is_told_by_one_of_its_readers(redis_url: str) -> None:
    async with connected_bus(redis_url) as one, connected_bus(redis_url) as two, connected_bus(redis_url) as other:
        one.consumer, two.consumer, other.consumer = "worker-1", "worker-2", "worker-0"
        for bus in (one, two):
            router = RedisRouter()

            @consume(router, bus, SongPicked, "test")
            async def take(_: SongPicked) -> None:
                pass

            bus.broker.include_router(router)
            await create_groups(bus)
        for bus in (one, two, other):  # the last reads in no group: it is the same service with another task
            await write_heartbeat(bus, ["test"])
        await one.publish(pick())
        first, second = StreamMetrics(one), StreamMetrics(two)
        await first.refresh()
        await second.refresh()
        group = {"stream": "picks", "group": "test"}
        assert told(first, "stream_lag", **group) == 1
        assert [told(second, name, **group) for name in ("stream_lag", "stream_pending")] == [None, None]
        await one.redis.zadd("mood:alive:test", {"worker-1": 1})  # it died
        await second.refresh()
        assert [told(second, name, **group) for name in ("stream_lag", "stream_pending")] == [1, 0]
        await two.redis.zadd("mood:alive:test", {"worker-1": (await two.redis.time())[0]})  # it is back
        await second.refresh()
        assert told(second, "stream_lag", **group) is None


def told(metrics: StreamMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"moodstream_{name}", labels)

"""A line to Redis on which a round trip takes most of a second: what is in hand stays there, and many are at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from faststream.redis import RedisRouter
from redis.asyncio import Redis

from moodstream.contracts.events import SongPicked
from shared.bus.connection import Bus
from shared.delivery.consume import TIMING, Timing, consume
from tests.support.bus import running, until
from tests.support.made_events import pick
from tests.support.redis_process import Line, Server

STREAM, DEAD = "mood:picks", "mood:picks:dead"
GROUP = "test"
MANY = 12


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """With a port, for a line to it."""
    with Server(tmp_path) as server:
        yield server


@contextmanager
def line_to(server: Server, round_trip_s: float = 0.0) -> Iterator[Line]:
    line = Line(server.port, round_trip_s)
    line.start()
    try:
        yield line
    finally:
        line.stop()


def address(line: Line) -> str:
    return f"redis://127.0.0.1:{line.port}/0"


@asynccontextmanager
async def worker(
    url: str, handle: Callable[[SongPicked], Awaitable[None]], timing: Timing = TIMING
) -> AsyncIterator[Bus]:
    def register(router: RedisRouter, bus: Bus) -> None:
        consume(router, bus, SongPicked, GROUP, timing)(handle)

    async with running(url, register) as bus:
        yield bus


async def put(client: Redis, *events: SongPicked) -> None:
    for event in events:
        await client.xadd(STREAM, {"__data__": event.model_dump_json()})


async def measure(bus: Bus, times: int = 3) -> None:
    """As the heartbeat does."""
    for _ in range(times):
        await bus.measure_line()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Redis]:
    """On a fast line of its own."""
    async with Redis.from_url(server.url) as client:
        yield client


async def is_done(client: Redis, count: int) -> bool:
    groups = await client.xinfo_groups(STREAM)
    return bool(groups) and groups[0]["pending"] == 0 and groups[0]["entries-read"] == count


async def test_a_handler_on_a_slow_line_may_take_longer_and_no_fast_worker_takes_its_entry(
    server: Server, client: Redis
) -> None:
    """It outlasts its time of a fast line and the time after which entries of dead workers are claimed."""
    begun, done = list[float](), list[float]()
    timing = Timing(handler_timeout_s=1.0, claim_after_ms=3_000, claim_every_ms=200)

    async def take_long(_: SongPicked) -> None:
        begun.append(time.monotonic())
        await asyncio.sleep(5.0)
        done.append(time.monotonic())

    with line_to(server, 0.4) as line:
        async with worker(address(line), take_long, timing) as slow:
            await measure(slow)
            await put(client, pick())
            await until(lambda: len(begun) == 1)
            async with worker(server.url, take_long, timing):  # nothing new for it; it looks for what is idle
                await until(lambda: is_done(client, 1), 30)
    assert len(begun) == len(done) == 1
    assert await client.xlen(DEAD) == 0


async def test_on_a_fast_line_a_handler_ends_after_its_time(server: Server, client: Redis) -> None:
    begun = list[float]()

    async def hang(_: SongPicked) -> None:
        begun.append(time.monotonic())
        await asyncio.sleep(60)

    timing = Timing(handler_timeout_s=0.3, claim_after_ms=500, claim_every_ms=50)
    async with worker(server.url, hang, timing) as bus:
        await measure(bus)
        await put(client, pick())
        await until(lambda: len(begun) == 3, 20)
        await until(lambda: is_done(client, 1), 20)
    assert await client.xlen(DEAD) == 1


@pytest.mark.parametrize(("round_trip_s", "at_once"), [(0.0, 1), (0.2, MANY)])
async def test_several_entries_are_handled_side_by_side_on_a_slow_line_alone(
    server: Server, client: Redis, round_trip_s: float, at_once: int
) -> None:
    now, most, ids = 0, 0, list[str]()

    async def take(event: SongPicked) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.05 if at_once == 1 else 1.0)
        now -= 1
        ids.append(event.id)

    events = [pick(song_id=f"song {number}") for number in range(MANY)]
    with line_to(server, round_trip_s) as line:
        async with worker(address(line), take) as bus:
            await measure(bus)
            await put(client, *events)
            await until(lambda: is_done(client, MANY), 30)
    assert sorted(ids) == sorted(event.id for event in events), "each once"
    assert (most == 1) if at_once == 1 else (most > 3)


async def test_an_event_costs_three_round_trips_besides_its_handler(server: Server, client: Redis) -> None:
    """Reading it, asking whether it was done before, and noting that it is done together with its acknowledgement."""

    async def take(_: SongPicked) -> None:
        """Does nothing."""

    quiet = Timing(claim_every_ms=60_000)
    with line_to(server) as line:
        async with worker(address(line), take, quiet):
            await asyncio.sleep(0.2)
            costs = []
            for number in range(1, 6):
                before = line.round_trips
                await put(client, pick())
                await until(lambda number=number: is_done(client, number))  # type: ignore[misc]
                costs.append(line.round_trips - before)
    assert min(costs) <= 3, costs

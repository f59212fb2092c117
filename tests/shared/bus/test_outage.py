"""Redis refuses: said once, remembered while it lasts, and nobody's failure but Redis's."""

import asyncio
import logging
import subprocess
import sys

import pytest
from faststream.redis import RedisRouter
from redis.exceptions import OutOfMemoryError

from moodstream.contracts.events import SongPicked
from services.cli.redis_client import connected
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.bus.heartbeats import write_heartbeat
from shared.bus.outage import REMIND_EVERY_S, STANDS_S, Outage, describe
from shared.delivery.consume import Timing, consume, create_groups
from shared.delivery.dead_letters import MAX_DELIVERIES
from shared.delivery.janitor import Janitor
from shared.settings import Settings, load
from tests.support.bus import running, until
from tests.support.made_events import QUICK, pick

FULL = OutOfMemoryError("command not allowed", status_code="OOM")


def test_it_is_said_when_it_begins_each_half_minute_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    outage = Outage("redis://here", lambda: now_s)
    with caplog.at_level(logging.WARNING, "moodstream.redis"):
        for now_s in range(40):  # noqa: B007
            outage.report("publishing", FULL)
            outage.report("looking", FULL)
            assert outage.end_if_resolved() is None
        assert outage.reason == "OOM command not allowed"
        outage.resolve("publishing")
        assert outage.reason is not None
        outage.resolve("looking")
        assert outage.end_if_resolved() == 39
        assert outage.end_if_resolved() is None
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for Redis at redis://here: OOM command not allowed (publishing)",
        f"still waiting for Redis at redis://here, for {REMIND_EVERY_S:.0f} s: OOM command not allowed",
        "Redis at redis://here works again after 39.0 s",
    ]


def test_what_nobody_notices_any_more_is_over() -> None:
    now_s = 0.0
    outage = Outage("redis://here", lambda: now_s)
    outage.report("publishing", ConnectionError())
    assert outage.reason == "ConnectionError"
    now_s = STANDS_S + 1
    assert outage.reason is None


def test_an_error_is_one_line_with_its_code() -> None:
    assert describe(FULL) == "OOM command not allowed"
    assert describe(ConnectionError("no\nway")) == "no way"


async def test_what_redis_refuses_counts_against_no_event(redis_url: str) -> None:
    """However often: it is tried again, and done once Redis is better."""
    tries = list[str]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", QUICK)
        async def take(one: SongPicked) -> None:
            tries.append(one.song_id)
            if len(tries) <= 2 * MAX_DELIVERIES:
                raise FULL

    async with running(redis_url, register) as bus:
        await bus.publish(pick())
        await until(lambda: len(tries) == 2 * MAX_DELIVERIES + 1, 20)
        assert not await bus.redis.exists("mood:picks:dead")


async def test_a_hang_while_redis_is_in_trouble_counts_against_no_event(redis_url: str) -> None:
    tries = list[str]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", Timing(0.1, 200, 50))
        async def take(one: SongPicked) -> None:
            tries.append(one.song_id)
            if len(tries) <= MAX_DELIVERIES:
                bus.outage.report("publishing", FULL)
                await asyncio.sleep(5)

    async with running(redis_url, register) as bus:
        await bus.publish(pick())
        await until(lambda: len(tries) == MAX_DELIVERIES + 1, 20)
        assert not await bus.redis.exists("mood:picks:dead")


async def test_the_janitor_removes_the_dead_that_have_nothing_pending(redis_url: str) -> None:
    bus, router = create_bus(load(Settings, redis_url=redis_url)), RedisRouter()

    @consume(router, bus, SongPicked, "test")
    async def take(_: SongPicked) -> None:
        """Nothing."""

    bus.broker.include_router(router)
    await bus.connect()
    await create_groups(bus)
    with connected(redis_url) as client:
        client.xadd("mood:picks", {"__data__": pick().model_dump_json()})
        client.xgroup_createconsumer("mood:picks", "test", "idle")
        client.xreadgroup("test", "busy", {"mood:picks": ">"}, count=1)
        # it asks for work and gets none, and Redis 7.0 calls such a one idle
        own = f"test-{bus.consumer}".encode()

        def consumers() -> set[bytes]:
            return {one["name"] for one in client.xinfo_consumers("mood:picks", "test")}

        assert await Janitor(bus).sweep() == 0  # none is dead for long
        assert consumers() == {b"idle", b"busy", own}
        await write_heartbeat(bus, ["test"])
        assert await Janitor(bus, dead_after_ms=0).sweep() == 1
        assert consumers() == {b"busy", own}
        client.xack("mood:picks", "test", client.xrange("mood:picks")[0][0])
        assert await Janitor(bus, dead_after_ms=0).sweep() == 1
        assert consumers() == {own}
    await bus.close()


FRAYED = """
from pathlib import Path
from shared.delivery.janitor import give_back_freed_memory

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

messages = [bytes(3_000) for _ in range(60_000)]
kept = messages[::50]
del messages
before = resident_mb()
give_back_freed_memory()
print(before - resident_mb())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives back memory from between what is kept")
def test_freed_memory_between_what_is_kept_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FRAYED], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) > 100

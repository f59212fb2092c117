"""One holds a lease, another waits; by their own monotonic clocks, whatever the clocks of the wall say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.bus.connection import Bus
from shared.bus.lease import LEASE_S, ROUND_TRIPS, Lease
from shared.bus.line_speed import LineSpeed
from tests.support.gateways import connected_bus

KEY = "mood:lease:thing"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def pair(redis_url: str) -> AsyncIterator[tuple[Lease, Lease, Clock, Bus]]:
    """Two leases of the same name in two processes, with one clock."""
    async with connected_bus(redis_url) as one, connected_bus(redis_url) as two:
        two.consumer = "other-host-1"
        clock = Clock()
        yield Lease(one, "thing", clock=clock), Lease(two, "thing", clock=clock), clock, one


async def test_a_holder_that_renews_keeps_it_for_ever(pair: Any) -> None:
    holder, other, clock, _ = pair
    for _ in range(20):
        assert await holder.ask()
        assert not await other.ask()
        clock.now_s += 0.9 * LEASE_S


async def test_a_dead_holder_has_stopped_believing_before_another_takes_over(pair: Any) -> None:
    holder, other, clock, _ = pair
    assert await holder.ask()
    clock.now_s += 0.4
    assert not await other.ask()
    while not await other.ask():
        assert clock.now_s < 5
        clock.now_s += 0.1
        if clock.now_s < LEASE_S + 0.4:
            assert not other.held
    assert not holder.held
    assert clock.now_s == pytest.approx(LEASE_S + 0.4, abs=0.11)
    assert not await holder.ask()
    assert other.held


async def test_one_that_was_stopped_learns_that_another_has_had_it_and_let_it_go(pair: Any) -> None:
    holder, other, clock, bus = pair
    assert await holder.ask()
    clock.now_s += LEASE_S
    assert not await other.ask()
    clock.now_s += LEASE_S
    assert await other.ask()
    await other.release()
    assert not await holder.ask(), "what it knows is old"
    assert await holder.ask()
    await bus.redis.delete(KEY)
    assert await holder.ask(), "Redis has lost it; nobody else has had it"


async def test_what_was_released_is_taken_at_once_and_only_by_its_holder(pair: Any) -> None:
    holder, other, _, bus = pair
    assert await holder.ask()
    await other.release()
    assert (await bus.redis.get(KEY)).endswith(bus.consumer.encode())
    await holder.release()
    assert await other.ask()


async def test_only_the_holder_writes(pair: Any) -> None:
    holder, other, clock, bus = pair
    assert await holder.ask()
    assert await holder.keep("mood:kept", "one", 10)
    assert not await other.keep("mood:kept", "two", 10)
    assert await bus.redis.get("mood:kept") == b"one"
    assert not await other.ask()
    clock.now_s += LEASE_S
    assert await other.ask()
    assert not await holder.keep("mood:kept", "three", 10)
    assert await bus.redis.get("mood:kept") == b"one"


async def test_redis_forgets_nothing_within_a_day(pair: Any) -> None:
    """Its own clock may be set ahead while the lease is held."""
    holder, _, _, bus = pair
    assert await holder.ask()
    assert await bus.redis.ttl(KEY) > 24 * 3600


def slow(bus: Bus, round_trip_s: float) -> None:
    """As heartbeats on such a line have measured it."""
    bus.line = LineSpeed()
    for _ in range(3):
        bus.line.note("redis", round_trip_s)


async def test_a_holder_on_a_slow_line_asks_for_longer_and_a_fast_one_waits_for_it(pair: Any) -> None:
    holder, other, clock, bus = pair
    slow(bus, 0.8)
    lease_s = bus.line.patience_s(LEASE_S, ROUND_TRIPS)
    assert lease_s > 3 * LEASE_S
    assert await holder.ask()
    assert not await other.ask()
    clock.now_s += lease_s - 0.1
    assert not holder.held
    assert not await other.ask()
    clock.now_s += 0.2
    assert await other.ask()
    assert not await holder.ask()


async def test_a_lease_that_became_shorter_is_believed_in_no_longer_though_the_answer_was_lost(pair: Any) -> None:
    holder, other, clock, bus = pair
    slow(bus, 0.8)
    assert await holder.ask()
    slow(bus, 0.0)
    held_up = bus.redis.eval

    async def lose(*arguments: Any) -> None:
        await held_up(*arguments)
        raise ConnectionError("the answer got lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus.redis, "eval", lose)
        with pytest.raises(ConnectionError):
            await holder.ask()
    assert not await other.ask()
    while not await other.ask():
        clock.now_s += 0.1
    assert clock.now_s == pytest.approx(LEASE_S, abs=0.11)
    assert not holder.held


async def test_a_lease_of_an_older_version_says_nothing_of_its_length(pair: Any) -> None:
    _, other, clock, bus = pair
    await bus.redis.set(KEY, "12345 elsewhere-7")
    assert not await other.ask()
    clock.now_s += LEASE_S - 0.1
    assert not await other.ask()
    clock.now_s += 0.2
    assert await other.ask()

"""A cancellation reaches whoever waits for Redis, at whatever moment it comes.

redis-py alone loses it when it comes in the turn of the loop in which a command was sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from moodstream import sentinel
from moodstream.cancellation import heed
from moodstream.contracts.events import ReplyGiven, StatusChanged
from moodstream.contracts.requests import AskPlayer
from moodstream.errors import NoAnswer
from shared.bus.connection import Bus
from tests.support.gateways import connected_bus
from tests.support.redis_servers import single

TURNS = 12
"""Of the loop, until a command is on its way for sure."""


@pytest.fixture(params=["a socket", "TCP"])
def address(request: pytest.FixtureRequest, redis_url: str) -> Iterator[str]:
    if request.param == "a socket":
        yield redis_url
        return
    with single() as client:
        yield f"redis://127.0.0.1:{client.connection_pool.connection_kwargs['port']}"


async def read(bus: Bus) -> object:
    return await bus.redis.xread({"mood:status": "0-0"}, block=0)


async def follow(bus: Bus) -> object:
    return [entry async for entry in bus.follow({StatusChanged: "0-0"})]


async def ask(bus: Bus) -> object:
    return await bus.ask(AskPlayer(), timeout_s=60)


@pytest.mark.parametrize("wait", [read, follow, ask])
async def test_it_is_never_lost(address: str, wait: Callable[[Bus], Awaitable[object]]) -> None:
    async with connected_bus(address) as bus:
        await bus.ping()
        for turns in range(TURNS):
            waiting = asyncio.ensure_future(wait(bus))
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting}, timeout=20)
            assert waiting.cancelled(), f"lost after {turns} turns"
            assert await bus.redis.ping() is True, "the next command got the answer to that one"


async def test_a_time_out_is_one_too(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus:
        await bus.ping()
        for turns in range(TURNS):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(turns / 10_000):
                    await read(bus)
        with pytest.raises(NoAnswer):
            await bus.ask(AskPlayer(), timeout_s=0.01)
        assert await bus.last_id(ReplyGiven) == "0-0"


async def test_clients_of_other_programs_heed_it(address: str) -> None:
    async with sentinel.async_client(address, socket_timeout=70) as client:
        await client.ping()
        for turns in range(1, TURNS):
            reading = asyncio.ensure_future(client.xread({"mood:moods": "0-0"}, block=0))
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading}, timeout=20)
            assert reading.cancelled(), f"lost after {turns} turns"


async def test_what_another_library_has_lost_is_raised() -> None:
    async def library() -> str:
        return await asyncio.wait_for(asyncio.sleep(0, "done"), 5)

    async def lose_none() -> str:
        return await heed(library())

    for turns in range(4):
        calling = asyncio.create_task(lose_none())
        for _ in range(turns):
            await asyncio.sleep(0)
        if calling.cancel():
            await asyncio.wait({calling})
            assert calling.cancelled(), f"lost after {turns} turns"
    assert await heed(library()) == "done"

"""A bus in the loop of the test, with handlers as an app starts them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from faststream.redis import RedisRouter

from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.delivery.consume import create_groups
from shared.settings import Settings, load


@asynccontextmanager
async def running(url: str, register: Callable[[RedisRouter, Bus], None]) -> AsyncIterator[Bus]:
    """A bus with its handlers, started as an app starts them."""
    bus = create_bus(load(Settings, redis_url=url))
    router = RedisRouter()
    register(router, bus)
    app = build_app(bus, Service("test", router))
    await bus.connect()
    await create_groups(bus)
    await bus.broker.start()
    try:
        yield bus
    finally:
        await app.bus.close()


async def until(condition: Callable[[], bool | Awaitable[bool]], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            value = condition()
            if value if isinstance(value, bool) else await value:
                return
            await asyncio.sleep(0.02)

"""One gateway with a server of its own per module; tests keep apart by sessions and cameras of their own."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, connected_bus


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url).run() as running:
        yield running


@pytest.fixture
async def bus(gateway: Gateway) -> AsyncIterator[Bus]:
    async with connected_bus(gateway.redis_url) as bus:
        yield bus


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, timeout=10) as client:
        yield client

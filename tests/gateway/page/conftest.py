"""One browser for all tests of the pages, and one event loop, since a browser belongs to the loop that started it."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from shared.bus.connection import Bus
from tests.support.gateways import Gateway, connected_bus
from tests.support.page.browser import launch, open_page

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launch() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def bus(gateway: Gateway) -> AsyncIterator[Bus]:
    async with connected_bus(gateway.redis_url) as bus:
        yield bus


@pytest_asyncio.fixture(loop_scope="session")
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, timeout=10) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def page(gateway: Gateway, chromium: Browser) -> AsyncIterator[Page]:
    async with open_page(chromium, gateway) as page:
        yield page

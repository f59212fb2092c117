"""All of a stage is on one screen, in every language; ``make page-screens`` looks at more screens."""

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.async_api import Browser

from services.cli.run.embedded_redis import embedded_redis
from services.gateway.state.kiosk import Language
from shared.bus.connection import Bus
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.crowd import PATIENT, crowded
from tests.support.page.fits import faults

FEW = ((800, 480), (1366, 768), (1920, 1080), (480, 800), (768, 1024))
"""The smallest each way, the commonest, and the one that is nearly square."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url, PATIENT).run() as running:
        yield running


@pytest.mark.parametrize("language", get_args(Language))
async def test_every_stage_fits_with_the_player_shown(
    language: str, gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    found = []
    async with open_page(chromium, gateway, path=f"/?lang={language}") as page:
        async for stage in crowded(bus, page):
            for screen in FEW:
                found += [(stage, screen, fault) for fault in await faults(page, screen)]
    assert found == []


async def test_what_does_not_fit_is_found(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        assert await faults(page, FEW[0]) == []
        await page.evaluate("document.querySelector('#detail').textContent = 'many words '.repeat(400)")
        assert any("lies over" in fault or "is outside" in fault for fault in await faults(page, FEW[0]))


async def test_the_letters_do_not_depend_on_the_machine(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        await page.evaluate("document.fonts.ready")
        assert await page.evaluate("[...document.fonts].map((font) => font.status)") == ["loaded"]
        assert await page.evaluate("document.fonts.check('20px \"Moodstream Letters\"', 'Müßig éñ')")

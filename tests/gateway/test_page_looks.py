"""Every size fits, every text can be read, and nothing moves for those who do not want it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from shared.bus import Bus
from shared.circumplex import Mood
from tests.gateway.browsing import launch, open_page
from tests.gateway.running import Gateway, connected_bus
from tests.gateway.scenes import camera_online, mood_changed, new_session, offered, picked, playing, ranked

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
LEAST_TARGET_PX = 44
"""WCAG 2.2, success criterion 2.5.5 (AAA): fingers are broad."""

TEXTS = """() => [...document.querySelectorAll("body *")].flatMap((element) => {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const range = document.createRange();
  range.selectNodeContents(element);
  const box = range.getBoundingClientRect();
  const style = getComputedStyle(element);
  if (!own || element.closest("svg, noscript, [hidden]") || style.visibility === "hidden" || !box.width) return [];
  if (style.clipPath !== "none" || box.left < 0 || box.top < 0 || box.bottom > innerHeight) return [];
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  context.fillStyle = style.color;
  context.fillRect(0, 0, 1, 1);
  return [{ text: element.textContent.trim(), box: [box.x, box.y, box.right, box.bottom],
    colour: [...context.getImageData(0, 0, 1, 1).data].slice(0, 3) }];
})"""
HIDE_TEXTS = """() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync("body * { color: transparent !important }"); document.adoptedStyleSheets = [sheet]; }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launch() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def bus(gateway: Gateway) -> AsyncIterator[Bus]:
    async with connected_bus(gateway.redis_url) as bus:
        yield bus


async def play_through(bus: Bus, page: Page, mood: Mood) -> AsyncIterator[str]:
    """The states of a visit, one after another, with their names."""
    await bus.publish(camera_online())
    start = mood_changed(mood, new_session(), phase="start")
    offer = offered(start)
    await bus.publish(start)
    await bus.publish(offer)
    await expect(page.locator("#cards button")).to_have_count(5)
    yield "offer"
    await bus.publish(ranked(picked(offer)))
    await bus.publish(playing(state="no_device", message="Open the player on a phone or a computer near this one."))
    await expect(page.locator("#ranking li")).to_have_count(6)
    yield "ranking"
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await expect(page.locator("#ranking li")).to_have_count(0)
    yield "nobody"


def luminance(colour: Any) -> Any:
    """Relative luminance of sRGB colours 0..255 in the last axis, after WCAG 2.2."""
    share = np.asarray(colour, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


async def contrasts(page: Page) -> dict[str, float]:
    """Least contrast of every text with what lies behind it."""
    texts = await page.evaluate(TEXTS)
    await page.evaluate(HIDE_TEXTS)
    shot = cv2.imdecode(np.frombuffer(await page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    await page.evaluate("() => { document.adoptedStyleSheets = [] }")
    assert shot is not None
    found = {}
    for text in texts:
        left, top, right, bottom = (int(edge) for edge in text["box"])
        behind = luminance(shot[top:bottom, left:right, ::-1].reshape(-1, 3))
        ink = luminance(text["colour"])
        ratios = (np.maximum(ink, behind) + 0.05) / (np.minimum(ink, behind) + 0.05)
        found[text["text"]] = float(np.quantile(ratios, 0.02))
    return found


@pytest.mark.parametrize("mood", [Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM])
async def test_every_text_stands_out(mood: Mood, gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    size = {"width": 1280, "height": 800}
    async with open_page(chromium, gateway, reduced_motion="reduce", viewport=size) as page:
        async for name in play_through(bus, page, mood):
            found = await contrasts(page)
            assert len(found) > 10
            assert {text: ratio for text, ratio in found.items() if ratio < LEAST_CONTRAST} == {}, name


@pytest.mark.parametrize(("width", "height"), [(360, 640), (844, 390), (1280, 800), (1080, 1920), (3840, 2160)])
async def test_every_size_fits(width: int, height: int, gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, viewport={"width": width, "height": height}) as page:
        async for name in play_through(bus, page, Mood.HAPPY):
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
            if min(width, height) >= 768:
                assert await page.evaluate("document.documentElement.scrollHeight") <= height + 60, name
            for button in await page.get_by_role("button").all():
                box = await button.bounding_box()
                assert box is not None
                assert min(box["width"], box["height"]) >= LEAST_TARGET_PX, await button.inner_text()


async def test_nothing_moves_for_those_who_do_not_want_it(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, reduced_motion="reduce") as page:
        await bus.publish(mood_changed(Mood.HAPPY, new_session(), phase="start"))
        await expect(page.locator("h1")).to_have_text("You look happy")
        await asyncio.sleep(0.1)
        assert await page.evaluate("document.getAnimations().length") == 0

"""Every size fits, every text can be read, and nothing moves for those who do not want it."""

import asyncio
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Page

from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.stages import visit

MIN_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
MIN_TARGET_PX = 44
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
BUTTONS = """(least) => {
  const seen = [...document.querySelectorAll("button")].filter((button) => button.checkVisibility());
  const small = seen.filter((button) => Math.min(button.offsetWidth, button.offsetHeight) < least);
  return [seen.length, small.map((button) => button.outerHTML)];
}"""
HIDE_TEXTS = """() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync("body * { color: transparent !important }"); document.adoptedStyleSheets = [sheet]; }"""


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


@pytest.mark.parametrize(
    ("mood", "theme"),
    [
        (Mood.ANGRY, "dark"),
        (Mood.HAPPY, "dark"),
        (Mood.SAD, "dark"),
        (Mood.CALM, "dark"),
        (Mood.HAPPY, "light"),
        (Mood.SAD, "light"),
    ],
)
async def test_every_text_stands_out(mood: Mood, theme: str, gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, path=f"/?theme={theme}", viewport={"width": 1280, "height": 800}) as page:
        async for stage in visit(bus, page, mood):
            found = await contrasts(page)
            assert len(found) > 4
            assert {text: ratio for text, ratio in found.items() if ratio < MIN_CONTRAST} == {}, stage


@pytest.mark.parametrize(("width", "height", "language"), [(360, 640, "de"), (844, 390, "fr")])
async def test_a_phone_scrolls_one_way_only(
    width: int, height: int, language: str, gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    """Larger screens are those of test_fits.py."""
    size = {"width": width, "height": height}
    async with open_page(chromium, gateway, viewport=size, path=f"/?lang={language}") as page:
        async for stage in visit(bus, page):
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, stage
            seen, small = await page.evaluate(BUTTONS, MIN_TARGET_PX)
            assert seen > 0, stage
            assert small == [], stage


async def test_what_matters_is_read_from_three_metres(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    """On a screen of 1080 lines and 60 cm height, letters of 40 px are some 15 mm high: a 200th of three metres."""
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    async with open_page(chromium, gateway, viewport={"width": 1920, "height": 1080}) as page:
        async for stage in visit(bus, page):
            assert await page.locator("#word").evaluate(size) >= 80, stage
            assert await page.locator("#lead").evaluate(size) >= 40, stage
            if stage == "ask":
                assert await page.locator("#notice").evaluate(size) >= 30


async def test_nothing_moves_for_those_who_do_not_want_it(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    for motion, moves in (("reduce", False), ("no-preference", True)):
        async with open_page(chromium, gateway, reduced_motion=motion) as page:
            async for stage in visit(bus, page):
                if stage in ("attract", "mirror"):
                    await asyncio.sleep(0.1)
                    assert (await page.evaluate("document.getAnimations().length") > 0) == moves, stage


async def test_colour_and_breath_follow_the_mood(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    shown = []
    for mood in (Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM):
        async with open_page(chromium, gateway) as page:
            async for stage in visit(bus, page, mood):
                if stage == "mirror":
                    style = await page.evaluate(
                        "['--accent', '--tempo'].map((name) => document.body.style.getPropertyValue(name))"
                    )
                    mouth = await page.locator("#mouth").get_attribute("d")
                    shown.append((*style, mouth))
    accents, tempos, mouths = zip(*shown, strict=True)
    assert len(set(accents)) == len(set(mouths)) == 4
    angry, happy, sad, calm = (float(tempo.removesuffix("s")) for tempo in tempos)
    assert max(angry, happy) < min(sad, calm)  # the lively ones breathe faster

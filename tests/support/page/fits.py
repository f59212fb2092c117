"""Whether all of a stage is on one screen: nothing outside of it, nothing cut, nothing over anything else."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.support.page.browser import settle

SCREENS = (
    (800, 480),
    (1024, 600),
    (1280, 720),
    (1024, 768),
    (1366, 768),
    (1280, 800),
    (1280, 1024),
    (1920, 1080),
    (2560, 1080),
    (3840, 2160),
    (480, 800),
    (600, 1024),
    (768, 1024),
    (800, 1280),
    (1080, 1920),
    (2160, 3840),
)
"""Width and height in pixels, as kiosks have them."""

FAULTS = Path(__file__).with_name("fits.js").read_text()


async def faults(page: Page, screen: tuple[int, int]) -> list[str]:
    """What does not fit on a screen of this size; leaves the page at it."""
    await page.set_viewport_size({"width": screen[0], "height": screen[1]})
    await settle(page)
    found: list[Any] = await page.evaluate(FAULTS, list(screen))
    return [str(one) for one in found]

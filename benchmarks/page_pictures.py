"""The pictures of the page in the documentation: every stage in two sizes and two languages.

    python -m benchmarks.page_pictures [FOLDER]

The visitors and songs are invented; no picture shows a face but the page's own moon.
"""

import asyncio
import sys
from pathlib import Path

import cv2
import numpy as np
from playwright.async_api import Locator, Page, ViewportSize, expect

from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from tests.support.gateways import Gateway, connected_bus
from tests.support.page.browser import launch, open_page
from tests.support.page.stages import at_stage, visit, visit_by_hand
from tests.support.scenes import OFFERED, new_session, offered, voice_heard

SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 800}, "tall": {"width": 540, "height": 960}}
MORE: dict[str, ViewportSize] = {"small": {"width": 1024, "height": 600}, "light": {"width": 1280, "height": 800}}
"""In English alone, and only the stages with songs."""
SONGS = ("mirror", "listen")
MOODS = {"en": Mood.HAPPY, "de": Mood.SAD, "fr": Mood.CALM, "es": Mood.ANGRY, "ja": Mood.CALM, "ar": Mood.CALM}
SHOWN = ("en", "ar")
QUALITY = 82
SETTLED_S = 0.7


async def keep(page: Page, path: Path, *, within: Locator | None = None, full_page: bool = False) -> None:
    """A WebP of what the window shows, of one part or of the whole page, once all has settled."""
    await page.mouse.move(0, 0)
    await asyncio.sleep(SETTLED_S)
    seen = await (within.screenshot() if within else page.screenshot(full_page=full_page))
    picture = cv2.imdecode(np.frombuffer(seen, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


async def draw(folder: Path, languages: tuple[str, ...], redis_url: str, gateway: Gateway) -> None:
    async with connected_bus(redis_url) as bus, launch() as browser:
        for size, viewport in SIZES.items():
            for language in languages:
                async with open_page(
                    browser, gateway, complains=True, viewport=viewport, path=f"/?lang={language}"
                ) as page:
                    async for stage in visit(bus, page, MOODS[language]):
                        await keep(page, folder / f"page-{stage}-{size}-{language}.webp")
                    await page.reload()
                    async for stage in visit_by_hand(bus, page):
                        if stage == "hand":
                            await keep(page, folder / f"page-{stage}-{size}-{language}.webp")
        for size, viewport in MORE.items():
            path = f"/?lang=en&theme={'light' if size == 'light' else 'dark'}"
            async with open_page(browser, gateway, complains=True, viewport=viewport, path=path) as page:
                async for stage in visit(bus, page, Mood.CALM):
                    if stage in SONGS:
                        await keep(page, folder / f"page-{stage}-{size}-en.webp")


async def draw_voice(folder: Path, redis_url: str, gateway: Gateway) -> None:
    """The question for the microphone, and a visit by voice alone; Chromium's own sound stands in for a voice."""
    async with (
        connected_bus(redis_url) as bus,
        launch() as browser,
        open_page(browser, gateway, complains=True, viewport=SIZES["wide"], path="/?lang=en") as page,
    ):
        await page.context.grant_permissions(["microphone"])
        await page.locator("#speak").click()
        await keep(page, folder / "page-voice-wide-en.webp")
        async with page.expect_request("**/api/v1/voices?*") as sending:
            await page.locator("#hear-agree").click()
        mood = voice_heard((await sending.value).url.partition("camera_id=")[2], Mood.SAD, new_session())
        await bus.publish(mood)
        await bus.publish(offered(mood))
        await at_stage(page, "mirror")
        await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
        await keep(page, folder / "page-heard-wide-en.webp")


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images")
    languages = tuple(sys.argv[2].split(",")) if len(sys.argv) > 2 else SHOWN
    folder.mkdir(parents=True, exist_ok=True)
    with embedded_redis() as url, Gateway(url).run() as gateway:
        asyncio.run(draw(folder, languages, url, gateway))
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_VOICE": "free"}).run() as gateway:
        asyncio.run(draw_voice(folder, url, gateway))
    for path in sorted(folder.glob("page-*.webp")):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

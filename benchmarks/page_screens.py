"""Whether every stage fits on every screen, in six languages: ``python -m benchmarks.page_screens [LANGUAGES]``.

The tests look at five screens; here are all. Needs Chromium, and fonts for Japanese and Arabic to be true of those.
"""

import asyncio
import sys
import time
from typing import get_args

from services.cli.run.embedded_redis import embedded_redis
from services.gateway.state.kiosk import Language
from tests.support.gateways import Gateway, connected_bus
from tests.support.page.browser import launch, open_page
from tests.support.page.crowd import PATIENT, crowded
from tests.support.page.fits import SCREENS, faults

THEMES = ("dark", "light")


async def look(languages: tuple[str, ...], redis_url: str, gateway: Gateway) -> int:
    """How many screens of a stage have a fault; each is printed."""
    wrong = seen = 0
    async with connected_bus(redis_url) as bus, launch() as browser:
        for number, language in enumerate(languages):
            theme = THEMES[
                number % len(THEMES)
            ]  # it decides colours, not places: each theme with half of the languages
            async with open_page(browser, gateway, complains=True, path=f"/?lang={language}&theme={theme}") as page:
                async for stage in crowded(bus, page):
                    for screen in SCREENS:
                        found = await faults(page, screen)
                        seen, wrong = seen + 1, wrong + bool(found)
                        if found:
                            print(f"{language} {stage} {screen[0]}x{screen[1]}: {'; '.join(found)}", flush=True)
    print(f"{seen} screens, {wrong} with faults")
    return wrong


def main() -> int:
    languages = tuple(sys.argv[1].split(",")) if len(sys.argv) > 1 else get_args(Language)
    begun = time.monotonic()
    with embedded_redis() as url, Gateway(url, PATIENT).run() as gateway:
        wrong = asyncio.run(look(languages, url, gateway))
    print(f"took {time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

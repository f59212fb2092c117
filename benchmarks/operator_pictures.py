"""The pictures of the operator's pages in the documentation, of a whole Moodstream that is watched by a drawn face.

    python -m benchmarks.operator_pictures [FOLDER]

Takes about two minutes. Songs, place and visitors are invented; no picture shows a person.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, expect

from benchmarks.page_pictures import keep
from tests.support.page.browser import launch
from tests.support.page.site import TOKEN, Site, site
from tests.support.random_songs import table

WIDE, PHONE = 1120, 390
LIMIT_MS = 60_000
SETTLED_S = 1.0
WATCHED_S = 50
"""Moods and songs for the charts."""
SETTINGS = "/api/v1/operator/settings"
PLACE = {"site_name": "Museum of the Moon", "site_contact": "moon@example.org"}


@asynccontextmanager
async def opened(browser: Browser, running: Site, name: str = "", wide: int = WIDE) -> AsyncIterator[Page]:
    """A page of the operator, who reads English."""
    context = await browser.new_context(
        locale="en",
        http_credentials={"username": "op", "password": TOKEN},
        viewport={"width": wide, "height": 844 if wide == PHONE else 760},
    )
    page = await context.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(f"{running.url}/operator{name}")
    yield page
    await context.close()


async def draw(folder: Path, running: Site) -> None:
    async with launch() as browser:
        async with opened(browser, running) as page:
            await expect(page.locator("#verdict")).to_have_text("Everything works", timeout=LIMIT_MS)
            await page.locator("#test").click()
            await expect(page.locator("#checks li").last).to_contain_text("camera", timeout=LIMIT_MS)
            await expect(page.locator("#chart svg")).to_be_visible()
            await keep(page, folder / "operator.webp", full_page=True)
            await page.locator("[data-view]").first.click()
            await expect(page.locator("#view-figures")).to_contain_text("Best distance", timeout=LIMIT_MS)
            await keep(page, folder / "mounting-view.webp", within=page.locator("#view"))
            await page.locator("#view-stop").click()
        async with opened(browser, running, wide=PHONE) as page:
            await expect(page.locator("#verdict")).to_have_text("Everything works", timeout=LIMIT_MS)
            await keep(page, folder / "operator-phone.webp")
        async with opened(browser, running, "/setup#camera") as page:
            await page.locator("#cameras button").first.click()
            await expect(page.locator("#view-faces")).to_contain_text("Read.", timeout=LIMIT_MS)
            await keep(page, folder / "setup.webp")
        async with opened(browser, running, "/settings") as page:
            await expect(page.locator("#form input").first).to_be_visible()
            await keep(page, folder / "settings.webp")
        async with opened(browser, running, "/songs") as page:
            await page.locator("#search input").fill("blue")
            await page.locator("#search button").click()
            await expect(page.locator("#found tr").first).to_be_visible()
            await keep(page, folder / "songs.webp")
        async with opened(browser, running, "/look") as page:
            await expect(page.locator("#preview")).to_be_visible()
            await keep(page, folder / "look.webp")
        async with opened(browser, running, "/care") as page:
            await expect(page.locator("#versions")).to_contain_text("moodstream")
            await keep(page, folder / "care.webp", full_page=True)
        async with opened(browser, running, "/report") as page:
            await expect(page.locator("#hours svg, #hours tr, #hours td").first).to_be_visible()
            await keep(page, folder / "report.webp")
        for name in ("sign", "staff"):
            async with opened(browser, running, f"/{name}", wide=620) as page:
                await expect(page.locator("h1").first).to_be_visible()
                await keep(page, folder / f"{name}.webp", full_page=True)
        async with opened(browser, running, "/songs") as page:
            await expect(page.locator("#songs-now")).not_to_be_empty()
            await page.set_input_files("#table-file", folder_with_a_table(running))
            await expect(page.locator("#import-said")).to_contain_text("are offered now", timeout=LIMIT_MS)
            await keep(page, folder / "own-songs.webp", within=page.locator("#own"))


def folder_with_a_table(running: Site) -> Path:
    """Songs with other headings than ours, one of them wrong."""
    songs = table(400, seed=3).rename(columns={"title": "track_name", "artist": "artists"})
    songs.loc[0, "energy"] = 7
    path = running.folder / "our songs.csv"
    songs.to_csv(path, index=False)
    return path


async def name_the_place(running: Site) -> None:
    async with httpx.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        now = (await client.get(SETTINGS)).raise_for_status()
        version = now.json()["result"]["version"]
        (await client.patch(SETTINGS, json={"values": PLACE}, headers={"If-Match": version})).raise_for_status()


async def main_in(folder: Path, running: Site) -> None:
    await name_the_place(running)
    await asyncio.sleep(WATCHED_S)
    await draw(folder, running)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        site(Path(data), "--camera", "pattern:quick", "--auto", XDG_DATA_HOME=data) as running,
    ):
        asyncio.run(main_in(folder, running))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""From a folder of music files to what a visitor hears, through the whole of Moodstream, with one setting."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import mutagen
import numpy as np
import pytest
from mutagen.flac import Picture
from playwright.async_api import Browser, Page, expect

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.scan import scan
from services.recommender.catalogue.table import Catalogue
from tests.support import music
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.site import Site, site
from tests.support.page.stages import at_stage
from tests.support.pictures import encoded, noise

SONG_S = 4.0
HEARD = """() => [...document.querySelectorAll("#player audio")]
  .some((one) => !one.paused && !one.muted && one.volume > 0.05 && one.currentTime > 0.3)"""


def write_songs(folder: Path, count: int) -> None:
    """Short pieces in several formats, with names and tags as people have them; each has a cover."""
    time_s = np.arange(int(SONG_S * music.RATE)) / music.RATE
    for number in range(count):
        kind = ("wav", "flac", "ogg", "mp3")[number % 4]
        pitch = 150 * 2 ** (number / 7)
        beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (1 + number / 6) * time_s))
        file = folder / f"Album {number // 5} & more" / f"{number:02} – Söng #{number} 100%.{kind}"
        file.parent.mkdir(parents=True, exist_ok=True)
        sound = (0.3 * beat * np.sin(2 * np.pi * pitch * time_s)).astype(np.float32)
        music.sound_file(file, music.FORMATS[kind], sound)
        if kind == "flac":
            cover = Picture()
            cover.type, cover.mime, cover.data = 3, "image/jpeg", encoded(noise())
            tags = mutagen.File(file)
            tags.add_picture(cover)
            tags.save()
        else:
            (file.parent / "cover.jpg").write_bytes(encoded(noise()))


def commonest_mood(catalogue: Path) -> Mood:
    """What most songs of a scanned folder sound like."""
    heard = Catalogue.load(catalogue).heard
    return MOODS[int(np.bincount(heard.argmax(axis=1), minlength=len(MOODS)).argmax())]


@pytest.fixture(scope="module")
def moodstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("own")
    write_songs(folder / "My Müsic", 20)
    catalogue = folder / "catalogue.parquet"
    assert scan(folder / "My Müsic", catalogue, processes=1).songs == 20
    settings = {
        "MOODSTREAM_CATALOGUE": str(catalogue),
        "MOODSTREAM_MUSIC": str(folder / "My Müsic"),
        "MOODSTREAM_ODDITIES": "true",  # pieces of a few seconds are offered, too: the test hears them to their end
    }
    with site(folder, "--camera", "pattern:", **settings) as running:
        yield running


async def is_heard(page: Page, title: str) -> None:
    """A recording of this song plays, by what the browser's own sound element says."""
    await expect(page.locator("#player-song")).to_contain_text(title)
    await expect(page.locator("#player")).to_have_attribute("data-source", "file")
    await page.wait_for_function(HEARD)


async def test_a_visitor_hears_songs_of_the_folder_one_after_another_until_stop(
    moodstream: Site, chromium: Browser
) -> None:
    async with open_page(chromium, Gateway("", port=int(moodstream.url.rpartition(":")[2]))) as page:
        await at_stage(page, "ask")
        await page.locator("#agree").click()
        await expect(page.locator("#cards button")).to_have_count(5)
        mood = commonest_mood(moodstream.folder / "catalogue.parquet")  # of which there are songs to go on with
        await page.locator(f"button.mood[data-mood={mood}]").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"You chose {mood}")
        await expect(page.locator("#songs-detail")).to_have_text(f"Five songs that sound {mood}")
        await page.locator("#cards button").first.click()
        await expect(page.locator("#player-song")).to_contain_text("Söng")
        first = re.split(" · ", await page.locator("#player-song").inner_text())[0]
        await is_heard(page, first)
        await expect(page.locator("#sleeve img")).to_have_js_property("complete", True)
        assert await page.locator("#sleeve img").evaluate("image => image.naturalWidth") > 0
        await expect(page.locator("#player-song")).not_to_contain_text(first)  # it has come to its end
        await is_heard(page, "Söng")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await at_stage(page, "goodbye")
        await expect(page.locator("#player")).to_have_attribute("data-source", "none")
        async with asyncio.timeout(5):
            while await page.evaluate(HEARD):
                await asyncio.sleep(0.1)
        status = await page.evaluate("fetch('/api/v1/status').then((answer) => answer.json())")
        assert status["state"] == "ok"  # the camera rests, which is no alarm
        await expect(page.locator("#status")).not_to_be_empty()

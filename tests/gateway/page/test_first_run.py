"""What somebody sees who starts it without a camera, an account or a setting, and who tries the demonstration."""

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from moodstream.contracts.moods import MOODS
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.after_history import MAX_PER_ARTIST
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.site import Site, site
from tests.support.page.stages import at_stage
from tests.support.random_songs import table

LOOKED_AT_S = 30.0
HELD_S = 15.0
NOTE_CONTEXTS = """
  window.contexts = [];
  window.AudioContext = class extends AudioContext { constructor(...all) { super(...all); contexts.push(this); } };
"""
SOUNDS = """() => contexts.some((one) => one.state === "running" && one.currentTime > 0)
  && document.querySelector("#player").dataset.house"""
LISTEN = """() => {
  window.moods = [];
  const source = new EventSource("/api/v1/events");
  source.addEventListener("MoodChanged", ({ data }) => {
    const { mood, phase, reason } = JSON.parse(data);
    if (reason !== "heartbeat") moods.push({ mood, phase, at_s: performance.now() / 1000 });
  });
}"""


async def agree(page: Page) -> None:
    await at_stage(page, "ask")
    await page.locator("#agree").click()
    await expect(page.locator("#cards button")).to_have_count(5)


def browser_of(running: Site) -> Gateway:
    return Gateway("", port=int(running.url.rpartition(":")[2]))


async def test_the_drawn_face_holds_each_mood_and_does_not_leave_and_songs_are_by_several_artists(
    tmp_path: Path, chromium: Browser
) -> None:
    songs = table(400)
    songs.loc[songs.index % 4 > 0, "artist"] = "The Many"
    Catalogue(songs).save(tmp_path / "catalogue.parquet")
    with site(tmp_path, MOODSTREAM_CATALOGUE=str(tmp_path / "catalogue.parquet")) as running:
        async with open_page(chromium, browser_of(running)) as page:
            await agree(page)
            await page.evaluate(LISTEN)
            began_s = time.monotonic()
            word = (await page.locator("#songs-detail").inner_text()).rpartition(" ")[2]
            assert word in MOODS
            await page.locator("#cards button").first.click()
            await expect(page.locator("#ranking li")).not_to_have_count(0)
            artists = Counter(await page.locator("#ranking .artist").all_inner_texts())
            assert max(artists.values()) <= MAX_PER_ARTIST, artists
            await asyncio.sleep(LOOKED_AT_S - (time.monotonic() - began_s))
            seen = await page.evaluate("moods")
    assert "end" not in {one["phase"] for one in seen}, "the visit has ended"
    named = [one for one in seen if one["mood"] in MOODS]
    assert 1 <= len({one["mood"] for one in named}) <= 3, seen
    for sooner, later in itertools.pairwise(named):
        assert later["at_s"] - sooner["at_s"] > HELD_S or later["mood"] == sooner["mood"], seen


async def test_the_demonstration_is_heard_without_an_account(tmp_path: Path, chromium: Browser) -> None:
    with site(tmp_path, "--demo") as running:
        async with open_page(chromium, browser_of(running), path="/docs/events.html") as page:
            await page.add_init_script(NOTE_CONTEXTS)
            await page.goto(running.url)
            await at_stage(page, "ask")
            await page.locator("#agree").click()
            await expect(page.locator("#player")).to_have_attribute("data-source", "house")
            await page.wait_for_function(SOUNDS)
            await expect(page.locator("#player-message")).to_contain_text("music made for this mood")
            shown = await page.locator("body").inner_text()
    assert "Spotify" not in shown
    assert "sign in" not in shown.lower()

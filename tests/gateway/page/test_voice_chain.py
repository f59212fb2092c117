"""The whole chain without a camera: somebody speaks into the browser's microphone, and a song plays."""

from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from services.voice.log_mel import RATE, Floats
from services.voice.sound_files import read_whole
from tests.support.gateways import Gateway
from tests.support.needs import REFERENCE, missing
from tests.support.page.browser import launch, open_page
from tests.support.page.site import Site, site
from tests.support.page.stages import at_stage
from tests.support.voices import write_sound

ANGRY = REFERENCE / "voice" / "emodb-00011.ogg"
PATIENCE_MS = 60_000
"""Speech, reading, songs: on a machine that is busy each takes a while."""


def after_quiet(sound: Floats) -> Floats:
    draw = np.random.default_rng(3)
    room = [np.asarray(0.0005 * draw.normal(size=int(seconds * RATE)), np.float32) for seconds in (1.0, 1.2)]
    return np.concatenate([room[0], sound, room[1]])


@pytest.fixture(scope="module")
def moodstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    heard = {"MOODSTREAM_VOICE": "research"}
    with site(tmp_path_factory.mktemp("site"), "--camera", "webcam:99", "--player", "house", **heard) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def speaking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser before which an actor is angry."""
    if not ANGRY.exists():
        missing("the reference voices")
    path = tmp_path_factory.mktemp("sound") / "angry.wav"
    write_sound(path, after_quiet(read_whole(ANGRY)))
    async with launch(microphone=path) as browser:
        yield browser


async def speak(page: Page) -> None:
    """From the invitation to songs of the mood that was heard."""
    await at_stage(page, "attract")
    await page.locator("#speak").click()
    await page.locator("#hear-agree").click()
    await at_stage(page, "hand")
    await expect(page.locator("body")).to_have_attribute("data-stage", "mirror", timeout=PATIENCE_MS)
    await expect(page.locator("#cards button")).to_have_count(5, timeout=PATIENCE_MS)


async def test_a_spoken_sentence_leads_to_a_mood_an_offer_and_a_song(moodstream: Site, speaking: Browser) -> None:
    port = int(moodstream.url.rpartition(":")[2])
    async with open_page(speaking, Gateway("", port=port)) as page:
        await speak(page)
        await expect(page.get_by_role("heading", level=1)).to_have_text("You sound angry")
        await expect(page.locator("#detail")).to_contain_text("Voice: angry")
        await page.locator("#cards button").first.click()
        await at_stage(page, "listen")
        await expect(page.locator("#player-state")).to_have_text("Your song", timeout=PATIENCE_MS)
        await expect(page.locator("#player")).to_have_attribute("data-source", "house")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await at_stage(page, "goodbye")
        await expect(page.locator("body[data-hears]")).to_have_count(0)

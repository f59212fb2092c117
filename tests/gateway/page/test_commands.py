"""What a visitor says is done as if touched: where they have agreed to be heard, at their place, by one page."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, expect

from moodstream.contracts.events import CommandHeard, Song, new_id, utc_now
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.voice.log_mel import RATE, Floats
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer
from tests.support.page.browser import launch, open_page
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import CAMERA, microphone_online, mood_changed, playing
from tests.support.voices import babble, write_sound

HELP = "You can say: play something happy"
SONG = Song(id="s", title="Song", artist="A", uri="spotify:track:s")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    commands = {"MOODSTREAM_VOICE": "free", "MOODSTREAM_VOICE_COMMANDS": "true", "MOODSTREAM_GOODBYE_S": "2"}
    with embedded_redis() as url, Gateway(url, commands).run() as running:
        yield running


def room(seconds: float) -> Floats:
    return np.asarray(0.001 * np.random.default_rng(3).normal(size=int(seconds * RATE)), np.float32)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def speaking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser before which somebody speaks for a second, and then not for a minute."""
    path = tmp_path_factory.mktemp("sound") / "voice.wav"
    write_sound(path, np.concatenate([room(1), 0.3 * babble(1), room(60)]))
    async with launch(microphone=path) as browser:
        yield browser


async def listen(page: Page) -> str:
    """The visitor agrees to be heard and speaks; the id of what they said."""
    await page.locator("#microphone").click()
    async with page.expect_response("**/voices?*") as sent:
        await page.get_by_role("button", name="Yes, listen").click()
    return str((await (await sent.value).json())["id"])


async def say(bus: Bus, command: str, said: str = "", camera_id: str = CAMERA, ago_s: float = 0.0) -> None:
    """``said``: the id of the utterance in which it was heard; one that no page has sent when not given."""
    heard_at = utc_now() - timedelta(seconds=ago_s)
    await bus.publish(CommandHeard(camera_id=camera_id, heard_at=heard_at, command=command, trace_id=said or new_id()))


async def understood(page: Page, phrase: str) -> None:
    await expect(page.locator("#word-to-you")).to_have_text(f"You said: \u2066{phrase}\u2069")


async def test_a_visit_by_voice_from_the_songs_to_the_goodbye(bus: Bus, gateway: Gateway, speaking: Browser) -> None:
    asked: list[str] = []
    async with open_page(speaking, gateway) as page:
        page.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)
        mood, offer = await arrive(bus, page)
        await say(bus, "second")
        await page.locator("#microphone").click()
        await expect(page.locator("#hear")).to_contain_text("Of words, only a few commands are understood.")
        await expect(page.locator("#hear-commands")).to_contain_text(HELP)
        await page.keyboard.press("Escape")
        async with page.expect_request("**/consents") as told:
            said = await listen(page)
        assert (await told.value).post_data_json == {"choice": "given", "to": "voice"}
        await expect(page.locator("#word-to-you")).to_contain_text(HELP)
        await say(bus, "second", said, "elsewhere")
        await say(bus, "second", said, ago_s=10)
        await say(bus, "unheard-of", said)
        async with page.expect_request("**/picks") as picking:
            await say(bus, "third", said)
        assert (await picking.value).post_data_json == {"offer_id": offer.id, "song_id": offer.songs[2].id}
        await understood(page, "the third one")
        assert sum("/picks" in url for url in asked) == 1, "nothing else was carried out"

        await bus.publish(playing(SONG, volume=95))
        await expect(page.locator("#hold")).to_be_visible()
        for command, phrase, body in (
            ("louder", "louder", {"command": "volume", "percent": 100}),
            ("quieter", "quieter", {"command": "volume", "percent": 85}),
            ("pause", "pause", {"command": "pause"}),
        ):
            serving = await answer(bus, "player.command")
            await say(bus, command, said)
            assert (await serving).body == body
            await understood(page, phrase)
        serving = await answer(bus, "mood.choose")
        await say(bus, "calm", said)
        assert (await serving).body["mood"] == "calm"
        await understood(page, "play something calm")

        await say(bus, "stop", said)
        await at_stage(page, "goodbye")
        await expect(page.locator("body[data-hears]")).to_have_count(0)
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await bus.publish(playing(None, state="ready"))


async def test_who_is_not_heard_commands_nothing_and_declining_is_counted(
    bus: Bus, gateway: Gateway, speaking: Browser
) -> None:
    async with open_page(speaking, gateway, path="/?lang=de") as page:
        mood, _ = await arrive(bus, page)
        await page.locator("#microphone").click()
        await expect(page.locator("#hear-commands")).to_contain_text(
            "Auf Englisch kannst du sagen: play something happy"
        )
        async with page.expect_request("**/consents") as told:
            await page.locator("#hear-decline").click()
        assert (await told.value).post_data_json == {"choice": "declined", "to": "voice"}
        await say(bus, "stop")
        await say(bus, "first")
        await page.wait_for_timeout(500)
        await at_stage(page, "mirror")
        await expect(page.locator("#word-to-you")).to_have_text("")
        await expect(page.locator(".card[aria-pressed=true]")).to_have_count(0)
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))


async def test_of_two_pages_at_one_camera_that_obeys_into_which_it_was_said(
    bus: Bus, gateway: Gateway, speaking: Browser
) -> None:
    async with open_page(speaking, gateway) as one, open_page(speaking, gateway) as other:
        mood, _ = await arrive(bus, one)
        await other.locator("#agree").click()
        asked = requests_of(one, other)
        said, _ = [await listen(page) for page in (one, other)]
        async with one.expect_request("**/picks"):
            await say(bus, "third", said)
        await understood(one, "the third one")
        await other.wait_for_timeout(500)
        assert [page is one for page, path in asked if path == "picks"] == [True]
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await at_stage(other, "goodbye")


async def test_what_the_microphone_of_the_site_hears_is_obeyed_once(
    bus: Bus, gateway: Gateway, chromium: Browser
) -> None:
    # that another page was sooner is answered with 409, which a browser writes into its console
    async with (
        open_page(chromium, gateway, complains=True) as one,
        open_page(chromium, gateway, complains=True) as other,
    ):
        await bus.publish(microphone_online())
        mood, _ = await arrive(bus, one)
        await other.locator("#agree").click()
        await bus.publish(playing(SONG))
        await expect(one.locator("#skip")).to_be_visible()
        await expect(other.locator("#skip")).to_be_visible()
        asked = requests_of(one, other)
        for count in (1, 2):
            serving = await answer(bus, "player.command")
            await say(bus, "next")
            assert (await serving).body == {"command": "next"}
            await asyncio.sleep(1)
            assert sum(path == "player" for _, path in asked) == count
        await bus.publish(microphone_online().model_copy(update={"state": "offline", "id": new_id()}))
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await bus.publish(playing(None, state="ready"))


def requests_of(*pages: Page) -> list[tuple[Page, str]]:
    """What each page asks the gateway to do from now on, by the last part of its address."""
    asked: list[tuple[Page, str]] = []

    def note(page: Page, request: Request) -> None:
        if request.method == "POST":
            asked.append((page, request.url.rpartition("/")[2]))

    for page in pages:
        page.on("request", partial(note, page))
    return asked

"""What a visitor says is done as if touched: only where they have agreed to be heard, and only at their place."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from moodstream.contracts.events import CommandHeard, Song, utc_now
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.voice.log_mel import RATE
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer
from tests.support.page.browser import launch, open_page
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import CAMERA, mood_changed, playing
from tests.support.voices import write_sound

HELP = "You can say: play something happy"
SONG = Song(id="s", title="Song", artist="A", uri="spotify:track:s")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    commands = {"MOODSTREAM_VOICE": "free", "MOODSTREAM_VOICE_COMMANDS": "true", "MOODSTREAM_GOODBYE_S": "2"}
    with embedded_redis() as url, Gateway(url, commands).run() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser with a microphone, in a room in which nobody speaks."""
    path = tmp_path_factory.mktemp("sound") / "room.wav"
    write_sound(path, np.asarray(0.001 * np.random.default_rng(3).normal(size=3 * RATE), np.float32))
    async with launch(microphone=path) as browser:
        yield browser


async def say(bus: Bus, command: str, camera_id: str = CAMERA, ago_s: float = 0.0) -> None:
    await bus.publish(CommandHeard(camera_id=camera_id, heard_at=utc_now() - timedelta(seconds=ago_s), command=command))


async def understood(page: Page, phrase: str) -> None:
    await expect(page.locator("#word-to-you")).to_have_text(f"You said: \u2066{phrase}\u2069")


async def test_a_visit_by_voice_from_the_songs_to_the_goodbye(bus: Bus, gateway: Gateway, quiet: Browser) -> None:
    asked: list[str] = []
    async with open_page(quiet, gateway) as page:
        page.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)
        mood, offer = await arrive(bus, page)
        await say(bus, "second")
        await page.locator("#microphone").click()
        await expect(page.locator("#hear")).to_contain_text("Of words, only a few commands are understood.")
        await expect(page.locator("#hear-commands")).to_contain_text(HELP)
        async with page.expect_request("**/consents") as told:
            await page.get_by_role("button", name="Yes, listen").click()
        assert (await told.value).post_data_json == {"choice": "given", "to": "voice"}
        await expect(page.locator("#word-to-you")).to_contain_text(HELP)
        await say(bus, "second", "elsewhere")
        await say(bus, "second", ago_s=10)
        await say(bus, "unheard-of")
        async with page.expect_request("**/picks") as picking:
            await say(bus, "third")
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
            await say(bus, command)
            assert (await serving).body == body
            await understood(page, phrase)
        serving = await answer(bus, "mood.choose")
        await say(bus, "calm")
        assert (await serving).body["mood"] == "calm"
        await understood(page, "play something calm")

        await say(bus, "stop")
        await at_stage(page, "goodbye")
        await expect(page.locator("body[data-hears]")).to_have_count(0)
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await bus.publish(playing(None, state="ready"))


async def test_who_is_not_heard_commands_nothing_and_declining_is_counted(
    bus: Bus, gateway: Gateway, quiet: Browser
) -> None:
    async with open_page(quiet, gateway, path="/?lang=de") as page:
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

"""The microphone of the browser: from the visitor's agreement to sounds that wait for the voice service, to its end."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Iterator

import httpx
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from moodstream.contracts.events import Probabilities, SoundCaptured, Source
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.voice.log_mel import RATE, Floats
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer, captures_of
from tests.support.page.axe import complaints
from tests.support.page.browser import launch, open_page
from tests.support.page.devices import ANSWER_LATER, KEEP_TRACKS, until
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import OFFERED, mood_changed, new_session, offered, voice_heard
from tests.support.voices import babble, write_sound

SAID_S, MARGIN_S = 1.5, 0.4
SENT = "**/api/v1/voices?*"
STATES = "tracks.map((track) => `${track.kind} ${track.readyState}`)"
REFUSE = "(name) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', name); }; }"
WITHOUT_16_KHZ = """() => {
  const Usual = AudioContext;
  window.AudioContext = class extends Usual {
    #rate;
    constructor(options) { super(options); this.#rate = options?.sampleRate; }
    createMediaStreamSource(stream) {
      if (this.#rate) throw new DOMException("another rate", "NotSupportedError");
      return super.createMediaStreamSource(stream);
    }
  };
}"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    heard = {"MOODSTREAM_VOICE": "research", "MOODSTREAM_GOODBYE_S": "2"}
    with embedded_redis() as url, Gateway(url, heard).run() as running:
        yield running


def room(seconds: float) -> Floats:
    return np.asarray(0.001 * np.random.default_rng(3).normal(size=int(seconds * RATE)), np.float32)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def speaking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser before which somebody speaks for a second and a half, then for half a second, again and again."""
    path = tmp_path_factory.mktemp("sound") / "voice.wav"
    write_sound(path, np.concatenate([room(1), 0.3 * babble(SAID_S), room(1), 0.3 * babble(0.5), room(1)]))
    async with launch(microphone=path) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser in a room in which nobody speaks."""
    path = tmp_path_factory.mktemp("sound") / "room.wav"
    write_sound(path, room(3))
    async with launch(microphone=path) as browser:
        yield browser


async def agree(page: Page) -> None:
    """As a visitor does who wants to be heard."""
    if await page.locator("#speak").is_visible():
        await page.locator("#speak").click()
    else:
        await page.locator("#microphone").click()
    await page.get_by_role("button", name="Yes, listen").click()


async def is_lit(page: Page, lit: bool = True) -> None:
    await expect(page.locator("body[data-hears]")).to_have_count(int(lit))
    await expect(page.locator("#hearing")).to_have_text(f"The microphone is {'on' if lit else 'off'}.")


async def sounds_of(bus: Bus, camera_id: str) -> list[bytes]:
    return [one.sound for one in await captures_of(bus, SoundCaptured, camera_id)]


async def test_a_voice_alone_leads_to_songs_and_stop_ends_the_microphone(
    bus: Bus, gateway: Gateway, speaking: Browser
) -> None:
    async with open_page(speaking, gateway) as page:
        await page.evaluate(KEEP_TRACKS)
        await page.locator("#speak").click()
        await expect(page.get_by_role("dialog")).to_contain_text("from the sound of your voice")
        await expect(page.get_by_role("dialog")).to_contain_text("for research, not for business")
        assert await complaints(page) == []
        assert await page.evaluate(STATES) == []  # nothing before the visitor has agreed
        async with page.expect_request(SENT) as sending:
            await page.get_by_role("button", name="Yes, listen").click()
            await is_lit(page)
            await expect(page.locator("#lead")).to_have_text("I am listening")
            await expect(page.get_by_role("button", name="Listening: switch the microphone off")).to_be_visible()
        place = (await sending.value).url.partition("camera_id=")[2]
        assert place.startswith("hand-")
        assert await complaints(page) == []
        async with asyncio.timeout(10):
            while not (sounds := await sounds_of(bus, place)):
                await asyncio.sleep(0.05)
        with wave.open(io.BytesIO(sounds[0])) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            seconds = file.getnframes() / RATE
            loudest = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2")).max()
        assert seconds == pytest.approx(SAID_S + MARGIN_S, abs=0.25)
        assert loudest > 1000

        unsure = voice_heard(place, Mood.UNSURE, new_session())
        await bus.publish(unsure)
        await expect(page.get_by_role("alert")).to_contain_text("no clear mood yet")
        await at_stage(page, "hand")
        mood = voice_heard(place, Mood.SAD, str(unsure.session_id)).model_copy(update={"phase": "update"})
        await bus.publish(mood)
        await bus.publish(offered(mood))
        await expect(page.get_by_role("heading", level=1)).to_have_text("You sound sad")
        await expect(page.locator("#detail")).to_contain_text("Voice: sad")
        await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
        shown = await page.eval_on_selector_all(
            ".sources path", "all => all.filter((arc) => arc.style.opacity === '1').map((arc) => arc.dataset.source)"
        )
        assert shown == ["voice"]
        assert await page.evaluate(STATES) == ["audio live"]
        serving = await answer(bus, "session.end")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await serving
        await is_lit(page, False)
        assert await page.evaluate(STATES) == ["audio ended"]
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end", camera_id=place))
        await at_stage(page, "goodbye")


async def test_in_a_quiet_room_nothing_is_sent_and_one_touch_ends_it(gateway: Gateway, quiet: Browser) -> None:
    async with open_page(quiet, gateway) as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        await page.evaluate(KEEP_TRACKS)
        await agree(page)
        await is_lit(page)
        await asyncio.sleep(4)
        assert [url for url in sent if "voices" in url] == []
        await page.locator("#microphone").click()
        await is_lit(page, False)
        assert await page.evaluate(STATES) == ["audio ended"]
        await at_stage(page, "hand")
        await expect(page.locator("#speak")).to_be_visible()


async def test_the_end_of_a_visit_ends_it_and_the_next_visitor_is_asked_anew(
    bus: Bus, gateway: Gateway, quiet: Browser
) -> None:
    async with open_page(quiet, gateway) as page:
        await page.evaluate(KEEP_TRACKS)
        first, _ = await arrive(bus, page)
        await expect(page.locator("#microphone")).to_have_attribute("aria-pressed", "false")
        await agree(page)
        await is_lit(page)
        await bus.publish(mood_changed(Mood.NOBODY, first.session_id, phase="end"))
        await at_stage(page, "goodbye")
        await is_lit(page, False)
        second, _ = await arrive(bus, page)
        await is_lit(page, False)
        await page.locator("#microphone").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.get_by_role("button", name="No, thank you").click()
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert await page.evaluate(STATES) == ["audio ended"]
        # who is heard keeps a visit open; who is not seen any more is not heard either
        await agree(page)
        await is_lit(page)
        await bus.publish(mood_changed(Mood.HAPPY, second.session_id, faces=0, reason="heartbeat", repeated=True))
        await is_lit(page, False)
        await at_stage(page, "mirror")
        await bus.publish(mood_changed(Mood.NOBODY, second.session_id, phase="end"))
        await at_stage(page, "goodbye")


async def test_a_voice_beside_a_face_is_told_beside_it(bus: Bus, gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        mood, _ = await arrive(bus, page)
        shares = Probabilities(angry=0.1, happy=0.7, sad=0.1, calm=0.1)
        both = tuple(Source(kind=kind, probabilities=shares, weight=1) for kind in ("face", "voice"))
        await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, sources=both))
        await expect(page.locator("#detail")).to_contain_text("Face: happy · Voice: happy")
        await expect(page.get_by_role("heading", level=1)).to_have_text("You look happy")
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await at_stage(page, "goodbye")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, "The microphone was not allowed."),
        ("NotFoundError", "This device has no microphone."),
        ("NotReadableError", "The microphone is in use elsewhere."),
        ("AbortError", "The microphone is in use elsewhere."),
        ("SecurityError", "The microphone cannot be used from here."),
    ],
)
async def test_what_keeps_it_from_listening_is_one_line(
    error: str | None, line: str, gateway: Gateway, chromium: Browser
) -> None:
    async with open_page(chromium, gateway) as page:
        if error is not None:
            await page.evaluate(REFUSE, error)
        await agree(page)
        await expect(page.get_by_role("alert")).to_have_text(f"{line} You can choose your mood yourself.")
        await expect(page.locator("body[data-hears]")).to_have_count(0)
        await at_stage(page, "hand")
        await expect(page.get_by_role("button", name="Choose happy")).to_be_enabled()


async def test_a_permission_that_comes_after_the_visit_opens_nothing(
    bus: Bus, gateway: Gateway, quiet: Browser
) -> None:
    async with open_page(quiet, gateway) as page:
        await page.evaluate(KEEP_TRACKS)
        await page.evaluate(ANSWER_LATER)
        await agree(page)
        await until(page, "'allow' in window")
        serving = await answer(bus, "session.end")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await serving
        await at_stage(page, "goodbye")
        await page.evaluate("allow()")
        await until(page, "tracks.length === 1 && tracks[0].readyState === 'ended'")
        await expect(page.locator("body[data-hears]")).to_have_count(0)


async def test_no_more_than_two_are_on_their_way_and_what_never_arrives_is_said(
    gateway: Gateway, speaking: Browser
) -> None:
    waiting: list[Route] = []
    async with open_page(speaking, gateway, complains=True) as page:
        await page.route(SENT, lambda route: waiting.append(route))
        await agree(page)
        async with asyncio.timeout(30):
            while len(waiting) < 2:
                await asyncio.sleep(0.1)
        await asyncio.sleep(4.5)  # somebody speaks on
        assert len(waiting) == 2
        for route in waiting:
            await route.fulfill(status=503, json={"error": "Redis did not take it"})
        async with asyncio.timeout(30):
            while len(waiting) < 3:
                await asyncio.sleep(0.1)
        await waiting[2].fulfill(status=503, json={"error": "Redis did not take it"})
        await expect(page.get_by_role("alert")).to_have_text(
            "Your voice does not get through. You can choose your mood yourself."
        )
        await is_lit(page, False)


async def test_where_browsers_keep_the_rate_of_the_microphone_it_is_sent_as_it_is(
    gateway: Gateway, speaking: Browser
) -> None:
    async with open_page(speaking, gateway) as page:
        await page.evaluate(WITHOUT_16_KHZ)
        async with page.expect_request(SENT) as sending:
            await agree(page)
        body = (await sending.value).post_data_buffer
        assert body is not None
        with wave.open(io.BytesIO(body)) as file:
            assert file.getframerate() in (44_100, 48_000)
            assert file.getnframes() / file.getframerate() == pytest.approx(SAID_S + MARGIN_S, abs=0.25)


async def test_where_no_voice_is_heard_no_page_asks_and_none_may(gateway: Gateway, chromium: Browser) -> None:
    async with httpx.AsyncClient() as client:
        assert "microphone=(self)" in (await client.get(gateway.url)).headers["permissions-policy"]
        with embedded_redis() as url, Gateway(url).run() as deaf:
            assert "microphone=()" in (await client.get(deaf.url)).headers["permissions-policy"]
            async with open_page(chromium, deaf) as page:
                await expect(page.locator("#by-hand")).to_be_visible()
                await expect(page.locator("#speak")).to_be_hidden()
                await expect(page.locator("#footer")).not_to_contain_text("microphone")
                await page.locator("#by-hand").click()
                await at_stage(page, "hand")
                await expect(page.locator("#speak")).to_be_hidden()
                await expect(page.locator("#microphone")).to_be_hidden()

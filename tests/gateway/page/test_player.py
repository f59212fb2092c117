"""What the page plays where it is the output itself, in Chromium."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import JsonValue

from moodstream.contracts.events import ReplyGiven, RequestMade, Song
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import REPLIES, Gateway, answer
from tests.support.page.browser import open_page
from tests.support.page.devices import until
from tests.support.page.fits import faults
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import SIMILAR, mood_changed, new_session, picked, playing, ranked
from tests.support.servers.mpd_server import tone

LOUDNESS = """async ([valence, arousal]) => {
  let seed = 1;  // the same notes each time: what is drawn at random decides the sound of a few seconds
  Math.random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const { House } = await import("/static/house.js");
  const context = new AudioContext();
  const meter = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0.8 });
  const house = new House(context, meter);
  house.mood(valence, arousal);
  house.start(1);
  let loud = 0, weight = 0, sum = 0;
  for (let look = 0; look < 40; look++) {
    await new Promise((done) => setTimeout(done, 100));
    const wave = new Float32Array(meter.fftSize);
    meter.getFloatTimeDomainData(wave);
    loud = Math.max(loud, ...wave.map(Math.abs));
    const spectrum = new Float32Array(meter.frequencyBinCount);
    meter.getFloatFrequencyData(spectrum);
    spectrum.forEach((level, bin) => {
      const power = 10 ** (level / 10);
      weight += power;
      sum += power * bin * context.sampleRate / meter.fftSize;
    });
  }
  house.stop();
  await new Promise((done) => setTimeout(done, 3000));
  const wave = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(wave);
  const after = Math.max(...wave.map(Math.abs));
  await context.close();
  return { loud, after, centre: sum / weight, ...house.now };
}"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    music = tmp_path_factory.mktemp("music")
    tone(music / "some folder" / "häppy & short.wav", seconds=1.5)
    tone(music / "long.wav", seconds=900)
    tone(music / "other.wav", seconds=30)
    (music / "long.jpg").write_bytes(cv2.imencode(".jpg", np.full((60, 60, 3), 90, np.uint8))[1].tobytes())
    (music / "other.jpg").write_bytes(b"\xff\xd8\xff" + bytes(50_000_000))
    (music / "secret.txt").write_text("not a sound")
    settings = {"MOODSTREAM_MUSIC": str(music), "MOODSTREAM_SPOTIFY_EMBED": "true"}
    with embedded_redis() as url, Gateway(url, settings).run() as running:
        yield running


async def test_a_file_of_the_gateway_plays_and_its_end_is_told(page: Page, bus: Bus) -> None:
    await page.locator("#sentence").click()  # browsers let a page sound only then
    told = await answer(bus, "player.command")
    song = Song(id="f", title="Häppy", artist="A", uri="file:some folder/häppy & short.wav")
    await bus.publish(playing(song))
    await expect(page.locator("#player")).to_have_attribute("data-source", "file")
    await expect(page.locator("#player-message")).not_to_contain_text("Touch")
    assert (await told).body == {"command": "ended", "song": "f"}
    await bus.publish(playing(None, state="ready"))


VOLUMES = "[...document.querySelectorAll('audio')].map((sound) => [sound.paused, sound.volume])"


async def test_a_song_has_its_cover_its_progress_and_fades_into_the_next(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, complains=True) as page:  # a picture of 50 MB is none
        await page.locator("#sentence").click()
        await bus.publish(playing(Song(id="l", title="Long", artist="A", uri="file:long.wav")))
        await expect(page.locator("#sleeve img")).to_have_js_property("naturalWidth", 60)
        await expect(page.locator("#lasts")).to_have_text("15:00")
        await expect(page.locator("#played")).to_have_text(re.compile("0:0[2-9]"))
        assert sorted(await page.evaluate(VOLUMES)) == [[False, 1], [True, 0]]
        await bus.publish(playing(Song(id="o", title="Other", artist="A", uri="file:other.wav")))
        await until(page, f"{VOLUMES}.every(([paused, volume]) => !paused && volume > 0 && volume < 1)")
        await until(page, f"{VOLUMES}.every(([paused, volume]) => paused === (volume === 0))")
        await expect(page.locator("#sleeve img")).to_have_count(0)
        await expect(page.locator("#sleeve svg")).to_be_visible()
        await bus.publish(playing(None, state="ready"))
        await until(page, f"{VOLUMES}.every(([paused]) => paused)")


async def test_a_file_that_vanishes_while_it_plays_makes_room_for_the_next(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    file = Path(gateway.settings["MOODSTREAM_MUSIC"], "long.wav")
    async with open_page(chromium, gateway, complains=True) as page:
        await page.locator("#sentence").click()
        await bus.publish(playing(Song(id="v", title="Vanishing", artist="A", uri="file:long.wav")))
        await expect(page.locator("#played")).to_have_text(re.compile("0:0[1-9]"))
        told = await answer(bus, "player.command")
        await asyncio.to_thread(file.unlink)
        await page.evaluate("document.querySelectorAll('audio').forEach((sound) => { sound.currentTime = 700; })")
        assert (await told).body == {"command": "ended", "song": "v"}
        await expect(page.locator("#player")).to_have_attribute("data-source", "house")  # until the next song comes
        await bus.publish(playing(state="ready"))


async def test_a_ranked_song_that_is_touched_plays_now_and_the_others_after_it(page: Page, bus: Bus) -> None:
    start, offer = await arrive(bus, page)
    await bus.publish(ranked(picked(offer)))
    await bus.publish(playing(output="mpd"))
    rows = page.locator("#ranking .row")
    await expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    await expect(rows.nth(0).locator(".turn")).to_have_text("playing")
    asked = asyncio.create_task(answer_all(bus, 2))
    await asyncio.sleep(0.2)
    await rows.nth(2).click()
    queue, following = await asked
    assert (queue["command"], following["command"]) == ("queue", "next")
    assert isinstance(queue["song"], dict)
    assert queue["song"]["id"] == SIMILAR[2].id
    await bus.publish(playing(SIMILAR[2], output="mpd"))
    await expect(rows.nth(2)).to_have_attribute("aria-current", "true")
    await expect(page.locator("#ranking [aria-current]")).to_have_count(1)
    await expect(page.locator("#player-why")).to_have_text("Same drive, tempo, and sound, and alike in all else")
    widths = [
        await row.evaluate("bar => bar.style.getPropertyValue('--share')") for row in await rows.locator(".bar").all()
    ]
    assert float(widths[0]) == 1
    assert float(widths[-1]) < 0.2  # bars use their range
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")


async def answer_all(bus: Bus, count: int) -> list[dict[str, JsonValue]]:
    """The bodies of the next commands to the player, each answered."""
    bodies: list[dict[str, JsonValue]] = []
    async with asyncio.timeout(20):
        async for entry in bus.follow({RequestMade: await bus.last_id(RequestMade)}, block_ms=100):
            if entry and isinstance(entry[1], RequestMade) and entry[1].kind == "player.command":
                request = entry[1]
                bodies.append(request.body)
                reply = REPLIES["player.command"]
                await bus.publish(ReplyGiven.following(request, request_id=request.id, result=reply))
            if len(bodies) == count:
                return bodies
    raise AssertionError("too few commands")


async def test_mute_and_sound_again_leave_the_volume_as_it_was(page: Page, bus: Bus) -> None:
    start, _ = await arrive(bus, page)
    for volume, percent in ((70, 0), (0, 70)):
        await bus.publish(playing(output="mpd", volume=volume))
        await expect(page.locator("#volume")).to_have_js_property("value", str(volume))
        asked = await answer(bus, "player.command")
        await page.get_by_role("button", name="Mute").click()
        assert (await asked).body == {"command": "volume", "percent": percent}
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")


ODD = ("x" * 500, "أغنية " * 60, "🎵👩‍👩‍👧‍👦 " * 80)


async def test_names_of_any_length_and_script_fit_and_can_be_taken_along(page: Page, bus: Bus) -> None:
    start, _ = await arrive(bus, page)
    for number, title in enumerate(ODD):
        song = Song(id=f"odd-{number}", title=title, artist=title)
        await bus.publish(playing(song, output="mpd"))
        await expect(page.locator("#player-song span")).to_have_text(title.strip())
        assert await faults(page, (800, 480)) == []
        code = await page.locator("#taken img").evaluate("picture => picture.src")
        drawn = await page.request.get(code)
        assert (drawn.status, drawn.headers["content-type"]) == (200, "image/svg+xml")
    await bus.publish(playing(output="mpd"))
    await page.get_by_role("button", name="Take it along").click()
    await expect(page.locator("#taken img")).to_have_js_property("complete", True)
    shot = cv2.imdecode(np.frombuffer(await page.locator("#taken img").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert shot is not None
    assert cv2.QRCodeDetector().detectAndDecode(shot)[0] == f"https://open.spotify.com/track/{SIMILAR[0].id}"
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")


async def test_a_file_that_is_not_there_gives_way_to_the_house(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        await bus.publish(playing(Song(id="g", title="Gone", artist="A", uri="file:gone.wav")))
        await expect(page.locator("#player")).to_have_attribute("data-source", "house")
        await bus.publish(playing(state="ready", message="nothing"))
        await expect(page.locator("#player")).to_have_attribute("data-source", "none")


async def test_a_browser_that_forbids_sound_asks_for_a_touch(page: Page, bus: Bus) -> None:
    await bus.publish(playing(Song(id="t", title="T", artist="A", uri="file:other.wav")))
    await expect(page.locator("#player")).to_have_attribute("data-source", "file")
    await expect(page.locator("#player-message")).to_have_text("Touch the page to hear it.")
    await page.locator("#sentence").click()
    await expect(page.locator("#player-message")).to_have_text("")
    await until(page, f"{VOLUMES}.some(([paused, volume]) => !paused && volume === 1)")
    await bus.publish(playing(None, state="ready"))


async def test_the_house_plays_what_has_no_address_and_follows_the_mood(page: Page, bus: Bus) -> None:
    await bus.publish(playing(Song(id="n", title="Nameless", artist="A")))
    player = page.locator("#player")
    await expect(player).to_have_attribute("data-source", "house")
    await expect(page.locator("#player-message")).to_contain_text("Touch the page to hear it.")
    await page.locator("#sentence").click()
    await expect(page.locator("#player-message")).not_to_contain_text("Touch the page")
    heard = []
    for mood in (Mood.SAD, Mood.HAPPY):
        start, _ = await arrive(bus, page, mood_changed(mood, new_session(), phase="start"))
        await expect(page.locator("#word")).to_have_text(str(mood))
        heard.append((await player.get_attribute("data-house") or "").split())
        await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
        await at_stage(page, "goodbye")
    (dark, slow, dull), (bright, fast, clear) = heard
    assert (dark, bright) == ("aeolian", "ionian")
    assert int(slow) < int(fast)
    assert int(dull) < int(clear)
    await bus.publish(playing(Song(id="n", title="Nameless", artist="A"), state="paused"))
    await expect(player).to_have_attribute("data-source", "none")


async def test_the_page_of_a_venue_shows_no_music_service(page: Page, bus: Bus) -> None:
    await bus.publish(playing(output="house"))
    await expect(page.locator("#player")).to_have_attribute("data-source", "house")
    await expect(page.locator("#embed iframe")).to_have_count(0)
    await bus.publish(playing(output="browser"))
    await expect(page.locator("#embed iframe")).to_have_count(1)
    await page.evaluate("Object.defineProperty(navigator, 'onLine', { value: false })")
    await bus.publish(playing(output="browser", message="again"))
    await expect(page.locator("#embed iframe")).to_have_count(0)
    await expect(page.locator("#player")).to_have_attribute("data-source", "house")


async def test_made_music_keeps_to_the_length_of_the_song(page: Page, bus: Bus) -> None:
    told = await answer(bus, "player.command")
    await bus.publish(playing(Song(id="short", title="Short", artist="A", duration_ms=1_500)))
    await expect(page.locator("#player")).to_have_attribute("data-source", "house")
    assert (await told).body == {"command": "ended", "song": "short"}
    await bus.publish(playing(None, state="ready"))  # else the next page plays it, too


async def test_the_house_sounds_brighter_for_pleasant_and_lively_moods(page: Page) -> None:
    await page.locator("#sentence").click()
    dark = await page.evaluate(LOUDNESS, [-0.8, -0.7])
    bright = await page.evaluate(LOUDNESS, [0.8, 0.7])
    assert dark["loud"] > 0.01
    assert bright["loud"] > 0.01
    assert bright["centre"] > 1.3 * dark["centre"]
    assert (dark["mode"], bright["mode"]) == ("phrygian", "lydian")
    assert dark["bpm"] < bright["bpm"]
    assert 1.3 * dark["brightnessHz"] < bright["brightnessHz"]
    assert max(dark["after"], bright["after"]) < 0.01
    assert max(dark["loud"], bright["loud"]) <= 1


async def test_the_buttons_of_the_player(page: Page, bus: Bus) -> None:
    start, _ = await arrive(bus, page)
    steps = (("paused", "Go on", "resume"), ("playing", "Pause", "pause"), ("playing", "Skip", "next"))
    for state, button, command in steps:
        await bus.publish(playing(state=state, output="mpd"))
        asked = await answer(bus, "player.command")
        await page.get_by_role("button", name=button).click()
        assert (await asked).body == {"command": command}
    await bus.publish(playing(state="no_device", output="mpd"))
    await expect(page.get_by_role("button", name="Skip")).to_be_hidden()
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")


async def test_what_the_player_lacks_is_nothing_for_visitors(page: Page, bus: Bus) -> None:
    start, _ = await arrive(bus, page)
    for state in ("needs_reauthorization", "quota_exceeded", "premium_required", "rate_limited", "signed_out"):
        await bus.publish(playing(state=state, output="spotify", message="Do this."))
        await expect(page.locator("#player")).to_have_attribute("data-state", state)
        await expect(page.locator("#player-state")).to_have_text("The music rests for a moment")
        assert "Do this." not in await page.locator("body").inner_text()
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")
    await expect(page.locator("#player")).to_be_hidden()


async def test_of_the_music_folder_only_sounds_are_served(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        part = await client.get("/music/some%20folder/h%C3%A4ppy%20%26%20short.wav", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"RIFF")
        for path in ("secret.txt", "", "%2e%2e/%2e%2e/etc/passwd", "../x.wav", "no.wav"):
            assert (await client.get(f"/music/{path}")).status_code == 404
        foreign = await client.post("/api/v1/player", json={"command": "pause"}, headers={"Origin": "http://elsewhere"})
        assert foreign.status_code == 403
        assert (await client.post("/api/v1/player", json={"command": "explode"})).status_code == 422

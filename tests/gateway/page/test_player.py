"""What the page plays where it is the output itself, in Chromium."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from moodstream.contracts.events import Song
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer
from tests.support.mpd_server import tone
from tests.support.page.browser import open_page
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import mood_changed, new_session, playing

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


async def test_a_file_that_is_not_there_gives_way_to_the_house(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        await bus.publish(playing(Song(id="g", title="Gone", artist="A", uri="file:gone.wav")))
        await expect(page.locator("#player")).to_have_attribute("data-source", "house")
        await bus.publish(playing(state="ready", message="nothing"))
        await expect(page.locator("#player")).to_have_attribute("data-source", "none")


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

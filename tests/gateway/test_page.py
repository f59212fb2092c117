"""What a visitor sees and does, in Chromium."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from shared.bus import Bus
from shared.circumplex import Mood
from shared.events import Song, SongPicked, utc_now
from tests.gateway.browsing import launch, open_page
from tests.gateway.running import Gateway, answer, connected_bus
from tests.gateway.scenes import (
    CAMERA,
    OFFERED,
    SIMILAR,
    camera_online,
    mood_changed,
    new_session,
    offered,
    picked,
    playing,
    ranked,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launch() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def bus(gateway: Gateway) -> AsyncIterator[Bus]:
    async with connected_bus(gateway.redis_url) as bus:
        yield bus


@pytest_asyncio.fixture(loop_scope="module")
async def page(gateway: Gateway, chromium: Browser) -> AsyncIterator[Page]:
    async with open_page(chromium, gateway) as page:
        yield page


async def sentence(page: Page, text: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)


async def picked_after(bus: Bus, start: str) -> SongPicked:
    async with asyncio.timeout(5):
        async for entry in bus.follow({SongPicked: start}, block_ms=100):
            if entry and isinstance(entry[1], SongPicked):
                return entry[1]
    raise AssertionError("nothing was picked")


async def test_before_anybody_comes_it_invites_and_says_what_the_camera_does(page: Page, bus: Bus) -> None:
    await bus.publish(camera_online())
    await sentence(page, "Nobody here yet Step closer")
    await expect(page.get_by_text("no picture is kept, nobody is recognised")).to_be_visible()
    await expect(page.locator("#status")).to_have_text("Camera: drawn face (no webcam found)")
    await expect(page.get_by_role("button", name="Choose happy")).to_be_visible()


async def test_a_visit_from_the_mood_to_the_music(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood)
    await bus.publish(mood)
    await bus.publish(offer)
    await sentence(page, "You look happy")
    await expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "82")
    for name, share in (("angry", 4), ("happy", 82), ("sad", 5), ("calm", 9)):
        await expect(page.get_by_role("button", name=f"Choose {name}, now {share} percent")).to_be_visible()
    cards = page.locator("#cards button")
    await expect(cards).to_have_count(5)
    for song in OFFERED:
        card = page.get_by_role("button", name=song.title)
        await expect(card).to_contain_text(song.artist)

    start = await bus.last_id(SongPicked)
    await page.get_by_role("button", name=OFFERED[1].title).click()
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[1].title}")
    pick = await picked_after(bus, start)
    assert (pick.offer_id, pick.song_id, pick.by) == (offer.id, OFFERED[1].id, "visitor")

    await bus.publish(ranked(pick))
    await bus.publish(playing())
    await expect(page.locator("#songs-title")).to_have_text(f"Near to {OFFERED[1].title}")
    rows = page.locator("#ranking li")
    await expect(rows).to_have_count(6)
    await expect(rows.first).to_contain_text(SIMILAR[0].title)
    await expect(rows.first).to_contain_text("97 %")
    await expect(rows.first).to_contain_text("As bright and nearly as fast, by an artist you saw here.")
    await expect(page.locator("#player-state")).to_have_text("Now playing")
    await expect(page.locator("#player-song")).to_have_text(f"{SIMILAR[0].title} · {SIMILAR[0].artist}")
    await expect(page.locator("#embed iframe")).to_have_attribute(
        "src", f"https://open.spotify.com/embed/track/{SIMILAR[0].id}"
    )

    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    await sentence(page, "Nobody here yet Step closer")
    await expect(rows).to_have_count(0)


async def test_it_can_be_used_with_the_keyboard_alone(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.CALM, new_session(), phase="start")
    offer = offered(mood)
    await bus.publish(mood)
    await bus.publish(offer)
    await expect(page.locator("#cards button")).to_have_count(5)
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.dataset.song") == OFFERED[2].id:
            break
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    await page.keyboard.press("Enter")
    await expect(page.locator("#songs-title")).to_be_focused()
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[2].title}")


async def test_it_is_honest_when_it_does_not_know(page: Page, bus: Bus) -> None:
    session_id = new_session()
    await bus.publish(mood_changed(Mood.UNSURE, session_id, phase="start"))
    await sentence(page, "For now not sure")
    await expect(page.get_by_role("meter")).to_be_hidden()
    await bus.publish(mood_changed(Mood.HAPPY, session_id, faces=3))
    await expect(page.locator("#detail")).to_have_text("82 % sure · 3 faces are seen; the nearest one counts.")


async def test_what_was_chosen_is_not_said_to_be_seen(page: Page, bus: Bus) -> None:
    session_id = new_session()
    chosen = mood_changed(Mood.ANGRY, session_id, confidence=1.0, phase="start", reason="forced")
    repeated = mood_changed(Mood.ANGRY, session_id, confidence=1.0, reason="heartbeat", since=chosen.since, faces=2)
    for event in (chosen, repeated):
        await bus.publish(event)
        await sentence(page, "You chose angry")
        await expect(page.get_by_role("meter")).to_be_hidden()
    await expect(page.locator("#detail")).to_have_text("2 faces are seen; the nearest one counts.")
    await bus.publish(mood_changed(Mood.ANGRY, session_id, confidence=0.6, reason="heartbeat", since=chosen.since))
    await sentence(page, "You look angry")
    await expect(page.get_by_role("meter")).to_be_visible()


async def test_a_camera_that_falls_silent_is_not_taken_for_a_mood(page: Page, bus: Bus) -> None:
    soon = utc_now() - timedelta(seconds=3)
    await bus.publish(mood_changed(Mood.SAD, new_session(), phase="start", expires_at=soon))
    await sentence(page, "You look sad")
    await sentence(page, "The camera is silent Step closer")


async def test_a_mood_chosen_by_hand_is_asked_for(page: Page, bus: Bus) -> None:
    serving = await answer(bus, "mood.choose")
    await page.get_by_role("button", name="Choose calm").click()
    assert (await serving).body == {"mood": "calm", "camera_id": CAMERA}
    await expect(page.get_by_role("alert")).to_have_text("Calm it is.")


async def test_stop_ends_the_visit(page: Page, bus: Bus) -> None:
    serving = await answer(bus, "session.end")
    await page.get_by_role("button", name="Stop", exact=True).click()
    assert (await serving).body == {"camera_id": CAMERA}
    await expect(page.get_by_role("alert")).to_have_text("Stopped. This visit is forgotten.")


async def test_what_fails_is_said_in_one_line(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        await page.get_by_role("button", name="Choose calm").click()
        await expect(page.get_by_role("alert")).to_have_text(
            "That did not work: nobody answered mood.choose within a second"
        )


async def test_songs_that_waited_too_long_can_be_asked_for_anew(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    await bus.publish(mood)
    await bus.publish(offered(mood, expires_at=utc_now() + timedelta(seconds=1)))
    await expect(page.locator("#cards button")).to_have_count(5)
    await expect(page.locator("#songs-title")).to_have_text("This offer has ended")
    serving = [await answer(bus, kind) for kind in ("session.end", "mood.choose")]
    await page.get_by_role("button", name="New songs").click()
    assert [(await each).body for each in serving] == [{"camera_id": CAMERA}, {"mood": "happy", "camera_id": CAMERA}]


async def test_without_network_it_says_that_it_cannot_play(page: Page, bus: Bus) -> None:
    await bus.publish(playing())
    await expect(page.locator("#embed iframe")).to_have_count(1)
    await page.evaluate("Object.defineProperty(navigator, 'onLine', { value: false })")
    await expect(page.locator("#player-message")).to_contain_text(
        "There is no network, so this page cannot play the song. You hear the house’s own music."
    )
    await expect(page.locator("#player-song")).to_have_text(f"{SIMILAR[0].title} · {SIMILAR[0].artist}")
    await expect(page.locator("#embed iframe")).to_have_count(0)


async def test_what_the_player_needs_is_shown(page: Page, bus: Bus) -> None:
    await bus.publish(playing(SIMILAR[1].model_copy(update={"uri": None}), message="Import songs with addresses."))
    await expect(page.locator("#player-message")).to_have_text(
        "This song has no address to play it from. You hear the house’s own music. "
        "Touch the page to hear it. Import songs with addresses."
    )
    await bus.publish(playing(state="no_device", output="spotify", message="Open Spotify somewhere near."))
    await expect(page.locator("#player-state")).to_have_text("There is nothing to play on")
    await expect(page.locator("#player-message")).to_have_text("Open Spotify somewhere near.")
    await expect(page.locator("#embed iframe")).to_have_count(0)


async def test_names_of_songs_are_never_code(page: Page, bus: Bus) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    song = Song(id=evil, title=evil, artist=evil, genre=evil, uri=f'spotify:track:1" onload="{evil}')
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood, songs=(song, *OFFERED[1:]))
    for event in (mood, offer, playing(song, message=evil), camera_online(evil)):
        await bus.publish(event)
    await expect(page.locator("#cards button").first).to_contain_text(evil)
    await expect(page.locator("#status")).to_have_text(f"Camera: {evil}")
    assert await page.locator("img, iframe").count() == 0
    assert await page.title() == "Moodstream"


async def test_it_heals_when_the_gateway_comes_back(gateway: Gateway, bus: Bus, chromium: Browser) -> None:
    session_id = new_session()
    async with open_page(chromium, gateway, complains=True) as page:
        await bus.publish(camera_online())
        await bus.publish(mood_changed(Mood.HAPPY, session_id, phase="start"))
        await sentence(page, "You look happy")
        gateway.stop()
        await expect(page.locator("#status")).to_have_text("Connection lost. Trying again …")
        await bus.publish(mood_changed(Mood.SAD, session_id))
        gateway.start()
        await sentence(page, "You look sad")
        await expect(page.locator("#status")).to_have_text("Camera: drawn face (no webcam found)")
        await bus.publish(mood_changed(Mood.CALM, session_id))
        await sentence(page, "You look calm")


async def test_it_heals_when_the_network_comes_back(gateway: Gateway, bus: Bus, chromium: Browser) -> None:
    session_id = new_session()
    async with open_page(chromium, gateway, complains=True) as page:
        await bus.publish(mood_changed(Mood.HAPPY, session_id, phase="start"))
        await sentence(page, "You look happy")
        await page.context.set_offline(True)
        await expect(page.locator("#status")).to_have_text("Connection lost. Trying again …")
        await bus.publish(mood_changed(Mood.SAD, session_id))
        await page.context.set_offline(False)
        await sentence(page, "You look sad")


async def test_it_heals_when_redis_was_emptied(page: Page, bus: Bus) -> None:
    await bus.publish(mood_changed(Mood.HAPPY, new_session(), phase="start"))
    await sentence(page, "You look happy")
    await bus.redis.flushall()
    await bus.publish(mood_changed(Mood.CALM, new_session(), phase="start"))
    await sentence(page, "You look calm")


async def test_a_pick_of_another_page_shows_here(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood)
    for event in (mood, offer, picked(offer, OFFERED[0].id)):
        await bus.publish(event)
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[0].title}")
    await expect(page.locator("#cards .picked")).to_contain_text(OFFERED[0].title)

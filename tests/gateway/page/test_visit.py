"""What a visitor sees and does, in Chromium."""

import asyncio
from datetime import timedelta

from playwright.async_api import Browser, Locator, Page, expect

from moodstream.contracts.events import FeedbackGiven, MoodChanged, Song, SongPicked, SongsOffered, new_id, utc_now
from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer
from tests.support.page.browser import open_page
from tests.support.page.stages import arrive, at_stage, visit, visit_by_hand
from tests.support.scenes import (
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


async def sentence(page: Page, text: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)


async def picked_after(bus: Bus, start: str) -> SongPicked:
    async with asyncio.timeout(5):
        async for entry in bus.follow({SongPicked: start}, block_ms=100):
            if entry and isinstance(entry[1], SongPicked):
                return entry[1]
    raise AssertionError("nothing was picked")


async def end(bus: Bus, page: Page, mood: MoodChanged) -> None:
    """The visit ends, and the page has seen it."""
    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    await at_stage(page, "goodbye")
    await bus.publish(playing(None, state="ready"))


async def press(page: Page, button: Locator) -> None:
    """Reach it with the tabulator, see that it shows where one is, and press Enter."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await button.evaluate("element => element === document.activeElement"):
            break
    await expect(button).to_be_focused()
    assert await button.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    await page.keyboard.press("Enter")


async def feedback_after(bus: Bus, start: str, count: int) -> list[FeedbackGiven]:
    heard: list[FeedbackGiven] = []
    async with asyncio.timeout(5):
        async for entry in bus.follow({FeedbackGiven: start}, block_ms=100):
            if entry and isinstance(entry[1], FeedbackGiven):
                heard.append(entry[1])
            if len(heard) == count:
                return heard
    raise AssertionError("nothing was said")


async def test_before_anybody_comes_it_invites_and_says_what_the_camera_does(page: Page, bus: Bus) -> None:
    await bus.publish(camera_online("front camera", "live"))
    await sentence(page, "Your face, in songs Step closer")
    await expect(page.locator("#footer")).to_contain_text("No picture is kept, and nobody is recognised")
    await expect(page.locator("#status")).to_have_text("Camera on")
    await bus.publish(camera_online())
    await expect(page.locator("#status")).to_have_text("A drawn face stands in for the camera")
    await bus.publish(camera_online("in other words", "simulated"))
    await expect(page.locator("#status")).to_have_text("Simulated visitors")
    await bus.publish(camera_online("drawn face", "a_code_of_tomorrow"))
    await expect(page.locator("#status")).to_have_text("Camera on")
    await expect(page.get_by_role("button", name="I choose my mood myself")).to_be_visible()


async def test_nothing_of_a_mood_is_shown_before_the_visitor_agrees(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    for event in (mood, offered(mood)):
        await bus.publish(event)
    await sentence(page, "Hello! May I read your mood?")
    for line in ("It is a guess, never a judgement", "It is read on this machine. No", "Stop ends it at any time"):
        await expect(page.get_by_text(line)).to_be_visible()
    await asyncio.sleep(1.2)  # with all that the clock brings
    shown = await page.locator("body").inner_text()
    assert not {"You look", "82%", OFFERED[0].title} & {
        part for part in ("You look", "82%", OFFERED[0].title) if part in shown
    }
    async with page.expect_request("**/consents") as told:
        await page.get_by_role("button", name="Yes, read my mood").click()
    assert (await told.value).post_data_json == {"choice": "given", "by": "touch"}
    await sentence(page, "You look happy")
    await end(bus, page, mood)


async def test_a_visit_from_the_mood_to_the_music(page: Page, bus: Bus) -> None:
    mood, offer = await arrive(bus, page)
    await sentence(page, "You look happy")
    await expect(page.locator("#detail")).to_have_text("82% sure")
    for name, share in (("angry", 4), ("happy", 82), ("sad", 5), ("calm", 9)):
        await expect(page.get_by_role("button", name=f"Choose {name}, now {share}%")).to_be_visible()
    await expect(page.locator("#cards button")).to_have_count(5)
    for song in OFFERED:
        await expect(page.get_by_role("button", name=song.title)).to_contain_text(song.artist)

    lost = {"angry": 0.2, "happy": 0.1, "sad": 0.6, "calm": 0.1}
    await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, 0.1, reason="heartbeat", probabilities=lost))
    await sentence(page, "You looked happy")  # it is only held, and its songs still stand below
    await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, reason="heartbeat"))
    await sentence(page, "You look happy")

    start = await bus.last_id(SongPicked)
    await page.get_by_role("button", name=OFFERED[1].title).click()
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[1].title}")
    pick = await picked_after(bus, start)
    assert (pick.offer_id, pick.song_id, pick.by) == (offer.id, OFFERED[1].id, "visitor")

    await bus.publish(ranked(pick))
    await bus.publish(playing())
    await expect(page.locator("#songs-title")).to_have_text(f"Because you picked {OFFERED[1].title}")
    rows = page.locator("#ranking li")
    await expect(rows).to_have_count(6)
    await expect(rows.first).to_contain_text(SIMILAR[0].title)
    await expect(rows.first).to_contain_text("97%")
    await expect(rows.first).to_contain_text("Same tempo and groove, a little more driving")
    await expect(page.locator("#player-state")).to_have_text("Your song")
    await expect(page.locator("#player-song")).to_have_text(f"{SIMILAR[0].title} · {SIMILAR[0].artist}")

    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    await sentence(page, "Your visit is forgotten. Goodbye")
    await expect(rows).to_have_count(0)
    await sentence(page, "Your face, in songs Step closer")


async def test_a_song_is_liked_skipped_and_others_are_asked_for(page: Page, bus: Bus) -> None:
    mood, offer = await arrive(bus, page)
    await bus.publish(ranked(picked(offer)))
    await bus.publish(playing(output="mpd"))
    start = await bus.last_id(FeedbackGiven)
    await page.get_by_role("button", name="Like", exact=True).click()
    await expect(page.get_by_role("button", name="Like", exact=True)).to_have_attribute("aria-pressed", "true")
    await feedback_after(bus, start, 1)  # the button is pressed at once, and two requests may overtake each other
    asked = await answer(bus, "player.command")
    await page.get_by_role("button", name="Skip").click()
    assert (await asked).body == {"command": "next"}
    said = [(event.kind, event.song_id, event.session_id) for event in await feedback_after(bus, start, 2)]
    assert said == [(kind, SIMILAR[0].id, mood.session_id) for kind in ("like", "skip")]
    asked = await answer(bus, "songs.renew")
    await page.get_by_role("button", name="Other songs").click()
    wanted = {"session_id": mood.session_id, "camera_id": CAMERA, "mood": "happy", "other": True}
    assert (await asked).body == wanted | {"songs": [song.id for song in OFFERED]}
    await sentence(page, "You look happy")  # nobody has chosen it
    await end(bus, page, mood)


async def test_no_thank_you_ends_it_before_it_began(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    await bus.publish(mood)
    await at_stage(page, "ask")
    serving = await answer(bus, "session.end")
    async with page.expect_request("**/consents") as told:
        await page.get_by_role("button", name="No, thank you").click()
    assert (await told.value).post_data_json == {"choice": "declined"}
    assert (await serving).body == {"camera_id": CAMERA}
    await sentence(page, "As you wish. Goodbye")
    await end(bus, page, mood)


async def test_one_touch_stops_everywhere(page: Page, bus: Bus) -> None:
    for wanted in ("ask", "mirror", "listen"):
        async for stage in visit(bus, page):
            if stage == wanted:
                break
        serving = await answer(bus, "session.end")
        await page.get_by_role("button", name="Stop", exact=True).click()
        assert (await serving).body == {"camera_id": CAMERA}
        await sentence(page, "Your visit is forgotten. Goodbye")
        await bus.publish(mood_changed(Mood.NOBODY, None, phase="end"))
    await at_stage(page, "attract")
    await page.get_by_role("button", name="I choose my mood myself").click()
    await page.get_by_role("button", name="Stop", exact=True).click()
    await at_stage(page, "goodbye")


async def test_it_can_be_used_with_the_keyboard_alone(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.CALM, new_session(), phase="start")
    offer = offered(mood)
    for event in (mood, offer):
        await bus.publish(event)
    await at_stage(page, "ask")
    await press(page, page.locator("#agree"))
    await expect(page.locator("#sentence")).to_be_focused()  # what was pressed is gone
    await press(page, page.get_by_role("button", name=OFFERED[2].title))
    await expect(page.locator("#songs-title")).to_be_focused()
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[2].title}")
    await bus.publish(ranked(picked(offer, OFFERED[2].id)))
    await bus.publish(playing(output="mpd"))
    await expect(page.locator("#songs-title")).to_have_text(f"Because you picked {OFFERED[2].title}")
    await press(page, page.locator("#like"))
    await expect(page.locator("#like")).to_have_attribute("aria-pressed", "true")
    await press(page, page.locator("#language"))
    await press(page, page.get_by_role("button", name="Deutsch"))
    await sentence(page, "Du wirkst ruhig")
    serving = await answer(bus, "session.end")
    await press(page, page.locator("#stop"))
    assert (await serving).body == {"camera_id": CAMERA}
    await at_stage(page, "goodbye")
    await end(bus, page, mood)


async def test_it_is_honest_when_it_does_not_know(page: Page, bus: Bus) -> None:
    mood, _ = await arrive(bus, page, mood_changed(Mood.UNSURE, new_session(), phase="start"))
    await sentence(page, "I am not sure")
    await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, faces=3))
    await expect(page.locator("#detail")).to_have_text("82% sure · Faces seen: 3. The nearest one counts.")
    await end(bus, page, mood)


async def test_a_wrong_reading_is_put_right_by_the_visitor(page: Page, bus: Bus) -> None:
    mood, _ = await arrive(bus, page)
    start = await bus.last_id(FeedbackGiven)
    serving = await answer(bus, "mood.choose")
    await page.get_by_role("button", name="Choose calm, now 9%").click()
    assert (await serving).body == {"mood": "calm", "camera_id": CAMERA}
    said = (await feedback_after(bus, start, 1))[0]
    assert (said.kind, said.mood) == ("wrong_mood", Mood.HAPPY)
    chosen = mood_changed(Mood.CALM, mood.session_id, confidence=1.0, reason="forced")
    await bus.publish(chosen)
    await sentence(page, "You chose calm")
    await expect(page.locator("#detail")).to_have_text("")
    await expect(page.locator("#songs-title")).to_have_text("Five songs are on their way")  # not the happy ones
    await bus.publish(offered(chosen))
    await expect(page.locator("#songs-detail")).to_have_text("Five songs that sound calm")
    await bus.publish(mood_changed(Mood.CALM, mood.session_id, confidence=0.6, reason="heartbeat", since=chosen.since))
    await sentence(page, "You look calm")
    await end(bus, page, mood)


async def test_a_camera_that_falls_silent_is_not_taken_for_a_mood(page: Page, bus: Bus) -> None:
    soon = utc_now() + timedelta(seconds=1)  # the page waits five seconds more
    mood, _ = await arrive(bus, page, mood_changed(Mood.SAD, new_session(), phase="start", expires_at=soon))
    await sentence(page, "You look sad")
    await sentence(page, "Your visit is forgotten. Goodbye")
    await end(bus, page, mood)


async def test_a_visit_without_a_camera_outlives_the_mood_that_was_chosen(page: Page, bus: Bus) -> None:
    async for stage in visit_by_hand(bus, page):
        if stage == "hand":
            await sentence(page, "Without a camera How do you feel?")
            continue
        await sentence(page, "You chose calm")
        offer = (await bus.newest(SongsOffered, 1))[0]
        assert isinstance(offer, SongsOffered)
        await bus.publish(ranked(picked(offer)))
        await expect(page.locator("#ranking li")).to_have_count(6)
    # its minute is over, and somebody else is before the camera
    other = mood_changed(Mood.ANGRY, new_session(), phase="start")
    await bus.publish(other)
    await asyncio.sleep(1.5)
    await sentence(page, "You chose calm")
    await expect(page.locator("#ranking li")).to_have_count(6)
    serving = await answer(bus, "session.end")
    await page.get_by_role("button", name="Stop", exact=True).click()
    await serving
    await end(bus, page, other)


async def test_what_fails_is_said_without_its_reasons(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        await at_stage(page, "attract")
        await page.get_by_role("button", name="I choose my mood myself").click()
        await page.get_by_role("button", name="Choose calm").click()
        await expect(page.get_by_role("alert")).to_have_text("Not just now. Please try again.")


async def test_songs_that_waited_too_long_are_renewed_quietly_and_can_be_asked_for(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, complains=True) as page:  # a browser logs that nobody has renewed them
        await _wait_too_long(page, bus)


async def _wait_too_long(page: Page, bus: Bus) -> None:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    gone = offered(mood, expires_at=utc_now() - timedelta(seconds=3))
    await bus.publish(mood)
    await bus.publish(gone)
    await at_stage(page, "ask")
    asked = await answer(bus, "songs.renew")
    await page.locator("#agree").click()
    wanted = {"session_id": mood.session_id, "camera_id": CAMERA, "mood": "happy"}
    assert (await asked).body == wanted | {"songs": [song.id for song in OFFERED], "other": False}
    await expect(page.locator("#songs-title")).to_have_text("Five songs are on their way")
    asked = await answer(bus, "songs.renew")
    await bus.publish(gone.model_copy(update={"id": new_id(), "expires_at": utc_now() + timedelta(seconds=7)}))
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    assert (await asked).body["songs"] == [song.id for song in OFFERED]  # the next time before they run out
    await expect(page.locator("#songs-title")).to_have_text("These songs have gone")  # nobody renews them
    asked = await answer(bus, "songs.renew")
    await page.get_by_role("button", name="Other songs").click()
    assert (await asked).body["other"]
    await end(bus, page, mood)


async def test_nobody_is_contacted_for_a_song_unless_the_operator_allows_it(page: Page, bus: Bus) -> None:
    await bus.publish(playing())
    await expect(page.locator("#player-message")).to_contain_text("You hear music made for this mood.")
    await expect(page.locator("#player-song")).to_have_text(f"{SIMILAR[0].title} · {SIMILAR[0].artist}")
    await expect(page.locator("#embed iframe")).to_have_count(0)


async def test_names_of_songs_are_never_code(page: Page, bus: Bus) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    song = Song(id=evil, title=evil, artist=evil, genre=evil, uri=f'spotify:track:1" onload="{evil}')
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood, songs=(song, *OFFERED[1:]))
    for event in (mood, offer, playing(song, message=evil), camera_online(evil)):
        await bus.publish(event)
    await page.locator("#agree").click()
    await expect(page.locator("#cards button").first).to_contain_text(evil)
    await expect(page.locator("#player-song")).to_contain_text(evil)
    own = await page.locator("#along img, #taken img, .brand img").count()  # codes, and the logo
    assert await page.locator("img, iframe").count() == own
    assert await page.title() == "Moodstream"
    await end(bus, page, mood)


async def test_it_heals_when_the_gateway_comes_back(gateway: Gateway, bus: Bus, chromium: Browser) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        await bus.publish(camera_online("front camera", "live"))
        mood, _ = await arrive(bus, page)
        gateway.stop()
        await expect(page.locator("#status")).to_have_text("One moment …")
        await sentence(page, "I am coming back. One moment")
        sad = mood_changed(Mood.SAD, mood.session_id)
        await bus.publish(sad)
        gateway.start()
        await sentence(page, "You looked happy")  # as the songs below it; and who has agreed is not asked again
        await expect(page.locator("#status")).to_have_text("Camera on")
        await bus.publish(offered(sad))
        await sentence(page, "You look sad")
        await end(bus, page, mood)


async def test_it_heals_when_the_network_comes_back(gateway: Gateway, bus: Bus, chromium: Browser) -> None:
    async with open_page(chromium, gateway, complains=True) as page:
        mood, _ = await arrive(bus, page)
        await page.context.set_offline(True)
        await expect(page.locator("#status")).to_have_text("One moment …")
        await bus.publish(mood_changed(Mood.SAD, mood.session_id))
        await page.context.set_offline(False)
        await sentence(page, "You looked happy")
        await end(bus, page, mood)


async def test_it_heals_when_redis_was_emptied(page: Page, bus: Bus) -> None:
    mood, _ = await arrive(bus, page)
    await bus.redis.flushall()
    await bus.publish(mood_changed(Mood.CALM, mood.session_id))
    await sentence(page, "You looked happy")
    await end(bus, page, mood)


async def test_a_pick_of_another_page_shows_here(page: Page, bus: Bus) -> None:
    mood, offer = await arrive(bus, page)
    await bus.publish(picked(offer, OFFERED[0].id))
    await expect(page.locator("#songs-title")).to_have_text(f"You picked {OFFERED[0].title}")
    await expect(page.locator("#cards .picked")).to_contain_text(OFFERED[0].title)
    await end(bus, page, mood)


async def test_two_kiosks_of_one_site_show_two_visits(
    page: Page, gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, path="/?camera=camera-2&lang=de") as other:
        here, _ = await arrive(bus, page)
        start = mood_changed(Mood.SAD, new_session(), phase="start", camera_id="camera-2")
        await bus.publish(start)
        await sentence(other, "Hallo! Darf ich deine Stimmung lesen?")
        await sentence(page, "You look happy")
        await other.locator("#agree").click()
        await sentence(other, "Du wirkst traurig")
        serving = await answer(bus, "session.end")
        await other.get_by_role("button", name="Stopp", exact=True).click()
        assert (await serving).body == {"camera_id": "camera-2"}
        await sentence(page, "You look happy")
        await end(bus, page, here)


async def test_a_camera_that_nobody_has_heard_of_is_named(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    await bus.publish(camera_online())
    async with open_page(chromium, gateway, path="/?camera=camera-7") as page:
        await expect(page.locator("#status")).to_have_text("There is no camera “camera-7” here")


async def test_after_a_stop_the_camera_rests_and_the_page_says_so(page: Page, bus: Bus) -> None:
    resting = camera_online("for 20 s", "resting").model_copy(update={"state": "offline"})
    await bus.publish(resting)
    await expect(page.locator("#detail")).to_have_text("The camera rests for a moment.")
    await expect(page.get_by_role("button", name="Use this device’s camera")).to_be_hidden()
    await bus.publish(camera_online())
    await expect(page.locator("#detail")).to_contain_text("I look at your face")

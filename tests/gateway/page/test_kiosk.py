"""What the operator sets: agreeing by staying, no picking, the timer, the language, opening hours; and many visits."""

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, Route, expect

from moodstream.contracts.events import SongPicked, expiry
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.state.cameras import WITHOUT_CAMERA
from services.gateway.state.opening_hours import DAYS
from tests.support.gateways import Gateway, answer, connected_bus
from tests.support.page.axe import complaints
from tests.support.page.browser import open_page
from tests.support.page.stages import at_stage
from tests.support.page.visits import growth
from tests.support.scenes import OFFERED, mood_changed, new_session, offered, ranked

STAY = {"MOODSTREAM_AUTO": "true", "MOODSTREAM_CONSENT_STAY_S": "8", "MOODSTREAM_LANGUAGE": "es"}
QUICK = {"MOODSTREAM_IDLE_S": "5", "MOODSTREAM_STILL_THERE_S": "3", "MOODSTREAM_REST_AFTER_S": "2"}
SHORT_BYTES = 1_500_000
LATE_S = 1.0


async def late(route: Route) -> None:
    await asyncio.sleep(LATE_S)
    await route.continue_()


async def test_an_installation_needs_no_hand(chromium: Browser) -> None:
    """Who stays after the notice agrees; the song is picked; the language is the operator's."""
    with embedded_redis() as url, Gateway(url, STAY).run() as gateway:
        async with connected_bus(url) as bus, open_page(chromium, gateway) as page:
            await expect(page.locator("#word")).to_have_text("Acércate")
            await page.route("**/messages/en.json", late)  # what the browser asks for arrives after what the site does
            await page.reload()
            await expect(page.locator("#word")).to_have_text("Acércate")
            await asyncio.sleep(2 * LATE_S)
            await expect(page.locator("#word")).to_have_text("Acércate")
            mood = mood_changed(Mood.CALM, new_session(), phase="start")
            offer = offered(mood)
            fields = {"offer_id": offer.id, "song_id": OFFERED[0].id, "mood": offer.mood, "by": "auto"}
            pick = SongPicked.following(offer, expires_at=expiry(SongPicked), **fields)
            for event in (mood, offer, pick):
                await bus.publish(event)
            async with page.expect_request("**/consents") as told:
                await at_stage(page, "ask")
                await expect(page.locator("#detail")).to_contain_text("Quédate")
                await expect(page.locator("#cards button")).to_have_count(0)
                await at_stage(page, "mirror")
            assert (await told.value).post_data_json == {"choice": "given", "by": "stay"}
            await expect(page.locator("#songs-title")).to_have_text(f"Elegida para ti: {OFFERED[0].title}")
            await bus.publish(ranked(pick))
            await at_stage(page, "listen")
            await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
            await at_stage(page, "attract")


async def test_who_says_nothing_is_asked_and_then_forgotten(chromium: Browser) -> None:
    with embedded_redis() as url, Gateway(url, QUICK).run() as gateway:
        async with connected_bus(url) as bus, open_page(chromium, gateway, path="/?lang=de") as page:
            await page.locator("#by-hand").click()
            await at_stage(page, "hand")
            await expect(page.locator("#still")).to_be_visible()
            await page.get_by_role("button", name="Ich bin noch da").click()
            await expect(page.locator("#still")).to_be_hidden()
            await at_stage(page, "hand")
            serving = await answer(bus, "mood.choose")
            await page.locator(".mood[data-mood=calm]").click()
            await serving
            await at_stage(page, "mirror")
            serving = await answer(bus, "session.end")
            await expect(page.locator("#still")).to_be_visible()
            assert str((await serving).body["camera_id"]).startswith(WITHOUT_CAMERA)  # the second stage
            await expect(page.locator("#still")).to_be_hidden()
            await at_stage(page, "attract")
            # nobody comes: it rests, until somebody touches it
            rests = "body[data-rests]"
            await expect(page.locator(rests)).to_have_count(1)
            assert await page.evaluate("document.body.style.getPropertyValue('--aside').endsWith('vw')")
            assert await complaints(page) == []
            await page.keyboard.press("Shift")
            await expect(page.locator(rests)).to_have_count(0)


async def test_outside_the_opening_hours_the_moon_sleeps(chromium: Browser) -> None:
    opens = datetime.now(UTC) + timedelta(days=3)  # at midnight of the browser's time zone, whenever the test runs
    shut = {"MOODSTREAM_OPENING_HOURS": f"{DAYS[opens.weekday()]} 00:00-00:01", "MOODSTREAM_TIME_ZONE": "UTC"}
    with embedded_redis() as url, Gateway(url, shut).run() as gateway:
        async with connected_bus(url) as bus, open_page(chromium, gateway) as page:
            await expect(page.locator("#word")).to_have_text("See you soon")
            await expect(page.locator("#detail")).to_contain_text(f"{opens:%A}")
            await bus.publish(mood_changed(Mood.CALM, new_session(), phase="start"))
            await at_stage(page, "closed")
            await expect(page.get_by_role("button", name="I choose my mood myself")).to_be_hidden()


async def test_visitors_leave_nothing_behind(chromium: Browser) -> None:
    """The short form of ``make page-soak``."""
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_GOODBYE_S": "0"}).run() as gateway:
        async with connected_bus(url) as bus, open_page(chromium, gateway) as page:
            assert await growth(page, bus, visitors=40, warm_up=15) < SHORT_BYTES

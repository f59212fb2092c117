"""A visit, stage after stage: for tests that look at each, and for the pictures of the documentation."""

from collections.abc import AsyncIterator

from playwright.async_api import Frame, Page, expect

from moodstream.contracts.events import MoodChanged, SongsOffered
from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import answer
from tests.support.scenes import OFFERED, camera_online, mood_changed, new_session, offered, picked, playing, ranked


async def at_stage(page: Page | Frame, stage: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-stage", stage)


async def arrive(bus: Bus, page: Page | Frame, mood: MoodChanged | None = None) -> tuple[MoodChanged, SongsOffered]:
    """Somebody comes, agrees, and is shown five songs."""
    start = mood or mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(start)
    await bus.publish(start)
    await at_stage(page, "ask")
    await page.locator("#agree").click()
    await at_stage(page, "mirror")
    await bus.publish(offer)
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    return start, offer


async def visit(bus: Bus, page: Page, mood: Mood = Mood.HAPPY) -> AsyncIterator[str]:
    """The stages of a visit at a camera, each by its name once the page shows it."""
    await bus.publish(camera_online("front camera", "live"))
    await bus.publish(playing(None, state="ready"))
    await at_stage(page, "attract")
    yield "attract"
    start = mood_changed(mood, new_session(), phase="start")
    offer = offered(start)
    await bus.publish(start)
    await bus.publish(offer)
    await at_stage(page, "ask")
    yield "ask"
    await page.locator("#agree").click()
    await at_stage(page, "mirror")
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    yield "mirror"
    await bus.publish(ranked(picked(offer)))
    await bus.publish(playing(output="mpd"))
    await at_stage(page, "listen")
    await expect(page.locator("#like")).to_be_visible()
    yield "listen"
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await bus.publish(playing(None, state="ready"))
    await at_stage(page, "goodbye")
    yield "goodbye"


async def visit_by_hand(bus: Bus, page: Page) -> AsyncIterator[str]:
    """The path without a camera."""
    await bus.publish(camera_online("front camera", "live"))
    await at_stage(page, "attract")
    await page.locator("#by-hand").click()
    await at_stage(page, "hand")
    yield "hand"
    asked = await answer(bus, "mood.choose")
    await page.locator("button.mood[data-mood=calm]").click()
    await asked
    chosen = mood_changed(Mood.CALM, new_session(), confidence=1.0, phase="start", reason="forced")
    await bus.publish(chosen)
    await bus.publish(offered(chosen))
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    yield "chosen"
    await bus.publish(mood_changed(Mood.NOBODY, chosen.session_id, phase="end"))

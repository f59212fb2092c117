"""A visit with all that a page may have to show at once: music from before it, long names, three people."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from playwright.async_api import Page, expect

from moodstream.contracts.events import utc_now
from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import answer
from tests.support.page.stages import at_stage
from tests.support.scenes import (
    OFFERED,
    SIMILAR,
    camera_online,
    microphone_online,
    mood_changed,
    new_session,
    offered,
    picked,
    playing,
    ranked,
)

PATIENT = {
    "MOODSTREAM_IDLE_S": "600",
    "MOODSTREAM_GOODBYE_S": "2",
    "MOODSTREAM_SPOTIFY_EMBED": "true",
    "MOODSTREAM_VOICE": "research",
}
"""Settings of the gateway: who looks at every screen of a stage takes longer than a visitor."""


async def crowded(bus: Bus, page: Page) -> AsyncIterator[str]:
    """Every stage by its name, and what it shows besides, with the player on each and the longest notice."""
    late: dict[str, Any] = {"expires_at": utc_now() + timedelta(minutes=20)}
    await bus.publish(camera_online("front camera", "live"))
    await bus.publish(microphone_online())
    await bus.publish(playing(OFFERED[4], output="mpd"))
    await at_stage(page, "attract")
    await expect(page.locator("#player")).to_be_visible()
    yield "attract"
    start = mood_changed(Mood.HAPPY, new_session(), phase="start", faces=3, **late)
    offer = offered(start, **late)
    for event in (start, offer):
        await bus.publish(event)
    await at_stage(page, "ask")
    yield "ask"
    await page.locator("#agree").evaluate("button => button.click()")
    await at_stage(page, "mirror")
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    yield "mirror"
    await bus.publish(ranked(picked(offer, OFFERED[4].id)))
    await bus.publish(playing(SIMILAR[3], output="mpd"))
    await at_stage(page, "listen")
    yield "listen"
    await bus.publish(playing(SIMILAR[1], output="browser"))
    await expect(page.locator("#embed iframe")).to_have_count(1)
    yield "listen-embed"
    await page.evaluate("Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })")
    await expect(page.locator("#player")).to_have_attribute("data-source", "house")
    yield "listen-house"
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await bus.publish(playing(OFFERED[4], output="mpd"))
    await at_stage(page, "goodbye")
    yield "goodbye"
    await at_stage(page, "attract")
    await page.locator("#by-hand").evaluate("button => button.click()")
    await at_stage(page, "hand")
    yield "hand"
    await page.context.grant_permissions(["microphone"])
    await page.locator("#speak").evaluate("button => button.click()")
    await expect(page.locator("#hear")).to_be_visible()
    yield "question"
    await page.locator("#hear-agree").evaluate("button => button.click()")
    await expect(page.locator("#microphone")).to_have_attribute("aria-pressed", "true")
    yield "listening"
    asked = await answer(bus, "mood.choose")
    await page.locator("button.mood[data-mood=calm]").evaluate("button => button.click()")
    await asked
    chosen = mood_changed(Mood.CALM, new_session(), confidence=1.0, phase="start", reason="forced", **late)
    await bus.publish(chosen)
    await expect(page.locator("#cards .empty")).to_have_count(5)
    yield "waiting"
    await bus.publish(offered(chosen, **late))
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    yield "chosen"
    await bus.publish(mood_changed(Mood.NOBODY, chosen.session_id, phase="end"))
    await bus.publish(playing(None, state="ready"))

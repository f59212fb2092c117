"""A visitor tells how they feel in their own words, in Chromium."""

import asyncio

from playwright.async_api import Page, expect

from moodstream.contracts.events import MoodChanged, Source, WordsRead
from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import answer
from tests.support.page.stages import at_stage
from tests.support.scenes import OFFERED, camera_online, mood_changed, new_session, offered


async def words_after(bus: Bus, start: str) -> WordsRead:
    async with asyncio.timeout(5):
        async for entry in bus.follow({WordsRead: start}, block_ms=100):
            if entry and isinstance(entry[1], WordsRead):
                return entry[1]
    raise AssertionError("no words were read")


async def tell(bus: Bus, page: Page, text: str) -> WordsRead:
    """Write it and press Enter; what was read of it."""
    start = await bus.last_id(WordsRead)
    await page.get_by_label("Or tell me in your own words").fill(text)
    await page.keyboard.press("Enter")
    return await words_after(bus, start)


def heard(words: WordsRead, mood: Mood, session_id: str) -> MoodChanged:
    """What the tracker makes of words where no face is seen."""
    assert words.probabilities is not None
    source = Source(kind="words", probabilities=words.probabilities, weight=1.0)
    return mood_changed(
        mood, session_id, phase="start", camera_id=words.camera_id, faces=0, sources=(source,), before=Mood.NOBODY
    )


async def test_words_lead_to_songs_and_are_gone_from_the_page(page: Page, bus: Bus) -> None:
    await bus.publish(camera_online("front camera", "live"))
    await at_stage(page, "attract")
    await page.locator("#by-hand").click()
    await at_stage(page, "hand")
    words = await tell(bus, page, "I am so sad, I have been crying all day")
    mood = heard(words, Mood.SAD, new_session())
    await bus.publish(mood)
    await bus.publish(offered(mood))
    await expect(page.get_by_role("heading", level=1)).to_have_text("You sound sad")
    await expect(page.locator("#detail")).to_contain_text("Words: sad")
    await expect(page.locator("#cards button")).to_have_count(len(OFFERED))
    shown = await page.eval_on_selector_all(
        ".sources path", "all => all.filter((arc) => arc.style.opacity === '1').map((arc) => arc.dataset.source)"
    )
    assert shown == ["words"]
    await expect(page.locator("#feeling")).to_have_value("")
    serving = await answer(bus, "session.end")
    await page.get_by_role("button", name="Stop", exact=True).click()
    await serving
    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end", camera_id=words.camera_id))
    await at_stage(page, "goodbye")


async def test_words_that_tell_no_mood_leave_the_choice(page: Page, bus: Bus) -> None:
    await bus.publish(camera_online("front camera", "live"))
    await at_stage(page, "attract")
    await page.locator("#by-hand").click()
    await page.get_by_label("Or tell me in your own words").fill("12345")
    await page.locator("#tell button").click()
    await expect(page.locator("#word-to-you")).to_contain_text("I could not read a mood in that")
    await at_stage(page, "hand")
    unsure = heard(await tell(bus, page, "happy and sad"), Mood.UNSURE, new_session())
    await bus.publish(unsure)
    await at_stage(page, "hand")
    again = await tell(bus, page, "I am happy!")
    mood = heard(again, Mood.HAPPY, str(unsure.session_id))
    await bus.publish(mood.model_copy(update={"phase": "update"}))
    await expect(page.get_by_role("heading", level=1)).to_have_text("You sound happy")
    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end", camera_id=again.camera_id))

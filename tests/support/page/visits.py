"""Many visits one after another, and what the page keeps of them."""

from typing import Any

from playwright.async_api import CDPSession, Page, expect

from moodstream.contracts.moods import MOODS, Mood
from shared.bus.connection import Bus
from tests.support.page.stages import at_stage
from tests.support.scenes import camera_online, mood_changed, new_session, offered, picked, playing, ranked


async def growth(page: Page, bus: Bus, visitors: int, warm_up: int) -> int:
    """Bytes by which the page's heap has grown after so many visitors, of whom the first ones only warm it up."""
    devtools = await page.context.new_cdp_session(page)
    await bus.publish(camera_online())
    begun = 0
    for number in range(warm_up + visitors):
        if number == warm_up:
            begun = await heap(devtools)
        await come_and_go(page, bus, number)
    return await heap(devtools) - begun


async def heap(devtools: CDPSession) -> int:
    for _ in range(3):
        await devtools.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = await devtools.send("Runtime.getHeapUsage")
    return int(used["usedSize"])


async def come_and_go(page: Page, bus: Bus, number: int) -> None:
    """Every third one chooses another language, every second one likes a song, every fifth one touches nothing."""
    mood = mood_changed(MOODS[number % 4], new_session(), phase="start")
    offer = offered(mood)
    for event in (mood, offer):
        await bus.publish(event)
    await at_stage(page, "ask")
    if number % 5:
        await page.locator("#agree").evaluate("button => button.click()")
        await at_stage(page, "mirror")
        for confidence in (0.6, 0.9):
            await bus.publish(mood_changed(mood.mood, mood.session_id, confidence=confidence))
        await bus.publish(ranked(picked(offer)))
        await bus.publish(playing(output="mpd"))
        await expect(page.locator("#like")).to_be_visible()
        if number % 2:
            await page.locator("#like").evaluate("button => button.click()")
        if number % 3 == 0:
            await page.locator(f"#languages button:nth-child({1 + number // 3 % 6})").evaluate("it => it.click()")
    await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    await at_stage(page, "attract")  # or the next visitor would be taken for this one
    await expect(page.locator("#ranking li")).to_have_count(0)

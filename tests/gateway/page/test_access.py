"""axe-core finds nothing against WCAG 2.2 AA, at any stage."""

import pytest
from playwright.async_api import Browser, expect

from moodstream.contracts.moods import Mood
from shared.bus.connection import Bus
from tests.support.gateways import Gateway
from tests.support.page.axe import complaints
from tests.support.page.browser import open_page
from tests.support.page.stages import arrive, at_stage, visit, visit_by_hand
from tests.support.scenes import mood_changed

COUNT_WRITES = """() => {
  window.said = 0;
  const everything = { subtree: true, childList: true, characterData: true };
  new MutationObserver((all) => { said += all.length; }).observe(document.querySelector("#sentence"), everything);
}"""


@pytest.mark.parametrize(("language", "mood"), [("en", Mood.ANGRY), ("ar", Mood.CALM)])
async def test_axe_is_content_at_every_stage(
    language: str, mood: Mood, gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, path=f"/?lang={language}") as page:
        async for stage in visit(bus, page, mood):
            assert await complaints(page) == [], stage
        async for stage in visit_by_hand(bus, page):
            assert await complaints(page) == [], stage
        await page.locator("#language").click()
        await expect(page.locator("#languages")).to_be_visible()
        assert await complaints(page) == [], "languages"


async def test_axe_finds_what_is_wrong(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        await expect(page.locator("#word")).to_be_visible()
        # one of its own: the page writes the names of its buttons anew
        await page.evaluate("document.querySelector('main').append(document.createElement('button'))")
        assert "button-name" in {rule for rule, _ in await complaints(page)}


async def test_what_changes_is_told_to_those_who_cannot_see_it(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway) as page:
        mood, _ = await arrive(bus, page)
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_attribute("aria-live", "polite")
        # what is said once is not written again: a live region would speak at every heartbeat
        await page.evaluate(COUNT_WRITES)
        for _ in range(3):
            await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, reason="heartbeat", repeated=True))
        await bus.publish(mood_changed(Mood.HAPPY, mood.session_id, confidence=0.6, reason="heartbeat"))
        await expect(page.locator("#detail")).to_have_text("60% sure")
        assert await page.evaluate("said") == 0
        await bus.publish(mood_changed(Mood.CALM, mood.session_id))
        await expect(heading).to_have_text("You looked happy")
        assert await page.evaluate("said") > 0
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await at_stage(page, "goodbye")

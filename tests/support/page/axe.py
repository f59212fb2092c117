"""What axe-core says of a page."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Frame, Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def complaints(page: Page | Frame) -> list[tuple[str, list[str]]]:
    """(rule, elements that break it) against WCAG 2.2 AA and best practice."""
    found = (await Axe().run(page, options=RULES)).response
    assert len(found["passes"]) > 10  # it has looked
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]

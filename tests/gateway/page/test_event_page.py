"""The page of the events: complete, the same as in docs, and readable without a network."""

from html.parser import HTMLParser
from pathlib import Path

import httpx
from playwright.async_api import Browser

from moodstream.contracts.event_filter import KINDS, RECORDED
from moodstream.contracts.events import EVENTS
from moodstream.contracts.streams import STREAMS
from services.gateway.openapi import EVENT_TYPES
from shared.contracts.access import FOR_EVERYBODY
from shared.contracts.schemas import documents
from tests.support.gateways import Gateway

DOCS = Path(__file__).parents[3] / "docs"


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_event_and_field_is_there_and_nothing_comes_from_elsewhere() -> None:
    text = documents()["events.html"]
    for event in EVENTS:
        part = text[text.index(f'<section id="{event.__name__}">') :].partition("</section>")[0]
        assert f"mood:{STREAMS[event].name}" in part
        assert {name for name in event.model_fields if f"<td><code>{name}</code></td>" not in part} == set()
        assert '"id": "' in part.replace("&quot;", '"')  # the example
    elements = Elements(text).found
    assert {tag for tag, _ in elements} & {"script", "img", "link", "iframe", "object"} == set()
    assert "@import" not in text
    assert "url(" not in text
    ids = {given["id"] for _, given in elements if "id" in given}
    for link in (given["href"] or "" for tag, given in elements if tag == "a"):
        assert link[1:] in ids if link.startswith("#") else (DOCS / link).is_file()


def test_what_is_public_is_the_same_on_every_wire() -> None:
    names = {event.__name__ for event in RECORDED}
    assert names == set(KINDS) == set(EVENT_TYPES) == {event.__name__ for event in FOR_EVERYBODY}


async def test_the_gateway_serves_what_is_committed(client: httpx.AsyncClient) -> None:
    for name in documents():
        reply = await client.get(f"/docs/{name}")
        assert reply.status_code == 200
        assert reply.text == (DOCS / name).read_text()
    assert (await client.get("/docs")).headers["location"] == "docs/events.html"
    for wrong in ("nothing.html", "../pyproject.toml", "%2e%2e/pyproject.toml", "schemas/"):
        assert (await client.get(f"/docs/{wrong}")).status_code == 404


async def test_a_browser_shows_it_with_its_style_also_from_a_file(gateway: Gateway, chromium: Browser) -> None:
    complaints: list[str] = []
    page = await chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    for address in (f"{gateway.url}/docs/events.html", (DOCS / "events.html").as_uri()):
        await page.goto(address)
        assert await page.locator("section").count() >= len(EVENTS)
        assert await page.evaluate("getComputedStyle(document.body).maxWidth") == "992px"
    await page.close()
    assert complaints == []

"""What a browser loads before anybody has touched anything: a kiosk on a slow line shows itself soon."""

from collections import Counter
from collections.abc import Iterator
from typing import get_args
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Response, expect

from services.cli.run.embedded_redis import embedded_redis
from services.gateway.state.kiosk import Language
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page, settle

MAX_BYTES = 150_000
"""of the page, its style, its programs and the words of one language, not compressed; without its font"""
LATER = {"microphone.js", "gate.js", "hearing.js", "camera.js", "house.js"}
"""programs that few visitors want, or none does before the first song"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """With all that a page may offer."""
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_VOICE": "free"}).run() as running:
        yield running


async def first_load(chromium: Browser, gateway: Gateway, language: str) -> list[tuple[str, int]]:
    """Names of the files and their bytes, as they came over the line."""
    answers: list[Response] = []
    async with open_page(chromium, gateway, path="/docs/events.html") as page:
        page.on("response", lambda response: answers.append(response))
        await page.goto(f"{gateway.url}/?lang={language}")
        await expect(page.locator("#speak")).to_be_visible()
        await settle(page)
        return [(urlsplit(answer.url).path[1:] or "index.html", len(await answer.body())) for answer in answers]


@pytest.mark.parametrize("language", get_args(Language))
async def test_a_first_load_is_small_in_every_language(language: str, chromium: Browser, gateway: Gateway) -> None:
    loaded = await first_load(chromium, gateway, language)
    names = [path.rpartition("/")[2] for path, _ in loaded]
    assert {"index.html", "style.css", "app.js", "voice.js", f"{language}.json"} <= set(names)
    assert not LATER & set(names)
    files = [(path, size) for path, size in loaded if not path.startswith("api/")]
    assert [path for path, count in Counter(path for path, _ in files).items() if count > 1] == []
    weight = sum(size for path, size in files if not path.endswith(".ttf"))
    assert weight < MAX_BYTES, loaded

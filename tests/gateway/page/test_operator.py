"""The operator's page in a real browser, over all of Moodstream."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Browser, Page, PdfMargins, Route, expect

from moodstream.contracts.events import StatusChanged
from moodstream.contracts.status_codes import StatusCode
from moodstream.contracts.streams import STREAMS
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.pages import STATIC
from tests.gateway.page.test_words import messages
from tests.support.gateways import Gateway, connected_bus
from tests.support.page.axe import complaints
from tests.support.page.browser import PATIENCE_MS
from tests.support.page.site import TOKEN, Site, site

LIMIT_MS = 30_000
CUT = """() => [...document.querySelectorAll("#chart text")].filter((text) => {
  const [box, all] = [text.getBBox(), text.ownerSVGElement.viewBox.baseVal];
  return box.x < 0 || box.y < 0 || box.x + box.width > all.width || box.y + box.height > all.height;
}).map((text) => text.textContent)"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    learning = {"MOODSTREAM_LEARN": "true", "MOODSTREAM_VOICE": "research"}
    with site(tmp_path_factory.mktemp("site"), "--camera", "pattern:", "--player", "log", **learning) as one:
        yield one


@asynccontextmanager
async def opened(
    browser: Browser, url: str, path: str = "/operator", complains: bool = False, wide: int = 1440
) -> AsyncIterator[Page]:
    """A page with the operator's password; whatever it complains about fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(
        http_credentials={"username": "op", "password": TOKEN}, viewport={"width": wide, "height": 900}
    )
    page = await context.new_page()
    page.set_default_timeout(LIMIT_MS)
    expect.set_options(timeout=LIMIT_MS)
    try:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
        await page.goto(url + path)
        yield page
        assert await context.cookies() == []
    finally:
        expect.set_options(timeout=PATIENCE_MS)
        await context.close()
    assert complains or not complaints, complaints


async def test_it_shows_how_it_stands_and_does_what_is_pressed(whole: Site, chromium: Browser) -> None:
    async with opened(chromium, whole.url) as page, httpx.AsyncClient(base_url=whole.url, timeout=20) as visitor:
        await expect(page.locator("#verdict")).to_have_text("Everything works", timeout=60_000)
        for name in ("camera", "emotion", "recommender", "player", "gateway", "voice"):
            await expect(page.locator("#services tr", has_text=name).locator(".state")).to_have_text("works")
        await expect(page.locator("#voice")).to_contain_text("research and non-commercial use alone")
        camera = page.locator('article[data-camera="camera-1"]')
        await expect(camera).to_contain_text("s ago")
        assert await page.locator("img, video, canvas").count() == 0, "never a picture"

        await camera.get_by_role("button", name="sad").click()
        await expect(camera).to_contain_text("sad (100%)")
        state = (await visitor.get("/api/v1/state")).json()
        assert state["cameras"]["camera-1"]["mood"]["reason"] == "forced"
        await camera.get_by_role("button", name="Restart the visit").click()
        await expect(page.locator("#said")).to_contain_text("ended and forgotten")

        await page.locator("#volume").fill("35")
        await expect(page.locator("#volume-value")).to_have_text("35%")
        await page.get_by_role("button", name="Mute").click()
        await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
        assert (await visitor.get("/api/v1/player")).json()["result"]["volume"] == 0
        await page.get_by_role("button", name="Unmute").click()
        await expect(page.locator("#volume-value")).to_have_text("35%")

        await page.get_by_role("button", name="Close now").click()
        await expect(page.locator("#doors")).to_have_text("Closed: cameras rest")
        await expect(camera).to_contain_text("the site is closed")
        await page.get_by_role("button", name="Go by the hours").click()
        await expect(page.locator("#doors")).to_have_text("Open")
        await expect(page.locator("#verdict")).to_have_text("Everything works")

        await page.get_by_role("button", name="Test now").click()
        await expect(page.locator("#checks li")).to_have_count(5)
        await expect(page.locator('#checks [data-state="false"]')).to_have_count(0)
        await page.get_by_role("button", name="1 hr").click()
        await expect(page.locator("#chart rect").first).to_be_visible()
        assert await page.evaluate(CUT) == []
        await expect(page.locator("#streams tr")).to_have_count(2 + len(STREAMS))  # frames and sounds, too


async def test_a_camera_is_looked_through_while_visitors_are_told_and_stop_ends_it(
    whole: Site, chromium: Browser
) -> None:
    async with opened(chromium, whole.url) as page, opened(chromium, whole.url, "/?lang=en") as visitor:
        assert await visitor.locator("#viewed").is_hidden()
        await page.get_by_role("button", name="Mount this camera").click()
        canvas = page.locator("#view canvas")
        await expect(canvas).to_have_js_property("width", 480)
        await expect(page.locator("#view-state")).to_contain_text("an outline without detail")
        await expect(visitor.locator("#viewed")).to_contain_text("sees an outline")
        await expect(page.locator("#view-figures")).to_contain_text("Best distance")
        await expect(page.locator("#view-faces tr", has_text="Read.").or_(page.get_by_text("no face"))).to_be_visible()
        assert await complaints(page) == []
        await page.locator("#view-stop").click()
        await expect(page.locator("#view-state")).to_have_text("Ended.")
        assert await page.locator("canvas").count() == 0
        await expect(visitor.locator("#viewed")).to_be_hidden()
        async with httpx.AsyncClient(base_url=whole.url, auth=("op", TOKEN), timeout=20) as operator:
            assert (await operator.get("/api/v1/operator/view")).json()["result"] == {"view": None, "picture": None}
            assert "moodstream_view_running 0.0" in (await operator.get("/metrics")).text


async def test_what_the_site_has_learned_is_listed_exported_and_forgotten(whole: Site, chromium: Browser) -> None:
    async with httpx.AsyncClient(base_url=f"{whole.url}/api/v1", timeout=20) as visitor:
        await visitor.post("/moods", json={"mood": "calm"})
        async with asyncio.timeout(30):
            while (offer := (await visitor.get("/state")).json()["cameras"]["camera-1"]["offer"]) is None:
                await asyncio.sleep(0.1)
        songs = offer["songs"]
        for kind, song in (("wrong_mood", songs[0]), ("like", songs[1])):
            said = {"kind": kind, "song_id": song["id"], "mood": "calm"}
            assert (await visitor.post("/feedback", json=said)).status_code == 202
        assert (await visitor.get("/operator/learned")).status_code == 401
        async with asyncio.timeout(20):
            while len(await _learned(visitor)) < 2:
                await asyncio.sleep(0.1)
        async with opened(chromium, whole.url) as page:
            page.on("dialog", lambda dialog: dialog.accept())
            disputed = page.locator("#learned tr").first
            await expect(disputed).to_contain_text(songs[0]["title"])
            assert await disputed.locator("td.number").all_text_contents() == ["0", "0", "0", "1"]
            async with page.expect_download() as download:
                await page.get_by_role("link", name="Export").click()
            exported = json.loads(await asyncio.to_thread((await (await download.value).path()).read_text))
            assert {one["id"] for one in exported["result"]["songs"]} >= {song["id"] for song in songs[:2]}
            await disputed.get_by_role("button", name="Forget").click()
            await expect(page.locator("#said")).to_have_text("Songs forgotten: 1.")
            assert songs[0]["id"] not in {one["id"] for one in await _learned(visitor)}
            await page.get_by_role("button", name="Forget all").click()
            await expect(page.locator("#learned-note")).to_contain_text("Nothing yet")
            assert await _learned(visitor) == []


async def _learned(visitor: httpx.AsyncClient) -> list[dict[str, object]]:
    answer = await visitor.get("/operator/learned", headers={"Authorization": f"Bearer {TOKEN}"})
    songs: list[dict[str, object]] = answer.json()["result"]["songs"]
    return songs


async def test_what_is_pressed_first_is_done_first(whole: Site, chromium: Browser) -> None:
    async def slow_at_first(route: Route) -> None:
        await asyncio.sleep(1.5 if '"percent":40' in (route.request.post_data or "") else 0)
        await route.continue_()

    async with opened(chromium, whole.url) as page, httpx.AsyncClient(base_url=whole.url, timeout=20) as visitor:
        await expect(page.locator("#verdict")).to_have_text("Everything works", timeout=60_000)
        await page.route("**/api/v1/player", slow_at_first)
        await page.locator("#volume").fill("40")
        await page.get_by_role("button", name="Mute").click()
        await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
        await asyncio.sleep(2)
        assert (await visitor.get("/api/v1/player")).json()["result"]["volume"] == 0


async def test_a_lost_line_is_said_and_the_page_comes_back_by_itself(chromium: Browser) -> None:
    own = {"MOODSTREAM_OPERATOR_TOKEN": TOKEN}
    with embedded_redis() as url, Gateway(url, own).run() as gateway:
        async with opened(chromium, gateway.url, complains=True) as page:
            await expect(page.locator("#verdict")).to_contain_text("Needs you: camera, emotion")
            await asyncio.to_thread(gateway.stop)
            await expect(page.locator("#verdict")).to_contain_text("No answer")
            await asyncio.to_thread(gateway.start)
            await expect(page.locator("#verdict")).to_contain_text("Needs you")


def test_the_staff_sheet_quotes_what_there_is() -> None:
    """In bold what is to be pressed, in quotation marks what stands on a screen; what staff may say is a <q>."""
    sheet = (STATIC / "operator" / "staff.html").read_text("utf-8")
    quoted = set(re.findall(r"<b>([^<]+)</b>|“([^”]+)”", sheet))
    assert len(quoted) > 9
    known = "".join(path.read_text("utf-8") for path in (STATIC / "operator").glob("*.*") if path.name != "staff.html")
    for folder in (STATIC, STATIC / "operator"):
        known += (folder / "messages" / "en.json").read_text("utf-8")
    assert {bold or said for bold, said in quoted if (bold or said) not in known} == set()


@pytest.mark.parametrize("name", ["sign", "staff"])
async def test_what_is_printed_fits_on_one_page_in_every_language(whole: Site, chromium: Browser, name: str) -> None:
    async with opened(chromium, whole.url, f"/operator/{name}") as page:
        for language in ("en", "de", "fr", "es", "ja", "ar"):
            assert await page.locator(f'[lang="{language}"]').count() > 0
        assert await page.locator('[lang="ar"][dir="rtl"]').count() == 1
        if name == "sign":  # with all that it may have to say
            await expect(page.locator(".voice")).to_have_count(6)
            await expect(page.locator(".voice").first).to_be_visible()
        assert await pages_printed(page) == {"A4": 1, "Letter": 1}


async def pages_printed(page: Page) -> dict[str, int]:
    margin: PdfMargins = {"top": "12mm", "bottom": "12mm", "left": "12mm", "right": "12mm"}
    papers = ("A4", "Letter")
    return {paper: (await page.pdf(format=paper, margin=margin)).count(b"/Type /Page\n") for paper in papers}


ASKED, ALWAYS = "listens only to those who ask", "listens to everybody"
SOUND, COMMANDS = "the words are not understood", "only a few commands"
SIGNS: list[tuple[dict[str, str], list[str]]] = [
    ({"MOODSTREAM_VOICE": "free"}, [ASKED, SOUND]),
    (
        {"MOODSTREAM_VOICE": "free", "MOODSTREAM_VOICE_COMMANDS": "true", "MOODSTREAM_MICROPHONE": "device"},
        [ALWAYS, COMMANDS],
    ),
    ({"MOODSTREAM_VOICE_COMMANDS": "true", "MOODSTREAM_MICROPHONE": "device"}, []),
]


async def test_the_sign_says_who_is_heard_and_what_is_understood(chromium: Browser) -> None:
    with embedded_redis() as url:
        for heard, said in SIGNS:
            with Gateway(url, {"MOODSTREAM_OPERATOR_TOKEN": TOKEN, **heard}).run() as gateway:
                async with opened(chromium, gateway.url, "/operator/sign") as page:
                    await expect(page.locator("body[data-voice]")).to_have_count(1)
                    shown = await page.locator("section[lang=en]").inner_text()
                    assert [one for one in (ASKED, ALWAYS, SOUND, COMMANDS) if one in shown] == said
                    assert await page.locator("[data-when]:visible").count() == 6 * len(said)
                    assert await pages_printed(page) == {"A4": 1, "Letter": 1}


async def test_the_sign_believes_a_microphone_that_was_heard(chromium: Browser) -> None:
    """The voice service may run on another machine, with settings of its own; also while it rests."""
    own = {"MOODSTREAM_OPERATOR_TOKEN": TOKEN, "MOODSTREAM_VOICE": "free"}
    with embedded_redis() as url, Gateway(url, own).run() as gateway:
        async with connected_bus(url) as bus:
            await bus.publish(
                StatusChanged(service="voice", part="microphone", state="offline", code=StatusCode.CLOSED, reason="")
            )
            async with asyncio.timeout(10), httpx.AsyncClient(base_url=gateway.url) as client:
                while not (await client.get("/api/v1/state")).json()["status"]:
                    await asyncio.sleep(0.05)
        async with opened(chromium, gateway.url, "/operator/sign") as page:
            await expect(page.locator("section[lang=en] [data-when=always]")).to_be_visible()
            await expect(page.locator("section[lang=en] [data-when=asked]")).to_be_hidden()


@pytest.mark.parametrize("name", ["", "/sign", "/staff"])
async def test_axe_is_content(whole: Site, chromium: Browser, name: str) -> None:
    async with opened(chromium, whole.url, f"/operator{name}") as page:
        if not name:
            await expect(page.locator("#services tr")).to_have_count(7)
            await expect(page.locator("#chart svg")).to_be_visible()
        assert await complaints(page) == []


SHOWN = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: place } = walker.currentNode;
    if (data.trim() && place.closest("[lang]").lang === document.documentElement.lang && place.checkVisibility())
      found.push(data.trim());
  }
  return found;
}"""


@pytest.mark.parametrize("language", ["de", "ar"])
async def test_it_speaks_the_language_of_the_browser_on_a_phone(whole: Site, chromium: Browser, language: str) -> None:
    """With the view for mounting; only what a service says stays in English, and is marked as such."""
    words, english = messages(language), messages("en")
    said_in_english = {text for key, text in english.items() if text != words[key]}
    async with opened(chromium, whole.url, f"/operator?lang={language}", wide=390) as page:
        await expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        await expect(page.locator("#verdict")).to_have_text(words["op_works"])
        await expect(page.locator("#consents tr")).to_have_count(7)
        await expect(page.locator("#chart svg")).to_be_visible()
        await page.locator("#test").click()
        await expect(page.locator("#checks li").last).to_contain_text(
            words["op_check_camera"].partition("}")[2].strip()
        )
        await page.locator("[data-view]").click()
        await expect(page.locator("#view-figures")).to_contain_text(words["op_view_best"])
        shown = await page.evaluate(SHOWN)
        assert said_in_english & set(shown) == set()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert await complaints(page) == []
        await page.locator("#view-stop").click()
        await expect(page.locator("#view-state")).to_have_text(words["op_view_ended"])


async def test_a_phone_needs_no_sideways_scrolling(whole: Site, chromium: Browser) -> None:
    async with opened(chromium, whole.url, wide=360) as page:
        await expect(page.locator("#services tr")).to_have_count(7)
        await expect(page.locator("#consents tr")).to_have_count(7)
        await expect(page.locator("#chart svg")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360

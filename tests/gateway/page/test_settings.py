"""What operators set, over all of Moodstream: over HTTP and in a real browser, as owner, as staff and as nobody."""

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.page.axe import complaints
from tests.support.page.browser import PATIENCE_MS
from tests.support.page.site import TOKEN, Site, site

STAFF = "a-token-for-the-staff"
PATH = "/api/v1/operator/settings"
SETTINGS = {
    "MOODSTREAM_STAFF_TOKEN": STAFF,
    "MOODSTREAM_QUIET_VOLUME": "20",
    "MOODSTREAM_DEFAULT_PLAYER": "log",
    "MOODSTREAM_REQUESTS_PER_S": "0",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    own = {**SETTINGS, "MOODSTREAM_SITE_SETTINGS": str(folder / "settings.toml")}
    with site(folder, "--camera", "pattern:", **own) as one:
        yield one


def signed(whole: Site, token: str | None) -> httpx.AsyncClient:
    auth = None if token is None else ("anybody", token)
    return httpx.AsyncClient(base_url=whole.url, auth=auth, timeout=20)


@pytest_asyncio.fixture(loop_scope="session")
async def owner(whole: Site) -> AsyncIterator[httpx.AsyncClient]:
    """With all settings at their defaults, and nothing noted by tests before."""
    async with signed(whole, TOKEN) as client:
        async with asyncio.timeout(60):
            while any(group["fault"] for group in (await read(client))["groups"]):
                await asyncio.sleep(0.3)
        if values := dict.fromkeys(stored(whole)):
            assert (await change(client, values)).status_code == 200
        yield client


def stored(whole: Site) -> dict[str, Any]:
    file = whole.folder / "settings.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


async def read(client: httpx.AsyncClient) -> dict[str, Any]:
    result: dict[str, Any] = (await client.get(PATH)).raise_for_status().json()["result"]
    return result


async def change(client: httpx.AsyncClient, values: dict[str, Any], version: str | None = None) -> httpx.Response:
    version = version or (await read(client))["version"]
    return await client.patch(PATH, json={"values": values}, headers={"If-Match": f'"{version}"'})


async def until(client: httpx.AsyncClient, path: str, holds: Callable[[Any], Any]) -> Any:
    async with asyncio.timeout(20):
        while not holds(found := (await client.get(path)).raise_for_status().json()):
            await asyncio.sleep(0.1)
    return found


async def test_what_is_live_counts_at_once_in_every_service(whole: Site, owner: httpx.AsyncClient) -> None:
    offer = (await owner.get("/api/v1/songs/offer", params={"mood": "calm"})).json()["result"]["songs"]
    artist = offer[0]["artist"]
    values = {
        "language": "fr",
        "policy": "average",
        "volume_max": 30,
        "volume_min": 10,
        "allow": "\n".join(sorted({song["id"] for song in offer[1:]})) + "\n",
        "block": artist,
        "goal": "lift",
    }
    answer = await change(owner, values)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["result"]["version"]}"'
    assert stored(whole) == values
    await until(owner, "/api/v1/state", lambda state: state["kiosk"]["language"] == "fr")
    allowed = {song["id"] for song in offer[1:]}

    def only_allowed(found: Any) -> bool:
        return {song["id"] for song in found["result"]["songs"]} <= allowed

    await until(owner, "/api/v1/songs/offer?mood=calm", only_allowed)
    await owner.post("/api/v1/player", json={"command": "volume", "percent": 90})
    await until(owner, "/api/v1/player", lambda player: player["result"]["volume"] == 30)
    await change(owner, {"volume_max": 25})
    await until(owner, "/api/v1/player", lambda player: player["result"]["volume"] == 25)
    state = await until(
        owner,
        "/api/v1/state",
        lambda state: (state["cameras"]["camera-1"]["mood"] or {}).get("policy") == "average",
    )
    assert state["cameras"]["camera-1"]["mood"]["mood"]
    assert (await change(owner, {"opening_hours": "2026-01-01 closed; mo 00:00-00:01", "time_zone": "UTC"})).is_success
    await until(owner, "/api/v1/status", lambda status: not status["opening"]["open"])
    await change(owner, {"opening_hours": None})
    await until(owner, "/api/v1/status", lambda status: status["opening"]["open"])


async def test_what_no_service_would_start_with_is_refused_and_nothing_is_changed(
    whole: Site, owner: httpx.AsyncClient
) -> None:
    await change(owner, {"volume_min": 40})
    before = (whole.folder / "settings.toml").read_bytes()
    wrong: list[tuple[dict[str, Any], int, str | None, str]] = [
        ({"opening_hours": "monday"}, 422, "opening_hours", "MOODSTREAM_OPENING_HOURS: 'monday' is not of the form"),
        ({"time_zone": "Mars/Olympus"}, 422, "time_zone", "MOODSTREAM_TIME_ZONE: 'Mars/Olympus' is no time zone"),
        ({"seasons": "summer:06-01..08-31"}, 422, "seasons", "MOODSTREAM_SEASONS: 'summer' is none of christmas"),
        ({"quiet_hours": "at night"}, 422, "quiet_hours", "MOODSTREAM_QUIET_HOURS: 'at night' is not of the form"),
        ({"volume_max": 30}, 422, "volume_min", "MOODSTREAM_VOLUME_MIN: is above MOODSTREAM_VOLUME_MAX"),
        ({"volume_max": 101}, 422, "volume_max", "MOODSTREAM_VOLUME_MAX: Input should be less than or equal to 100"),
        ({"goal": {"a": 1}}, 422, "goal", "MOODSTREAM_GOAL: "),
        ({"policy": "all"}, 422, "policy", "MOODSTREAM_POLICY: "),
        ({"genres": "no such genre"}, 422, None, "the filters and lists of songs leave no song to offer"),
        ({"player": "spotify"}, 422, None, "the player spotify needs MOODSTREAM_SPOTIFY_CLIENT_ID"),
        ({"goal": "calm", "redis_url": "redis://elsewhere"}, 422, None, "redis_url: no service has such a setting"),
        ({"quiet_volume": 10}, 409, "quiet_volume", "quiet_volume: MOODSTREAM_QUIET_VOLUME sets it, and overrules"),
    ]
    for values, status, name, line in wrong:
        answer = await change(owner, values)
        assert (answer.status_code, answer.json()["setting"]) == (status, name), answer.text
        assert answer.json()["error"].startswith(line)
        assert "\n" not in answer.json()["error"]
    assert (await owner.patch(PATH, json={"values": {"goal": "calm"}})).status_code == 428
    assert (await owner.patch(PATH, json={"values": {}}, headers={"If-Match": "x"})).status_code == 422
    assert (whole.folder / "settings.toml").read_bytes() == before


async def test_whoever_saves_second_is_told(owner: httpx.AsyncClient, whole: Site) -> None:
    version = (await read(owner))["version"]
    assert (await change(owner, {"goal": "lift"}, version)).status_code == 200
    late = await change(owner, {"goal": "calm"}, version)
    assert (late.status_code, late.json()["error"]) == (
        412,
        "somebody else has changed the settings meanwhile; look at them, then save again",
    )
    assert stored(whole) == {"goal": "lift"}


@pytest.mark.parametrize(
    ("method", "path", "body", "nobody", "staff"),
    [
        ("GET", PATH, None, 401, 200),
        ("PATCH", PATH, {"values": {"goal": "calm"}}, 401, 403),
        ("GET", "/api/v1/operator/audit", None, 401, 403),
        ("GET", "/api/v1/operator/status", None, 401, 200),
        ("GET", "/api/v1/operator/history", None, 401, 200),
        ("GET", "/api/v1/operator/learned", None, 401, 200),
        ("DELETE", "/api/v1/operator/learned", None, 401, 403),
        ("POST", "/api/v1/operator/opening", {"open": None}, 401, 200),
        ("POST", "/api/v1/operator/view", {"camera_id": "camera-1"}, 401, 403),
        ("GET", "/api/v1/operator/view", None, 401, 403),
        ("POST", "/api/v1/operator/block", {"song_id": "no-such-song"}, 401, 409),
        ("POST", "/api/v1/operator/song-mood", {"song_id": "no-such-song", "mood": "sad"}, 401, 403),
        ("GET", "/operator/songs", None, 401, 200),
        ("POST", "/api/v1/player", {"command": "transfer", "device": "x"}, 401, 403),
        ("GET", "/operator", None, 401, 200),
        ("GET", "/operator/settings", None, 401, 200),
        ("GET", "/operator/report", None, 401, 200),
        ("GET", "/api/v1/operator/report", None, 401, 200),
        ("GET", "/api/v1/operator/report.csv", None, 401, 200),
        ("GET", "/operator/staff", None, 401, 200),
    ],
)
async def test_who_may_do_what(
    whole: Site, method: str, path: str, body: dict[str, Any] | None, nobody: int, staff: int
) -> None:
    for token, expected in ((None, nobody), (STAFF, staff), (f"{STAFF}x", 401)):
        async with signed(whole, token) as client:
            answer = await client.request(method, path, json=body, headers={"If-Match": "x"})
            assert answer.status_code in (expected, 429), (token, answer.text)


async def test_staff_block_a_song_and_the_audit_says_who_did_what(whole: Site, owner: httpx.AsyncClient) -> None:
    song = (await owner.get("/api/v1/songs/offer", params={"mood": "sad"})).json()["result"]["songs"][0]
    async with signed(whole, STAFF) as staff:
        for _ in range(2):
            blocked = await staff.post("/api/v1/operator/block", json={"song_id": song["id"]})
            assert blocked.json() == {"result": {"blocked": song["id"]}}, blocked.text
        assert (await staff.post("/api/v1/operator/opening", json={"open": True})).is_success
        assert (await staff.post("/api/v1/operator/opening", json={"open": None})).is_success
        await staff.post("/api/v1/operator/block", json={"song_id": song["id"], "artist": True})
    lines = stored(whole)["block"].splitlines()
    assert lines[0] == f"# {song['title']}, {song['artist']}"
    assert [line for line in lines if not line.startswith("#")] == [song["id"], song["artist"]]
    entries = (await owner.get("/api/v1/operator/audit")).json()["result"]
    assert [(one["role"], one["what"], one["address"]) for one in entries[:4]] == [
        ("staff", "settings", "127.0.0.1"),
        ("staff", "open by the hours", "127.0.0.1"),
        ("staff", "open", "127.0.0.1"),
        ("staff", "settings", "127.0.0.1"),
    ]
    assert STAFF not in json.dumps(entries)


# in a browser


@asynccontextmanager
async def opened(
    browser: Browser,
    whole: Site,
    token: str = TOKEN,
    wide: int = 1440,
    language: str = "en",
    complains: bool = False,
    path: str = "settings",
) -> AsyncIterator[Page]:
    complaints: list[str] = []
    credentials: Any = {"username": "op", "password": token}
    context = await browser.new_context(
        http_credentials=credentials, viewport={"width": wide, "height": 900}, locale=language
    )
    page = await context.new_page()
    expect.set_options(timeout=30_000)
    try:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: None if asked.url.startswith(whole.url) else complaints.append(asked.url))
        await page.goto(f"{whole.url}/operator/{path}")
        await expect(page.locator("#set-goal, #h-span:not(:empty), #h-search:not(:empty)")).to_be_visible()
        yield page
    finally:
        expect.set_options(timeout=PATIENCE_MS)
        await context.close()
    assert complains or not complaints, complaints


async def test_the_owner_uses_every_control(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    texts = {
        "opening_hours": "mo-su 00:00-24:00",
        "time_zone": "Europe/Berlin",
        "seasons": "always",
        "genres": "pop, rock",
        "quiet_hours": "03:00-03:01",
        "allow": "# none\n",
        "block": "Nobody\n",
    }
    chosen = {"goal": "calm", "player": "house", "language": "ar", "policy": "majority", "site_law": "eu"}
    numbers = {"volume_min": "5", "volume_max": "95"}
    async with opened(chromium, whole) as page:
        assert await page.locator("#form :is(input, select, textarea)").count() == 20
        await expect(page.locator("#set-quiet_volume")).to_be_disabled()
        note = page.locator("#note-quiet_volume")
        await expect(note).to_contain_text("MOODSTREAM_QUIET_VOLUME is set outside this page")
        await expect(page.locator("#submit")).to_be_disabled()
        for name, value in {**texts, **numbers}.items():
            await page.locator(f"#set-{name}").fill(value)
        for name, value in chosen.items():
            await page.locator(f"#set-{name}").select_option(value)
        for name in ("explicit", "oddities"):
            await page.locator(f"#set-{name}").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#said")).to_have_text("Saved. Restart Moodstream to apply: Where songs play.")
        await expect(page.locator("#pending")).to_contain_text("Where songs play")
        flags = {"explicit": False, "oddities": True}
        assert stored(whole) == {**texts, **chosen, **flags, "volume_min": 5, "volume_max": 95}
        await expect(page.locator("#audit tr").first).to_contain_text("goal: – → calm")
        await expect(page.locator("#audit tr").first).to_contain_text("owner, 127.0.0.1")
        await page.reload()
        await expect(page.locator("#set-goal")).to_have_value("calm")
        await page.locator("#set-goal").select_option("match")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#said")).to_have_text("Saved. The change is in effect.")
        assert "goal" not in stored(whole), "the default again"


async def test_a_mistake_is_said_beside_what_was_typed(
    whole: Site, owner: httpx.AsyncClient, chromium: Browser
) -> None:
    async with opened(chromium, whole, complains=True, language="de") as page:
        await page.locator("#set-quiet_hours").fill("nachts")
        await page.locator("#set-goal").select_option("lift")
        await page.get_by_role("button", name="Speichern").click()
        await expect(page.locator("#said")).to_contain_text("Nichts wurde geändert: MOODSTREAM_QUIET_HOURS: 'nachts'")
        await expect(page.locator("#set-quiet_hours")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#set-quiet_hours")).to_be_focused()
        await expect(page.locator("#set-goal")).to_have_value("lift")
        assert stored(whole) == {}


async def test_two_owners_save_at_once(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    async with opened(chromium, whole) as first, opened(chromium, whole, complains=True) as second:
        await second.locator("#set-genres").fill("rock")
        await first.locator("#set-goal").select_option("lift")
        await first.get_by_role("button", name="Save").click()
        await expect(first.locator("#said")).to_contain_text("Saved")
        await second.get_by_role("button", name="Save").click()
        await expect(second.locator("#said")).to_contain_text("Someone else saved in the meantime")
        await expect(second.locator("#set-goal")).to_have_value("lift")
        await expect(second.locator("#set-genres")).to_have_value("rock")
        assert stored(whole) == {"goal": "lift"}
        await second.get_by_role("button", name="Save").click()
        await expect(second.locator("#said")).to_contain_text("Saved")
        assert stored(whole) == {"goal": "lift", "genres": "rock"}


async def test_staff_look_and_change_nothing(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    async with opened(chromium, whole, STAFF, complains=True) as page:  # no song waits for its turn
        await expect(page.locator("#staff")).to_have_text("You may look. Only the owner changes settings.")
        assert await page.locator("#form :is(input, select, textarea):enabled").count() == 0
        for hidden in ("#save", "#audit-section"):
            await expect(page.locator(hidden)).to_be_hidden()
        await page.goto(f"{whole.url}/operator")
        await expect(page.locator("#verdict")).to_have_text("Everything works", timeout=60_000)
        await expect(page.get_by_role("button", name="Restart the visit")).to_be_visible()
        await expect(page.get_by_role("button", name="Mount this camera")).to_be_hidden()
        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="happy").click()
        offer = (await until(owner, "/api/v1/state", lambda state: state["cameras"]["camera-1"]["offer"]))["cameras"]
        song = offer["camera-1"]["offer"]["songs"][0]
        await owner.post("/api/v1/player", json={"command": "play", "song": song["id"]})
        await expect(page.locator("#playing")).to_contain_text(song["title"])
        await page.get_by_role("button", name="Never play this again").click()
        await expect(page.locator("#said")).to_have_text(f"{song['title']}, {song['artist']} is not offered any more.")
        assert stored(whole)["block"].splitlines()[-1] == song["id"]


async def test_the_report_as_a_page_and_as_a_table(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    for body in ({"choice": "stopped"}, {"choice": "withdrawn"}, {"choice": "withdrawn"}):
        assert (await owner.post("/api/v1/consents", json=body)).is_success
    path = "/api/v1/operator/report"
    report = (await until(owner, path, lambda report: report["result"]["visits"]))["result"]
    async with opened(chromium, whole, STAFF, path="report") as page:
        await expect(page.locator("#totals div", has_text="Visits").locator("dd")).not_to_have_text("0")
        today = page.locator("#days tr")
        await expect(today).to_have_count(1)
        assert (await today.locator("td").all_text_contents())[-6:-4] == ["1", "2"]
        await page.get_by_role("button", name="Week").click()
        await expect(page.locator("#days tr")).to_have_count(7)
        await expect(page.locator("#after")).to_be_disabled()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Table (CSV)").click()
        table = (await asyncio.to_thread((await (await download.value).path()).read_bytes)).decode("utf-8-sig")
        assert f"consent,{report['first']},withdrawn,2,count" in table.splitlines()
        await page.locator("#before").click()
        await expect(page.locator("#hours tr")).to_have_count(0)
        await expect(page.locator("#songs")).to_have_text("No song was played.")
    for day, status in (("2001-01-01", 404), ("2999-01-01", 404), ("yesterday", 422)):
        refused = await owner.get(path, params={"day": day})
        assert refused.status_code == status
        assert "\n" not in refused.json()["error"]


async def search_warmed(client: httpx.AsyncClient) -> None:
    """The first search makes its index, as does the first one with mistakes: seconds on a busy machine."""
    async with asyncio.timeout(90):
        for text in ("love", "qqqqzzzzxxxx"):
            while not (await client.get("/api/v1/songs/search", params={"text": text})).is_success:
                await asyncio.sleep(0.5)


async def test_a_song_is_found_corrected_and_blocked(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    song = (await owner.get("/api/v1/songs/offer", params={"mood": "sad"})).json()["result"]["songs"][0]
    name = f"{song['title']}, {song['artist']}"
    await search_warmed(owner)
    async with opened(chromium, whole, path="songs") as page:
        page.on("dialog", lambda dialog: dialog.accept())
        await page.locator("#text").fill(name)
        await page.get_by_role("button", name="Search").click()
        row = page.locator("#found tr").filter(has=page.get_by_role("rowheader", name=name, exact=True)).first
        mood = row.get_by_role("combobox")
        await expect(mood).to_have_value("sad")
        await mood.select_option("happy")
        await expect(page.locator("#said")).to_have_text(f"{name} counts as happy from now on.")
        assert stored(whole)["corrected"] == f"# {name}\n{song['id']} happy\n"
        path = f"/api/v1/songs/mood?id={song['id']}"
        found = (await until(owner, path, lambda found: found["result"]["mood"] == "happy"))["result"]
        assert found["valence"] > 0
        await expect(row.locator("circle")).to_have_class("happy")
        await row.get_by_role("button", name="Never offer").click()
        await expect(page.locator("#said")).to_have_text(f"{name} is not offered any more.")
        assert stored(whole)["block"] == f"# {name}\n{song['id']}\n"
        await page.locator("#text").fill("qqqqzzzzxxxx")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#said")).to_have_text("No song is like that.")
    undone = await owner.post("/api/v1/operator/song-mood", json={"song_id": song["id"], "mood": None})
    assert undone.is_success
    assert "corrected" not in stored(whole)
    async with opened(chromium, whole, STAFF, path="songs") as page:
        await page.locator("#text").fill(name)
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#found select").first).to_be_disabled()
        await expect(page.get_by_role("button", name="Never offer").first).to_be_enabled()


@pytest.mark.parametrize("path", ["settings", "report", "songs"])
@pytest.mark.parametrize(("language", "wide"), [("en", 1440), ("ar", 360), ("ja", 360)])
async def test_axe_is_content_and_a_phone_needs_no_sideways_scrolling(
    whole: Site, owner: httpx.AsyncClient, chromium: Browser, language: str, wide: int, path: str
) -> None:
    async with opened(chromium, whole, wide=wide, language=language, path=path) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= wide
        if path == "songs":
            await search_warmed(owner)
            await page.locator("#text").fill("love")
            await page.locator("#search button").click()
            await expect(page.locator("#found tr").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= wide
        assert await complaints(page) == []

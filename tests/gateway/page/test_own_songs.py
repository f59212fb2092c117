"""Songs of one's own, over all of Moodstream: uploads, the import beside it, its end; as owner, staff and nobody."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.music import RATE, sound_file
from tests.support.page.axe import complaints
from tests.support.page.browser import PATIENCE_MS
from tests.support.page.site import TOKEN, Site, site
from tests.support.random_songs import table

STAFF = "a-token-for-the-staff"
PATH = "/api/v1/operator/import"
SONGS = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    own = {
        "MOODSTREAM_STAFF_TOKEN": STAFF,
        "MOODSTREAM_SITE_SETTINGS": str(folder / "settings.toml"),
        "MOODSTREAM_CATALOGUE": str(folder / "catalogue.parquet"),
        "MOODSTREAM_REQUESTS_PER_S": "0",
        "MOODSTREAM_LOG_LEVEL": "ERROR",
    }
    table(30).to_parquet(folder / "catalogue.parquet")
    with site(folder, "--camera", "pattern:", **own) as one:
        yield one


def signed(whole: Site, token: str | None) -> httpx.AsyncClient:
    auth = None if token is None else ("anybody", token)
    return httpx.AsyncClient(base_url=whole.url, auth=auth, timeout=20)


@pytest_asyncio.fixture(loop_scope="session")
async def owner(whole: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with signed(whole, TOKEN) as client:
        await until(client, lambda told: told["import"] and told["import"]["state"] != "running")
        yield client


async def until(client: httpx.AsyncClient, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What the import tells, once it is as expected."""
    async with asyncio.timeout(90):
        while True:
            try:
                told: dict[str, Any] = (await client.get(PATH)).raise_for_status().json()["result"]
                if holds(told):
                    return told
            except httpx.TransportError:
                assert client  # the services are being started again
            await asyncio.sleep(0.1)


def ended(told: dict[str, Any]) -> bool:
    return bool(told["import"]) and told["import"]["state"] != "running" and told["import"]["in_use"]


def music(folder: Path, count: int) -> list[Path]:
    """Songs that are long enough to be offered, each of another tone."""
    time = np.arange(50 * RATE) / RATE
    return [
        sound_file(
            folder / f"{number}.mp3",
            "libmp3lame",
            (0.3 * np.sin(2 * np.pi * 110 * (1 + number) * time) * (1 + np.sign(np.sin(7 * time)))).astype(np.float32),
            title=f"Tone {number}",
            artist="Nobody",
        )
        for number in range(count)
    ]


async def start_of_upload(whole: Site, size: int) -> bytes:
    """How the gateway begins its answer to the head of an upload of so many bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(whole.url).port)
    head = f"PUT {PATH}/table?name=big.csv HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}Content-Length: {size}\r\n\r\n".encode())
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    return line.strip()


async def opened(browser: Browser, whole: Site, token: str = TOKEN, **options: Any) -> Page:
    credentials: Any = {"username": "op", "password": token}
    context = await browser.new_context(http_credentials=credentials, **({"locale": "en"} | options))
    page = await context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{whole.url}/operator/songs")
    await expect(page.locator("#songs-now")).not_to_be_empty()
    return page


async def test_a_table_becomes_the_songs_that_are_offered(
    whole: Site, owner: httpx.AsyncClient, chromium: Browser, tmp_path: Path
) -> None:
    songs = table(SONGS, seed=3).rename(columns={"title": "track_name", "artist": "artists"})
    songs.loc[0, "energy"] = 7
    songs.to_csv(tmp_path / "mine.csv", index=False)
    page = await opened(chromium, whole, viewport={"width": 390, "height": 844})
    await page.set_input_files("#table-file", tmp_path / "mine.csv")
    await expect(page.locator("#import-said")).to_contain_text("Making songs of mine.csv")
    await page.reload()
    await expect(page.locator("#import-said")).to_have_text(f"Done. {SONGS - 1} songs are offered now.", timeout=60_000)
    await expect(page.locator("#songs-now")).to_have_text(f"In use: {SONGS - 1} songs")
    report = page.locator("#report")
    await expect(report).to_contain_text(f"{SONGS - 1} / {SONGS}")
    await expect(report).to_contain_text("energy is not in 0..1")
    await expect(report).to_contain_text("title ← track_name")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await complaints(page) == []
    await page.context.close()
    offered = (await owner.get("/api/v1/songs/offer", params={"mood": "happy"})).json()["result"]["songs"]
    assert {song["id"] for song in offered} <= set(songs["id"])
    audit = (await owner.get("/api/v1/operator/audit")).json()["result"]
    assert [one["what"] for one in audit[:1]] == ["upload table mine.csv"]


async def test_what_is_no_table_changes_nothing_and_is_said_in_one_line(
    whole: Site, owner: httpx.AsyncClient, tmp_path: Path
) -> None:
    before = (whole.folder / "catalogue.parquet").read_bytes()

    async def refused(name: str, data: bytes) -> tuple[int, str]:
        answer = await owner.put(f"{PATH}/table", params={"name": name}, content=data)
        if not answer.is_success:
            return answer.status_code, answer.json()["error"]
        told = (await until(owner, ended))["import"]
        assert told["state"] == "failed", told
        return 200, told["error"]

    assert await refused("a.csv", b"\x89PNG\r\n\x1a\n") == (415, "a.csv is a picture; nothing was changed")
    status, line = await refused("b.csv", b"day,rain\n1,2\n2,3\n")
    assert (status, line.startswith("b.csv: it lacks the columns")) == (200, True)
    assert (await start_of_upload(whole, 2 * 2**30)).startswith(b"HTTP/1.1 413 ")
    short = await owner.put(f"{PATH}/music", params={"name": "x.mp3"}, content=b"no sound")
    assert (short.status_code, short.json()["error"]) == (415, "x.mp3 is no sound; it was not taken")
    for folder in ("music", "/no/such/folder"):
        answer = await owner.post(PATH, json={"source": "folder", "folder": folder})
        line = f"{folder} is no folder of the machine of Moodstream"
        assert (answer.status_code, answer.json()["error"]) == (422, line)
    assert (whole.folder / "catalogue.parquet").read_bytes() == before


async def test_uploaded_music_is_heard_and_the_import_goes_on_after_everything_was_killed(
    whole: Site, owner: httpx.AsyncClient, chromium: Browser, tmp_path: Path
) -> None:
    files = await asyncio.to_thread(music, tmp_path, 2)
    (tmp_path / "notes.mp3").write_text("no sound")
    page = await opened(chromium, whole)
    await page.set_input_files("#music-files", [*files, tmp_path / "notes.mp3"])
    await expect(page.locator("#left")).to_have_text("notes.mp3 is no sound; it was not taken")
    await until(owner, lambda told: told["import"]["state"] == "running")
    os.kill(whole.services, signal.SIGKILL)
    told = await until(owner, lambda told: told["import"] and told["import"]["state"] == "done" and ended(told))
    assert (told["import"]["songs"], told["import"]["report"]["songs"], told["uploaded"]["files"]) == (2, 2, 2)
    await page.reload()
    await expect(page.locator("#import-said")).to_have_text("Done. 2 songs are offered now.")
    await page.fill("#text", "Tone 1")
    await expect(async_found := page.locator("#found tr")).to_have_count(0)
    async with asyncio.timeout(60):
        while not await async_found.count():
            await page.click("#search button")
            await asyncio.sleep(1)
    async with page.expect_response(lambda answer: "/music/" in answer.url) as answer:
        await async_found.get_by_role("button", name="Listen to").first.click()
    assert (await answer.value).status in (200, 206)
    await page.context.close()
    again = await owner.get(f"{PATH}/music")
    assert again.json()["result"] == {file.name: file.stat().st_size for file in files}


async def test_an_import_is_cancelled_and_one_at_a_time(whole: Site, owner: httpx.AsyncClient) -> None:
    before = (whole.folder / "catalogue.parquet").read_bytes()
    assert (await owner.post(PATH, json={"source": "sample"})).is_success
    second = await owner.post(PATH, json={"source": "sample"})
    assert (second.status_code, second.json()["error"]) == (
        409,
        "an import is running already; wait for its end or cancel it",
    )
    assert (await owner.delete(PATH)).is_success
    assert (await until(owner, ended))["import"]["state"] == "cancelled"
    assert (whole.folder / "catalogue.parquet").read_bytes() == before


async def test_uploaded_music_is_deleted_while_a_song_of_it_plays_on(
    whole: Site, owner: httpx.AsyncClient, chromium: Browser, tmp_path: Path
) -> None:
    for file in music(tmp_path, 2):
        sent = await owner.put(f"{PATH}/music", params={"name": file.name}, content=file.read_bytes())
        assert sent.is_success, sent.text
    assert (await owner.post(PATH, json={"source": "music"})).is_success
    await until(owner, ended)
    assert len(await files_offered(owner)) == 2
    plays = (await owner.get("/api/v1/songs/search", params={"text": "Tone 1"})).json()["result"]["found"][0]["song"]
    assert (await owner.post("/api/v1/player", json={"command": "play", "song": plays["id"]})).is_success
    async with asyncio.timeout(20):
        while ((await owner.get("/api/v1/player")).json()["result"]["song"] or {}).get("id") != plays["id"]:
            await asyncio.sleep(0.1)
    page = await opened(chromium, whole)
    await page.locator("#delete-music").click()
    await until(owner, lambda told: ended(told) and not told["uploaded"]["files"])
    await expect(page.locator("#uploaded-row")).to_be_hidden(timeout=20_000)
    await expect(page.locator("#import-said")).to_contain_text("Done.")
    assert await files_offered(owner) == []
    heard, other = (f"/music/{name}.mp3" for name in (1, 0))
    assert (await owner.get(heard, headers={"Range": "bytes=100-199"})).status_code == 206, "it is heard to its end"
    await owner.post("/api/v1/player", json={"command": "stop"})
    async with asyncio.timeout(20):
        while {(await owner.get(path)).status_code for path in (heard, other)} != {404}:
            await asyncio.sleep(0.1)
    assert not list(whole.folder.glob(".leaving-*"))
    again = await owner.delete(f"{PATH}/music")
    assert (again.status_code, again.json()["error"]) == (404, "no music was uploaded")
    assert (await owner.get("/api/v1/songs/offer", params={"mood": "calm"})).is_success, "there are songs all the same"
    await page.context.close()


async def files_offered(owner: httpx.AsyncClient) -> list[str]:
    """Addresses of music files among the songs that a search finds."""
    answer = (await owner.get("/api/v1/songs/search", params={"text": "Tone"})).raise_for_status().json()
    found = [one["song"]["uri"] for one in answer["result"]["found"]]
    return [uri for uri in found if uri.startswith("file:")]


async def test_staff_look_and_nobody_does(whole: Site, owner: httpx.AsyncClient, chromium: Browser) -> None:
    page = await opened(chromium, whole, STAFF)
    await expect(page.locator("#own .owners").first).to_be_hidden()
    await page.context.close()
    for method, path, staff in (
        ("GET", PATH, 200),
        ("POST", PATH, 403),
        ("DELETE", PATH, 403),
        ("PUT", f"{PATH}/table?name=a", 403),
        ("PUT", f"{PATH}/music?name=a", 403),
        ("GET", f"{PATH}/music", 403),
        ("DELETE", f"{PATH}/music", 403),
    ):
        for token, expected in ((None, 401), (STAFF, staff)):
            async with signed(whole, token) as client:
                assert (await client.request(method, path)).status_code == expected, (method, path, token)

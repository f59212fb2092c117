"""The set-up, over all of Moodstream in a real browser: as owner, as staff and as nobody."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.gateway.page.test_operator import pages_printed
from tests.support.page.axe import complaints
from tests.support.page.site import TOKEN, Site, site
from tests.support.pictures import encoded, noise

STAFF = "a-token-for-the-staff"
STEPS = ("place", "camera", "sound", "songs", "language", "sign", "end")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    own = {
        "MOODSTREAM_STAFF_TOKEN": STAFF,
        "MOODSTREAM_SITE_SETTINGS": str(folder / "settings.toml"),
        "MOODSTREAM_QUIET_HOURS": "03:00-03:01",
        "MOODSTREAM_REQUESTS_PER_S": "0",
    }
    with site(folder, "--camera", "pattern:", **own) as one:
        yield one


def stored(whole: Site) -> dict[str, Any]:
    file = whole.folder / "settings.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


@asynccontextmanager
async def opened(
    browser: Browser, whole: Site, token: str = TOKEN, path: str = "setup", wide: int = 1280, language: str = "en"
) -> AsyncIterator[Page]:
    """The page, which must not complain about anything."""
    complaints: list[str] = []
    credentials: Any = {"username": "op", "password": token}
    context = await browser.new_context(
        http_credentials=credentials, viewport={"width": wide, "height": 800}, locale=language
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    try:
        await page.goto(f"{whole.url}/operator/{path}")
        await expect(
            page.locator("[aria-current=step], #operated-by, #text-attract, #versions tr, #totals div")
        ).not_to_have_count(0)
        yield page
    finally:
        await context.close()
    assert not complaints, complaints


async def test_the_owner_goes_through_all_steps_and_may_come_back(whole: Site, chromium: Browser) -> None:
    async with opened(chromium, whole) as page:
        following = page.locator("#next")
        await page.fill("#set-site_name", "Café Ω")
        await page.fill("#set-site_contact", "ask@example.org")
        await page.fill("#set-time_zone", "Europe/Berlin")
        await expect(page.locator("#set-site_law")).not_to_have_value("")
        await page.select_option("#set-site_law", "eu")
        await expect(page.locator("#law-says")).to_contain_text("The AI Act forbids")
        await following.click()
        await expect(page.locator("#said")).to_have_text("Saved. The change is in effect.")
        assert stored(whole) == {
            "site_name": "Café Ω",
            "site_contact": "ask@example.org",
            "time_zone": "Europe/Berlin",
            "site_law": "eu",
        }
        await expect(page.locator("#cameras")).to_contain_text("camera-1: works")
        await page.get_by_role("button", name="Look through it: camera-1").click()
        await expect(page.locator("#view-picture canvas")).to_be_visible()
        await expect(page.locator("#view-faces tr").first).to_be_visible(timeout=60_000)
        await following.click()
        await expect(page.locator("#view-picture")).to_be_hidden()
        await page.get_by_role("button", name="Test this device’s loudspeaker").click()
        await expect(page.locator("#sound-said")).to_have_text("Two notes, the second one higher.")
        await page.get_by_role("button", name="Play a song").click()
        await expect(page.locator("#sound-said")).to_contain_text("The visitors’ page plays it")
        await page.get_by_role("button", name="Stop the song").click()
        await expect(page.locator("#set-quiet_hours")).to_be_disabled()
        await expect(page.locator("#note-quiet_hours")).to_contain_text("MOODSTREAM_QUIET_HOURS is set outside")
        await page.select_option("#set-player", "log")
        await following.click()
        await expect(page.locator("#songs-now")).to_contain_text("songs")
        await page.locator("#back").click()
        await expect(page.locator("#set-player")).to_have_value("log")
        await page.locator("#steps a", has_text="Language").click()
        await page.select_option("#set-language", "de")
        await following.click()
        await expect(page.locator("#sign")).to_be_visible()
        await expect(page.get_by_role("link", name="Open the notice to print")).to_be_visible()
        await following.click()
        await expect(page.locator("#address")).to_have_text(f"{whole.url}/")
        await expect(page.locator("#address-note")).to_contain_text("MOODSTREAM_HOST=0.0.0.0")
        await page.reload()
        await expect(page.locator("#end")).to_be_visible()
        await following.click()
        await expect(page).to_have_url(f"{whole.url}/operator")
    assert stored(whole)["player"] == "log"
    async with opened(chromium, whole) as page:  # it is begun again
        await expect(page.locator("#set-site_law")).to_have_value("eu")
        await expect(page.locator("#law-says")).to_contain_text("The AI Act forbids")
    async with opened(chromium, whole, path="sign") as page:
        await expect(page.locator("#operated-by")).to_have_text("Café Ω · ask@example.org")
        await expect(page.locator(".law:visible")).to_have_count(6)
        assert await pages_printed(page) == {"A4": 1, "Letter": 1}
    async with opened(chromium, whole, path="report") as page:
        await expect(page.locator("#law")).to_contain_text("European Union, EEA, as chosen in the set-up")


async def test_what_a_service_would_not_take_is_said_and_the_step_stays(whole: Site, chromium: Browser) -> None:
    before = stored(whole)
    credentials: Any = {"username": "op", "password": TOKEN}
    context = await chromium.new_context(http_credentials=credentials)
    page = await context.new_page()
    await page.goto(f"{whole.url}/operator/setup")
    await page.fill("#set-opening_hours", "always, please")
    await page.locator("#next").click()
    await expect(page.locator("#said")).to_contain_text("MOODSTREAM_OPENING_HOURS: 'always")
    await expect(page.locator("#set-opening_hours")).to_be_focused()
    await expect(page.locator("#place")).to_be_visible()
    assert stored(whole) == before
    await context.close()


async def test_staff_look_and_nobody_does(whole: Site, chromium: Browser) -> None:
    async with opened(chromium, whole, STAFF) as page:
        await expect(page.locator("#staff")).to_be_visible()
        assert await page.locator("[data-fields] :is(input, select):enabled").count() == 0
        for step in STEPS[1:]:
            await page.locator("#next").click()
            await expect(page.locator(f"#{step}")).to_be_visible()
    async with httpx.AsyncClient(base_url=whole.url) as client:
        for path in ("/operator/setup", "/api/v1/operator/address"):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, auth=("x", STAFF))).is_success


async def test_the_address_is_the_one_by_which_the_owner_came(whole: Site) -> None:
    async with httpx.AsyncClient(base_url=whole.url, auth=("x", TOKEN)) as client:
        headers = {"Host": f"192.168.7.9:{httpx.URL(whole.url).port}"}
        told = (await client.get("/api/v1/operator/address", headers=headers)).json()["result"]
    assert (told["addresses"], told["others"]) == ([f"http://{headers['Host']}/"], True)


async def test_the_place_gets_a_logo_a_colour_and_words_of_its_own(
    whole: Site, chromium: Browser, tmp_path: Path
) -> None:
    (tmp_path / "logo.jpg").write_bytes(encoded(noise(60, 200)))
    (tmp_path / "logo.png").write_text("<html><script>alert(1)</script></html>")
    async with opened(chromium, whole, path="look") as page:
        await page.set_input_files("#file", tmp_path / "logo.jpg")
        await expect(page.locator("#logo-said")).to_have_text("Saved. The change is in effect.")
        await expect(page.locator("#logo")).to_be_visible()
        await page.fill("#set-site_colour", "#1f8f54")
        await page.locator("#save-place").click()
        await expect(page.locator("#place-said")).to_have_text("Saved. The change is in effect.")
        await page.fill("#text-attract", "Come closer")
        await expect(page.locator("#shown-title")).to_have_text("Come closer")
        await page.locator("button[form=texts]").click()
        await expect(page.locator("#texts-said")).to_contain_text("Saved.")
        await page.reload()
        await expect(page.locator("#text-attract")).to_have_value("Come closer")
        assert await complaints(page) == []
    context = await chromium.new_context(locale="en", viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.goto(whole.url)
    await expect(page.locator(".brand img")).to_be_visible()
    assert "oklch(from #1f8f54" in await page.evaluate("document.body.style.getPropertyValue('--ground')")
    assert await page.evaluate("getComputedStyle(document.body).getPropertyValue('--ground')") != "#0f1220"
    words = await page.evaluate("fetch('look/texts/en.json').then((answer) => answer.json())")
    assert words == {"attract": "Come closer"}
    await context.close()
    async with httpx.AsyncClient(base_url=whole.url, auth=("x", TOKEN)) as client:
        logo = (await client.get("/look/logo.png")).content
        for data, line in (
            ((tmp_path / "logo.png").read_bytes(), "a web page or another text with marks"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "an SVG, which may hold a script"),
        ):
            refused = await client.put("/api/v1/operator/look/logo", content=data)
            assert (refused.status_code, refused.json()["error"]) == (
                415,
                f"the logo was not taken: it is {line}, not a picture in PNG, JPEG or WebP",
            )
        text = await client.post(
            "/api/v1/operator/look", json={"language": "en", "texts": {"notice_here": "All is filmed and kept."}}
        )
        assert (text.status_code, text.json()["error"]) == (
            422,
            "notice_here: there is no such text, or it has to stay as it is",
        )
        assert (await client.get("/look/logo.png")).content == logo
        assert (await client.get("/look/logo.png")).headers["content-type"] == "image/png"
        assert (await client.put("/api/v1/operator/look/logo", content=b"", auth=("x", STAFF))).status_code == 403
        assert (await client.get("/api/v1/operator/look", auth=("x", STAFF))).is_success
        assert (await client.delete("/api/v1/operator/look/logo")).json() == {"result": {"logo": None}}
        assert (await client.get("/look/logo.png")).status_code == 404
        assert (await client.get("/look/texts/../../settings.json")).status_code == 404


async def test_the_owner_looks_after_the_site(whole: Site, chromium: Browser, tmp_path: Path) -> None:
    told: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    receiver = await asyncio.start_server(take, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/secret-path"
    async with opened(chromium, whole, path="care", wide=390) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        await page.fill("#webhook", address)
        await page.locator("#alerts button[type=submit]").click()
        await expect(page.locator("#alerts-said")).to_contain_text("shown this once: whsec_")
        await expect(page.locator("#webhook-now")).to_contain_text("http://127.0.0.1/…")
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.locator("#alerts-said")).to_have_text("Webhook: taken")
        assert [one.partition(b" HTTP")[0] for one in told] == [b"POST /secret-path"]
        assert b"webhook-signature: v1," in told[0].lower()
        assert "secret-path" not in await page.content()
        await page.fill("#set-update_url", f"{whole.url}/newest".replace("http:", "https:"))
        await page.locator("#updates button").click()
        await expect(page.locator("#update-said")).to_have_text("Saved. The change is in effect.")
        await expect(page.locator("#update-now")).to_contain_text("127.0.0.1 has a private address", timeout=20_000)
        await page.fill("#set-update_url", "")
        await page.locator("#updates button").click()
        await expect(page.locator("#update-now")).to_have_text("", timeout=20_000)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download a backup").click()
        await (await download.value).save_as(tmp_path / "backup.zip")
        before = stored(whole)
        async with httpx.AsyncClient(base_url=whole.url, auth=("x", TOKEN), timeout=20) as client:
            read = (await client.get("/api/v1/operator/settings")).json()["result"]
            changed, headers = {"values": {"goal": "calm", "site_name": None}}, {"If-Match": read["version"]}
            wrong = {"values": {"update_url": "ftp://example.org"}}
            refused = await client.patch("/api/v1/operator/settings", json=wrong, headers=headers)
            assert (refused.status_code, "MOODSTREAM_UPDATE_URL: an address begins" in refused.text) == (422, True)
            assert (await client.patch("/api/v1/operator/settings", json=changed, headers=headers)).is_success
            assert stored(whole) != before
            for data, status in ((b"no zip", 415), (b"PK\x03\x04 cut off", 422)):
                refused = await client.put("/api/v1/operator/upkeep/backup", content=data)
                assert refused.status_code == status
                assert refused.json()["error"].count("nothing was changed") == 1
            await page.set_input_files("#file", tmp_path / "backup.zip")
            await expect(page.locator("#backup-said")).to_contain_text("Restored")
            assert stored(whole) == before
            await expect(page.locator("#versions")).to_contain_text("moodstream")
            assert await complaints(page) == []
            for path in ("/upkeep", "/upkeep/backup"):
                assert (await client.get(f"/api/v1/operator{path}", auth=("x", STAFF))).status_code == 403
            child = await asyncio.to_thread(services_of, whole)
            await page.goto("about:blank")
            assert (await client.post("/api/v1/operator/upkeep/restart")).json() == {"result": {"services": "all"}}
            async with asyncio.timeout(60):
                while await asyncio.to_thread(services_of, whole) in (None, child) or not await is_ready(client):
                    await asyncio.sleep(0.2)
    receiver.close()


def services_of(whole: Site) -> int | None:
    """The process of the services; None while it is being started again."""
    try:
        return whole.services
    except (StopIteration, FileNotFoundError):
        return None


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(("language", "wide"), [("en", 1280), ("ar", 390)])
async def test_axe_is_content_with_every_step(whole: Site, chromium: Browser, language: str, wide: int) -> None:
    async with opened(chromium, whole, language=language, wide=wide) as page:
        for step in STEPS:
            await page.locator(f"#steps a[href='#{step}']").click()
            await expect(page.locator(f"#{step}")).to_be_visible()
            await asyncio.sleep(0.1)
            assert await page.evaluate("document.documentElement.scrollWidth") <= wide, step
            assert await complaints(page) == [], step

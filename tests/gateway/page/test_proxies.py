"""The page behind proxies as people have them, and many pages in one browser."""

from pathlib import Path

import httpx
from playwright.async_api import Browser, Frame, Page, expect

from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer, connected_bus
from tests.support.page.browser import open_page
from tests.support.page.stages import arrive, at_stage
from tests.support.scenes import mood_changed
from tests.support.servers.nginx import CONFIG, nginx

UPGRADE = "proxy_set_header Upgrade $http_upgrade;"
BELOW = CONFIG.replace("location / {", "location /mood/ {").replace("127.0.0.1:8080;", "127.0.0.1:8080/;")
TOKEN = "a token of twenty-four letters"
INGRESS = CONFIG.replace("Host $http_host;", "Host $proxy_host; proxy_set_header X-Forwarded-Host $http_host;")
"""As Home Assistant's ingress asks: under the name of the program, with the browser's beside it."""


PREFIX = "/api/hassio_ingress/pQ3_x-7Lk0"
IN_A_FRAME = (
    INGRESS.replace("location / {", f"location {PREFIX}/ {{ proxy_set_header X-Ingress-Path {PREFIX};")
    .replace("127.0.0.1:8080;", "127.0.0.1:8080/;")
    .replace(
        "    location ",
        "    location = /moodstream { default_type text/html; "
        f"return 200 '<iframe name=moodstream width=1200 height=800 src=\"{PREFIX}/?lang=en\"></iframe>'; }}\n"
        "    location ",
        1,
    )
)
"""As Home Assistant shows an add-on: below a path of many letters that it takes away, in a frame of its own page."""


async def visit(page: Page | Frame, bus: Bus) -> None:
    """A mood is seen, and another one chosen."""
    start, _ = await arrive(bus, page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("You look happy")
    asked = await answer(bus, "mood.choose")
    await page.get_by_role("button", name="Choose sad").click()
    assert (await asked).body["mood"] == "sad"
    await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    await at_stage(page, "goodbye")


async def test_below_a_path_every_page_works(chromium: Browser, tmp_path: Path) -> None:
    assert BELOW.count("/mood/") == CONFIG.count("/mood/") + 1
    settings = {"MOODSTREAM_PROXIES": "127.0.0.1", "MOODSTREAM_OPERATOR_TOKEN": TOKEN}
    operator = {"username": "op", "password": TOKEN}
    with (
        embedded_redis() as url,
        Gateway(url, settings).run() as gateway,
        nginx(BELOW, gateway, tmp_path, "/mood") as port,
    ):
        proxied = Gateway(url, port=port)
        async with connected_bus(url) as bus, open_page(chromium, proxied, path="/mood/?lang=en") as page:
            await visit(page, bus)
        for path in ("docs", "operator", "operator/sign", "operator/staff"):
            async with open_page(chromium, proxied, path=f"/mood/{path}", http_credentials=operator) as page:
                await expect(page.locator("h1").first).to_be_visible()
                assert (await page.evaluate("location.pathname")).startswith("/mood/")
                for link in await page.evaluate("[...document.links].map((link) => link.href)"):
                    assert link.startswith(f"{proxied.url}/mood/") or "127.0.0.1" not in link, link


async def test_a_proxy_that_asks_under_another_name_says_under_which_the_browser_does(
    chromium: Browser, tmp_path: Path
) -> None:
    trusting = {"MOODSTREAM_PROXIES": "127.0.0.1"}
    with embedded_redis() as url, Gateway(url, trusting).run() as gateway, nginx(INGRESS, gateway, tmp_path) as port:
        async with connected_bus(url) as bus, open_page(chromium, Gateway(url, port=port)) as page:
            await visit(page, bus)


async def test_in_home_assistants_frame_below_its_path_the_page_works(chromium: Browser, tmp_path: Path) -> None:
    trusting = {"MOODSTREAM_PROXIES": "127.0.0.1"}
    with (
        embedded_redis() as url,
        Gateway(url, trusting).run() as gateway,
        nginx(IN_A_FRAME, gateway, tmp_path, PREFIX) as port,
    ):
        async with (
            connected_bus(url) as bus,
            open_page(chromium, Gateway(url, port=port), path="/moodstream", complains=True) as page,
        ):
            frame = page.frame("moodstream")
            assert frame is not None
            await visit(frame, bus)
            used = await frame.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
            assert len(used) > 5
            assert [one for one in used if not one.startswith(f"http://127.0.0.1:{port}{PREFIX}/")] == []


def test_a_name_that_nobody_vouches_for_does_not_count(gateway: Gateway) -> None:
    headers = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    told = httpx.post(f"{gateway.url}/api/v1/volume", json={"percent": 1}, headers=headers)
    assert (told.status_code, told.json()) == (403, {"error": "only pages of this server may do that"})


async def test_without_websockets_the_events_come_all_the_same(
    gateway: Gateway, chromium: Browser, bus: Bus, tmp_path: Path
) -> None:
    with nginx(CONFIG.replace(UPGRADE, ""), gateway, tmp_path) as port:
        async with open_page(chromium, Gateway(gateway.redis_url, port=port), complains=True) as page:
            await visit(page, bus)


async def test_one_browser_holds_a_wall_of_pages(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    context = await chromium.new_context()
    try:
        pages = [await context.new_page() for _ in range(9)]
        for page in pages:
            await page.goto(gateway.url)
        start, _ = await arrive(bus, pages[0])
        for page in pages[1:]:
            await at_stage(page, "ask")
        await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
    finally:
        await context.close()


async def test_a_wall_of_pages_behind_a_proxy_without_websockets(
    gateway: Gateway, chromium: Browser, bus: Bus, tmp_path: Path
) -> None:
    """Of endless answers a browser holds six to one server: pages take turns."""
    context = await chromium.new_context()
    with nginx(CONFIG.replace(UPGRADE, ""), gateway, tmp_path) as port:
        try:
            pages = [await context.new_page() for _ in range(9)]
            for page in pages:
                await page.goto(f"http://127.0.0.1:{port}")
            start, _ = await arrive(bus, pages[0])
            for page in pages[1:]:
                await at_stage(page, "ask")
            await bus.publish(mood_changed(Mood.NOBODY, start.session_id, phase="end"))
            for page in pages[1:]:
                await at_stage(page, "attract")
        finally:
            await context.close()

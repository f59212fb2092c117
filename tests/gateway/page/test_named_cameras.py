"""A site whose cameras all have names of their own, through the whole of Moodstream."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.gateway.page.test_operator import opened
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.site import TOKEN, Site, site
from tests.support.page.stages import at_stage

NAMES = ["door", "hall"]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    cameras = json.dumps([{"id": name, "address": "pattern:"} for name in reversed(NAMES)])
    with site(tmp_path_factory.mktemp("site"), "--player", "house", MOODSTREAM_CAMERAS=cameras) as running:
        yield running


@pytest.fixture
def gateway(named: Site) -> Gateway:
    return Gateway("", port=int(named.url.rpartition(":")[2]))


async def test_the_page_looks_through_the_first_and_no_other_is_shown(
    named: Site, gateway: Gateway, chromium: Browser
) -> None:
    async with open_page(chromium, gateway) as page:
        await expect(page.locator("#status")).to_have_text("A drawn face stands in for the camera")
        await at_stage(page, "ask")
        await page.locator("#agree").click()
        await expect(page.locator("#cards button")).to_have_count(5)
        async with httpx.AsyncClient(base_url=f"{named.url}/api/v1", auth=("op", TOKEN), timeout=20) as operator:
            state = (await operator.get("/state")).json()
            assert state["camera_id"] == "hall", "the first of the list"
            assert sorted(state["cameras"]) == NAMES
            assert sorted((await operator.get("/status")).json()["cameras"]) == NAMES
        async with opened(chromium, named.url) as staff:
            await expect(staff.locator("article[data-camera]")).to_have_count(2)
            shown = await staff.eval_on_selector_all(
                "article[data-camera]", "all => all.map((one) => one.dataset.camera)"
            )
            assert sorted(shown) == NAMES
        await page.get_by_role("button", name="Stop", exact=True).click()
        await at_stage(page, "goodbye")


async def test_mute_and_sound_again_leave_the_volume_as_it_was_even_on_another_page(
    named: Site, gateway: Gateway, chromium: Browser
) -> None:
    async with httpx.AsyncClient(base_url=f"{named.url}/api/v1", timeout=20) as visitor:
        assert (await visitor.post("/player", json={"command": "volume", "percent": 35})).is_success
    async with open_page(chromium, gateway, path="/?camera=door") as page:
        await at_stage(page, "ask")
        await page.locator("#agree").click()
        await page.locator("#cards button").first.click()
        mute, volume = page.locator("#mute"), page.locator("#volume")
        for percent in ("35", "0", "35"):
            await expect(volume).to_have_js_property("value", percent)
            await mute.click()
        await expect(volume).to_have_js_property("value", "0")
        await page.reload()
        await page.locator("#agree").click()
        await expect(volume).to_have_js_property("value", "0")
        await mute.click()
        await expect(volume).to_have_js_property("value", "35")

"""The camera of the browser, from a film to the stream of frames, and what happens when it is refused."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from moodstream.contracts.events import FrameCaptured, StatusChanged
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer, frames_of, states_of
from tests.support.page.browser import launch, open_page
from tests.support.page.devices import ANSWER_LATER, KEEP_TRACKS, until
from tests.support.scenes import CAMERA, mood_changed, new_session
from tests.support.servers.nginx import CONFIG, nginx


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filming(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose camera sees a drawn face and is allowed."""
    async with launch(nodding_face(tmp_path_factory.mktemp("film") / "face.mjpeg")) as browser:
        yield browser


def nodding_face(path: Path) -> Path:
    """A drawn face, as JPEG pictures one after another."""
    with path.open("wb") as file:
        for number in range(20):
            picture = np.full((480, 640, 3), 40, np.uint8)
            middle = (320, 240 + int(20 * math.sin(number / 20 * 2 * math.pi)))
            cv2.ellipse(picture, middle, (110, 150), 0, 0, 360, (150, 180, 220), -1)
            for side in (-45, 45):
                cv2.circle(picture, (middle[0] + side, middle[1] - 40), 14, (30, 30, 30), -1)
            cv2.ellipse(picture, (middle[0], middle[1] + 50), (50, 25), 0, 0, 180, (40, 40, 120), 6)
            file.write(cv2.imencode(".jpg", picture)[1].tobytes())
    return path


async def use_camera(page: Page) -> None:
    """As a visitor does who agrees."""
    await page.get_by_role("button", name="Use this device’s camera").click()
    await page.get_by_role("button", name="Yes, read my mood").click()


async def camera_announced_after(bus: Bus, start: str) -> str:
    """The id of the browser's camera."""
    async with asyncio.timeout(10):
        async for entry in bus.follow({StatusChanged: start}, block_ms=100):
            if entry and isinstance(entry[1], StatusChanged) and entry[1].state == "online":
                return str(entry[1].part)
    raise AssertionError("no camera was announced")


async def sent(bus: Bus, camera_id: str) -> list[FrameCaptured]:
    """Frames that wait in the stream, once there are some."""
    for _ in range(200):
        if frames := await frames_of(bus, camera_id):
            return frames
        await asyncio.sleep(0.05)
    raise AssertionError("no frame came")


async def test_what_the_webcam_sees_becomes_frames_and_the_page_follows_it(
    bus: Bus, gateway: Gateway, filming: Browser
) -> None:
    async with open_page(filming, gateway) as page:
        start = await bus.last_id(StatusChanged)
        await page.get_by_role("button", name="Use this device’s camera").click()
        await expect(page.get_by_text("No picture is kept").first).to_be_visible()
        await expect(page.locator("#preview")).to_be_hidden()
        await asyncio.sleep(0.5)
        assert await bus.last_id(StatusChanged) == start  # nothing before the visitor has agreed
        await page.get_by_role("button", name="Yes, read my mood").click()
        camera_id = await camera_announced_after(bus, start)
        frame = (await sent(bus, camera_id))[-1]
        picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == 640
        assert np.abs(picture[picture.shape[0] // 2, 320].astype(int) - (150, 180, 220)).max() < 40
        await expect(page.locator("#preview")).to_be_visible()
        await expect(page.locator("#status")).to_have_text("This device’s camera is on")

        other = mood_changed(Mood.SAD, new_session(), phase="start")
        await bus.publish(other)
        await bus.publish(mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id=camera_id))
        await expect(page.get_by_role("heading", level=1)).to_have_text("You look happy")

        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your visit is forgotten. Goodbye")
        await expect(page.locator("#preview")).to_be_hidden()
        assert await states_of(bus, camera_id, 2) == [("online", "browser"), ("offline", "end_of_input")]
        await bus.publish(mood_changed(Mood.NOBODY, other.session_id, phase="end"))


async def test_a_permission_that_comes_after_the_visit_opens_no_camera(
    bus: Bus, gateway: Gateway, filming: Browser
) -> None:
    async with open_page(filming, gateway) as page:
        start = await bus.last_id(StatusChanged)
        await page.evaluate(KEEP_TRACKS)
        await page.evaluate(ANSWER_LATER)
        await use_camera(page)
        await until(page, "'allow' in window")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Goodbye")
        await page.evaluate("allow()")
        await until(page, "tracks.length === 1 && tracks[0].readyState === 'ended'")
        await expect(page.locator("#preview")).to_be_hidden()
        await asyncio.sleep(0.3)
        assert await bus.last_id(StatusChanged) == start


async def test_pictures_come_at_the_rate_that_was_asked_for(bus: Bus, gateway: Gateway, filming: Browser) -> None:
    async with open_page(filming, gateway) as page:
        start = await bus.last_id(StatusChanged)
        await use_camera(page)
        camera_id = await camera_announced_after(bus, start)
        first = (await sent(bus, camera_id))[-1]
        await asyncio.sleep(2)
        last = (await sent(bus, camera_id))[-1]
    rate = (last.seq - first.seq) / (last.captured_at - first.captured_at).total_seconds()
    assert 3 < rate < 10.5


async def test_the_camera_comes_back_after_the_gateway_did(bus: Bus, gateway: Gateway, filming: Browser) -> None:
    async with open_page(filming, gateway, complains=True) as page:
        start = await bus.last_id(StatusChanged)
        await use_camera(page)
        before = await camera_announced_after(bus, start)
        await sent(bus, before)
        start = await bus.last_id(StatusChanged)
        gateway.stop()
        assert (await states_of(bus, before, 2))[-1] == ("offline", "end_of_input")
        gateway.start()
        assert await sent(bus, await camera_announced_after(bus, start))
        await expect(page.locator("#status")).to_have_text("This device’s camera is on")


async def test_a_refused_camera_leaves_the_moods_to_choose(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        await use_camera(page)
        await expect(page.get_by_role("alert")).to_have_text(
            "The camera was not allowed. You can choose your mood yourself."
        )
        await expect(page.get_by_role("heading", level=1)).to_have_text("Without a camera How do you feel?")
        await expect(page.get_by_role("button", name="Choose happy")).to_be_enabled()


async def test_a_page_without_the_right_to_a_camera_says_so(gateway: Gateway, chromium: Browser) -> None:
    async with open_page(chromium, gateway) as page:
        await page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
        await use_camera(page)
        await expect(page.get_by_role("alert")).to_contain_text("The camera cannot be used from here.")


async def test_behind_a_proxy_that_passes_no_websockets_on_the_page_says_so(
    gateway: Gateway, filming: Browser, tmp_path: Path
) -> None:
    plain = CONFIG.replace("proxy_set_header Upgrade $http_upgrade;", "")
    with nginx(plain, gateway, tmp_path) as port:
        async with open_page(filming, Gateway(gateway.redis_url, port=port), complains=True) as page:
            await use_camera(page)
            await expect(page.get_by_role("alert")).to_contain_text("The camera’s pictures do not get through.")
            await expect(page.get_by_role("button", name="Choose happy")).to_be_enabled()
            assert await page.evaluate("fetch('/api/v1/frames').then((answer) => answer.status)") == 426


async def test_behind_nginx_by_the_docs_events_and_pictures_pass(
    gateway: Gateway, filming: Browser, bus: Bus, tmp_path: Path
) -> None:
    with nginx(CONFIG, gateway, tmp_path) as port:
        async with open_page(filming, Gateway(gateway.redis_url, port=port)) as page:
            start = await bus.last_id(StatusChanged)
            await use_camera(page)
            camera_id = await camera_announced_after(bus, start)
            assert await sent(bus, camera_id)
            await bus.publish(mood_changed(Mood.SAD, new_session(), phase="start", camera_id=camera_id))
            await expect(page.get_by_role("heading", level=1)).to_have_text("You look sad")


async def test_two_devices_without_a_camera_have_a_visit_each(gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    async with open_page(chromium, gateway) as one, open_page(chromium, gateway) as other:
        places = []
        for page, mood in ((one, Mood.SAD), (other, Mood.CALM)):
            await page.get_by_role("button", name="I choose my mood myself").click()
            asked = await answer(bus, "mood.choose")
            await page.get_by_role("button", name=f"Choose {mood}").click()
            places.append(str((await asked).body["camera_id"]))
            forced: dict[str, Any] = {"confidence": 1.0, "phase": "start", "reason": "forced", "camera_id": places[-1]}
            await bus.publish(mood_changed(mood, new_session(), **forced))
            await expect(page.get_by_role("heading", level=1)).to_have_text(f"You chose {mood}")
        assert len({*places, CAMERA}) == 3
        asked = await answer(bus, "session.end")
        await other.get_by_role("button", name="Stop", exact=True).click()
        body = (await asked).body
        assert body == {"camera_id": places[1]}
        await expect(one.get_by_role("heading", level=1)).to_have_text("You chose sad")
        status = await one.evaluate("fetch('/api/v1/status').then((answer) => answer.json())")
        assert not set(places) & set(status["cameras"])  # a page without a camera is none


async def test_where_it_is_switched_off_the_page_does_not_offer_it(chromium: Browser) -> None:
    off = {"MOODSTREAM_BROWSER_CAMERA": "false"}
    with embedded_redis() as url, Gateway(url, off).run() as gateway:
        async with open_page(chromium, gateway) as page:
            await expect(page.get_by_text("Tell me your mood, and I find music for it.")).to_be_visible()
            await expect(page.get_by_role("button", name="Use this device’s camera")).to_be_hidden()

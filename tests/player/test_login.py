"""The demonstration, walked through in Chromium: the music of the mood plays, and one may sign in once more."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from starlette.applications import Starlette

from moodstream.errors import MoodstreamError
from services.player.main import create_login
from services.player.spotify.json_file import JsonFile
from services.player.spotify.login import CALLBACK, LOGIN
from services.player.spotify.login_pages import login_routes
from services.player.spotify.terminal_login import sign_in
from shared.web.operator import Operator
from tests.support.gateways import ROOT
from tests.support.page.browser import launch
from tests.support.page.site import TOKEN
from tests.support.ports import free_port
from tests.support.simulated_spotify import SimulatedSpotify, agree, spotify_settings

START_S = 90.0


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[str]:
    """``moodstream run --demo --player spotify``; gives the address of its page."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    folders = dict.fromkeys(("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"), str(tmp_path))
    flags = ["--demo", "--player", "spotify", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "run", *flags],
        cwd=ROOT,
        env=clean | folders,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


async def test_it_comes_signed_in_and_shows_how_one_signs_in(demonstration: str, tmp_path: Path) -> None:
    """Set MOODSTREAM_SCREENSHOTS to keep the pictures, such as those in docs/images."""
    pictures = Path(os.environ.get("MOODSTREAM_SCREENSHOTS", tmp_path))
    async with launch() as browser:
        credentials = {"username": "any", "password": (tmp_path / "moodstream/operator-token").read_text().strip()}
        context = await browser.new_context(viewport={"width": 1000, "height": 780}, http_credentials=credentials)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(demonstration)
        await expect(page.locator("#player-state")).to_have_text("Now playing", timeout=120_000)
        await page.screenshot(path=pictures / "login-4-playing.png")

        await page.goto(f"{demonstration}/player/spotify/login")
        await expect(page.get_by_role("heading")).to_have_text("Simulated sign-in")
        await page.get_by_role("link", name="Cancel").click()
        await expect(page.get_by_role("heading")).to_have_text("Not signed in")
        await expect(page.get_by_text("The sign-in was cancelled.")).to_be_visible()
        await page.get_by_role("link", name="Try again").click()
        await expect(page.get_by_text("user-modify-playback-state")).to_be_visible()
        await page.screenshot(path=pictures / "login-2-consent.png")

        await page.get_by_role("link", name="Agree").click()
        await expect(page.get_by_role("heading")).to_have_text("Signed in to Spotify")
        await page.screenshot(path=pictures / "login-3-signed-in.png")
        assert page.url.startswith(f"{demonstration}/player/spotify/callback?code=")
        await page.reload()
        await expect(page.get_by_text("was used before")).to_be_visible()
        async with httpx.AsyncClient(base_url=demonstration) as visitor:
            for path in ("login", "callback?code=1&state=2"):
                assert (await visitor.get(f"/player/spotify/{path}")).status_code == 401, "it is the operator's"


async def test_nobody_but_the_operator_signs_in_and_nobody_ends_what_another_browser_began(
    spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    settings = spotify_settings(spotify, tmp_path, operator_token=TOKEN)
    signed_in: list[bool] = []
    routes = login_routes(create_login(settings), lambda: signed_in.append(True), Operator(settings))
    transport, page = httpx.ASGITransport(Starlette(routes=list(routes))), "http://127.0.0.1:8080"
    operator = {"transport": transport, "base_url": page, "auth": ("any", TOKEN)}
    async with (
        httpx.AsyncClient(transport=transport, base_url=page) as visitor,
        httpx.AsyncClient(**operator) as first,  # type: ignore[arg-type]
        httpx.AsyncClient(**operator) as second,  # type: ignore[arg-type]
    ):
        for path in (LOGIN, f"{CALLBACK}?code=1&state=1"):
            assert (await visitor.get(path)).status_code == 401
            assert (await visitor.get(path, headers={"Origin": "https://evil.example"})).status_code == 403
        asked = await first.get(LOGIN)
        assert asked.headers["set-cookie"].lower().count("httponly") == 1
        ends = (await asyncio.to_thread(agree, asked.headers["location"])).removeprefix(page)
        elsewhere = await second.get(ends)
        assert (elsewhere.status_code, "another browser" in elsewhere.text) == (400, True)
        assert signed_in == []
        assert (await first.get(ends)).status_code == 200
        assert signed_in == [True]
        named = await first.get(LOGIN, headers={"Host": "kiosk.local:8080"})
        assert named.headers["location"].startswith(f"{page}{LOGIN}"), "the cookie is of the name that Spotify knows"


def test_from_a_terminal_without_a_browser(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    """The redirect address belongs to another machine, so nothing can be caught here: it is pasted."""
    elsewhere = "https://kiosk.example/callback"
    spotify.simulator.account.redirect_uris = {elsewhere}
    login = create_login(spotify_settings(spotify, tmp_path, spotify_redirect_uri=elsewhere))
    out = io.StringIO()

    def pasted() -> Iterator[str]:
        yield "\n"
        yield agree(next(line.strip() for line in out.getvalue().splitlines() if "/authorize?" in line)) + "\n"

    sign_in(login, pasted(), out, patience_s=20)  # type: ignore[arg-type]
    assert out.getvalue().endswith("Signed in to Spotify.\n")
    assert JsonFile(tmp_path / "spotify.json").load()["refresh_token"]


def test_from_a_terminal_with_a_browser_on_the_same_machine(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    redirect = f"http://127.0.0.1:{free_port()}/player/spotify/callback"
    login = create_login(spotify_settings(spotify, tmp_path, spotify_redirect_uri=redirect))
    out = io.StringIO()

    def browse() -> None:
        while "/authorize?" not in out.getvalue():
            time.sleep(0.02)
        address = next(line.strip() for line in out.getvalue().splitlines() if "/authorize?" in line)
        answer = httpx.get(agree(address))
        assert answer.text == "Look at the terminal. You can close this page."

    browser = threading.Thread(target=browse)
    browser.start()
    sign_in(login, io.StringIO(""), out, patience_s=20)
    browser.join()
    assert JsonFile(tmp_path / "spotify.json").load()["refresh_token"]


def test_nobody_at_the_terminal_is_one_line(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    login = create_login(spotify_settings(spotify, tmp_path, spotify_redirect_uri="https://kiosk.example/callback"))
    with pytest.raises(MoodstreamError, match="no address was pasted"):
        sign_in(login, io.StringIO(""), io.StringIO())

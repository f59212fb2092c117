"""The page in a real browser; whatever it complains about fails the test, and it reaches nothing but the gateway."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests.support.gateways import Gateway
from tests.support.needs import missing

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
"""A machine that is busy with other things is slow, not wrong."""
SPOTIFY = "https://open.spotify.com/"


@asynccontextmanager
async def launch(webcam: Path | None = None, microphone: Path | None = None) -> AsyncIterator[Browser]:
    """Chromium; its camera shows a film, its microphone hears a WAV file again and again; without either, both are
    refused."""
    if not shutil.which(CHROMIUM):
        missing("chromium")
    arguments = [*QUIET, "--use-fake-device-for-media-stream"]
    if webcam is not None:
        arguments += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={webcam}"]
    if microphone is not None:
        arguments += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}"]
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@asynccontextmanager
async def open_page(
    browser: Browser, gateway: Gateway, *, complains: bool = False, path: str = "/", **context: Any
) -> AsyncIterator[Page]:
    """The page, loaded, with nothing that moves; ``complains`` lets it log errors.

    ``context`` are options of Playwright's.
    """
    complaints: list[str] = []

    async def only_here(route: Route) -> None:
        url = route.request.url
        if url.startswith(gateway.url):
            await route.fallback()
        elif url.startswith(SPOTIFY):
            await route.fulfill(body="<title>a player</title>", content_type="text/html")
        else:
            complaints.append(f"asked for {url}")
            await route.abort()

    page = await (await browser.new_context(**({"reduced_motion": "reduce"} | context))).new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(f"{said.text} {said.location}") if said.type in ("error", "warning") else None,
    )
    await page.route("**/*", only_here)
    try:
        await page.goto(gateway.url + path)
        yield page
    finally:
        await page.context.close()
    assert complains or not complaints, complaints


async def settle(page: Page) -> None:
    """Wait until what has changed is drawn, with the letters that it is drawn in."""
    await page.evaluate(
        "document.fonts.ready.then(() => new Promise((drawn) => requestAnimationFrame(() => drawn(null))))"
    )

"""Cameras and microphones of a browser, as a test sees and delays them; scripts for ``Page.evaluate``."""

import asyncio

from playwright.async_api import Page

KEEP_TRACKS = """() => {
  window.tracks = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
}"""
ANSWER_LATER = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    await new Promise((answer) => { window.allow = answer; });
    return ask(wanted);
  };
}"""


async def until(page: Page, holds: str) -> None:
    """Asks again and again: what Playwright has for this needs a page that may make code of texts."""
    async with asyncio.timeout(10):
        while not await page.evaluate(holds):
            await asyncio.sleep(0.05)

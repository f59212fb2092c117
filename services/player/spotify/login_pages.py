"""The pages of signing in to Spotify; they need nothing but themselves, and run no script."""

import asyncio
from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from moodstream.errors import MoodstreamError
from services.player.spotify.login import CALLBACK, LOGIN, SpotifyLogin

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""The address of the callback holds the code: it is told to nobody and kept nowhere."""

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="dark">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} - Moodstream</title><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #10131c; color: #eef0f6;
font: 1.1rem/1.5 system-ui, sans-serif }} main {{ max-width: 32rem; padding: 2rem }} h1 {{ font-weight: 500 }}
a {{ color: #ffd479 }}</style></head><body><main><h1>{title}</h1><p>{text}</p><p><a href="{link}">{word}</a></p>
</main></body></html>"""


def page(title: str, text: str, link: str, word: str, status: int = 200) -> HTMLResponse:
    shown = {"title": escape(title), "text": escape(text), "link": escape(link), "word": escape(word)}
    return HTMLResponse(_PAGE.format(**shown), status, HEADERS)


def login_routes(login: SpotifyLogin, signed_in: Callable[[], None]) -> list[Route]:
    """Where signing in begins and ends; ``signed_in`` is called once there is a token."""

    async def begin(_: Request) -> Response:
        return RedirectResponse(login.begin(), headers={"Cache-Control": "no-store"})

    async def callback(request: Request) -> Response:
        answer = request.query_params
        try:
            await asyncio.to_thread(
                login.finish, answer.get("state", ""), answer.get("code", ""), answer.get("error", "")
            )
        except MoodstreamError as error:
            return page("Not signed in", f"{error}.".capitalize(), LOGIN, "Try again", 400)
        signed_in()
        return page("Signed in to Spotify", "Moodstream can play on your devices now.", "/", "Go to the page")

    return [Route(LOGIN, begin), Route(CALLBACK, callback)]

"""The pages of signing in to Spotify; they need nothing but themselves, and run no script."""

import asyncio
import hmac
from collections.abc import Callable
from html import escape
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from moodstream.errors import MoodstreamError
from services.player.spotify.login import CALLBACK, LOGIN, SpotifyLogin
from shared.web.operator import Operator

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""The address of the callback holds the code: it is told to nobody and kept nowhere."""

NO_STORE = {"Cache-Control": "no-store"}
COOKIE = "moodstream_spotify"
MAX_AGE_S = 600
HERE = "here"
"""Marks that the browser was sent to the name of the redirect URI already, whatever name a proxy makes of it."""

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="dark">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} - Moodstream</title><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #10131c; color: #eef0f6;
font: 1.1rem/1.5 system-ui, sans-serif }} main {{ max-width: 32rem; padding: 2rem }} h1 {{ font-weight: 500 }}
a {{ color: #ffd479 }}</style></head><body><main><h1>{title}</h1><p>{text}</p><p><a href="{link}">{word}</a></p>
</main></body></html>"""


def page(title: str, text: str, link: str, word: str, status: int = 200) -> HTMLResponse:
    shown = {"title": escape(title), "text": escape(text), "link": escape(link), "word": escape(word)}
    return HTMLResponse(_PAGE.format(**shown), status, HEADERS)


def login_routes(login: SpotifyLogin, signed_in: Callable[[], None], operator: Operator) -> list[Route]:
    """Where signing in begins and ends, for the operator alone; ``signed_in`` is called once there is a token.

    Whoever signs in decides whose account plays. It ends in the browser in which it began, which has a cookie for it:
    an address that ends somebody else's sign-in does nothing here.
    """
    home = urlsplit(login.redirect_uri)
    path = urlsplit(login.page).path.rpartition("/")[0]  # below what a proxy puts before it

    async def begin(request: Request) -> Response:
        if refused := _refusal(operator, request):
            return refused
        if request.headers.get("host", "").lower() != home.netloc.lower() and HERE not in request.query_params:
            # the cookie must be of the name under which Spotify sends the browser back
            return RedirectResponse(f"{login.page}?{HERE}", headers=NO_STORE)
        address = login.begin()
        answer = RedirectResponse(address, headers=NO_STORE)
        [state] = parse_qs(urlsplit(address).query)["state"]
        secure = home.scheme == "https"
        answer.set_cookie(COOKIE, state, MAX_AGE_S, path=path, secure=secure, httponly=True, samesite="lax")
        return answer

    async def callback(request: Request) -> Response:
        if refused := _refusal(operator, request):
            return refused
        answer = request.query_params
        if not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), answer.get("state", "").encode()):
            return page("Not signed in", "This sign-in was begun in another browser.", "login", "Try again", 400)
        try:
            await asyncio.to_thread(
                login.finish, answer.get("state", ""), answer.get("code", ""), answer.get("error", "")
            )
        except MoodstreamError as error:
            return page("Not signed in", f"{error}.".capitalize(), "login", "Try again", 400)
        signed_in()
        return page("Signed in to Spotify", "Moodstream can play on your devices now.", "../../", "Go to the page")

    return [Route(LOGIN, begin), Route(CALLBACK, callback)]


def _refusal(operator: Operator, request: Request) -> Response | None:
    """Of whoever is not the operator."""
    try:
        operator.admit(request)
    except HTTPException as error:
        return PlainTextResponse(error.detail, error.status_code, {**HEADERS, **(error.headers or {})})
    return None

"""The page and its files, and the headers that keep browsers from running or sending anything else."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.music import MusicFolder
from shared.contracts.event_page import STYLE
from shared.contracts.schemas import documents
from shared.web.operator import Operator

STATIC = Path(__file__).parent / "static"

CSP = "Content-Security-Policy"
PERMISSIONS = "Permissions-Policy"
SPOTIFY = "https://open.spotify.com"

ANCESTORS = "frame-ancestors 'self'"

HEADERS = {
    CSP: ("default-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; " + ANCESTORS),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Nothing but the page itself may ask for the camera, and for the microphone only where voices are heard.
    PERMISSIONS: "camera=(self), microphone=(), geolocation=()",
}
HEARING = HEADERS | {PERMISSIONS: "camera=(self), microphone=(self), geolocation=()"}

EMBED_CSP = HEADERS[CSP].replace("frame-src 'none'", f"frame-src {SPOTIFY}; connect-src 'self' {SPOTIFY}")
"""Of the page where the operator lets it show Spotify's own player."""

_STYLE = b64encode(sha256(STYLE.encode()).digest()).decode()
EVENT_PAGE_CSP = f"default-src 'none'; style-src 'sha256-{_STYLE}'; base-uri 'none'; form-action 'none'"
"""The page of the events is one file: no script, and its own style alone."""

FONT = "SourceSerifPro-Regular.ttf"

UNTRUE = (
    "This page says that no picture is kept, and MOODSTREAM_FRAMES_ON_DISK accepts a server that may keep them. "
    "Switch that off, or write a sign of your own: what you keep, for how long, and where one may object."
)
MEDIA_TYPES = {".html": "text/html", ".json": "application/json"}


class SecurityHeaders:
    """Sets the same headers on every answer; ``cache`` says how long browsers may keep it."""

    def __init__(self, app: ASGIApp, cache: str, csp: str = HEADERS[CSP], *, may_hear: bool = False) -> None:
        self._app = app
        self._headers = (HEARING if may_hear else HEADERS) | {"Cache-Control": cache, CSP: csp}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def page_routes(
    music: MusicFolder,
    look: Sequence[BaseRoute],
    *,
    spotify_embed: bool = False,
    may_hear: bool = False,
    origins: frozenset[str] = frozenset(),
) -> list[BaseRoute]:
    """The page at ``/``, its files below ``/static``, what others may build on below ``/docs``.

    ``look``: the texts and the logo of this place. Sounds of the music folder lie below ``/music``, their covers below
    ``/cover``. Pages of ``origins`` may frame the page. ``may_hear``: the page may ask a visitor for the microphone.
    """
    # Browsers ask again each time and are answered "not modified": an upgrade shows at once.
    headers = [Middleware(SecurityHeaders, cache="no-cache")]
    csp = " ".join(
        (EMBED_CSP if spotify_embed else HEADERS[CSP], *sorted(origins))
    )  # it ends with the frame's ancestors
    page = [Middleware(SecurityHeaders, "no-cache", csp, may_hear=may_hear)]
    return [
        Route("/", index, middleware=page),
        Route("/static/font.ttf", font, middleware=[Middleware(SecurityHeaders, cache="max-age=86400")]),
        Mount("/static", StaticFiles(directory=STATIC), middleware=headers),
        Route("/docs", lambda _: RedirectResponse("docs/events.html")),
        Route("/docs/{name:path}", document, middleware=[Middleware(SecurityHeaders, "no-cache", EVENT_PAGE_CSP)]),
        *music.routes(headers),
        Mount("/look", routes=look, middleware=headers),
    ]


def operator_routes(operator: Operator, *, pictures_on_disk: bool = False) -> list[BaseRoute]:
    """The operator's page at ``/operator``, and below it what is to be printed."""

    def endpoint(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def show_page(request: Request) -> Response:
            try:
                operator.admit(request, owner=False)
            except HTTPException as error:
                return PlainTextResponse(error.detail, error.status_code, error.headers)
            if name in ("sign", "staff") and pictures_on_disk:
                return PlainTextResponse(UNTRUE, 409)
            return FileResponse(STATIC / "operator" / f"{name}.html", media_type="text/html")

        return show_page

    headers = [Middleware(SecurityHeaders, cache="no-store")]
    return [
        Route("/operator", endpoint("page"), middleware=headers),
        Route("/operator/report", endpoint("report"), middleware=headers),
        Route("/operator/look", endpoint("look"), middleware=headers),
        Route("/operator/care", endpoint("care"), middleware=headers),
        Route("/operator/setup", endpoint("setup"), middleware=headers),
        Route("/operator/settings", endpoint("settings"), middleware=headers),
        Route("/operator/songs", endpoint("songs"), middleware=headers),
        Route("/operator/sign", endpoint("sign"), middleware=headers),
        Route("/operator/staff", endpoint("staff"), middleware=headers),
    ]


@cache
def _documents() -> dict[str, str]:
    return documents()


async def document(request: Request) -> Response:
    """The page of the events, the schemas, AsyncAPI: the same files as in the repository's docs."""
    name = request.path_params["name"]
    text = _documents().get(name)
    if text is None:
        return PlainTextResponse("there is no such document; begin at /docs/events.html", 404)
    return Response(text, media_type=MEDIA_TYPES[Path(name).suffix])


def font_file() -> Path | None:
    """The letters of the page, SIL OFL, in a package that set-up installs; None where somebody left it out."""
    spec = find_spec("font_source_serif_pro")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((file for folder in folders if (file := Path(folder, "files", FONT)).is_file()), None)


async def font(_: Request) -> Response:
    file = font_file()
    return FileResponse(file, media_type="font/ttf") if file else PlainTextResponse("the font is not installed", 404)


async def index(_: Request) -> FileResponse:
    return FileResponse(STATIC / "index.html", media_type="text/html")

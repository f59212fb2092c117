"""What stands before the API: other sites' pages, bodies that are too big or come too slowly."""

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from services.gateway.look.png import MAX_BYTES as MAX_LOGO_BYTES
from services.gateway.uploads import storage
from shared.contracts.sounds import MAX_SOUND_BYTES
from shared.web.origin import is_foreign

MAX_BODY_BYTES = 16 * 1024
MAX_PICTURE_BYTES = 2 * 1024 * 1024
_LARGER = {"/frames": MAX_PICTURE_BYTES, "/voices": MAX_SOUND_BYTES, "/logo": MAX_LOGO_BYTES}
"""Bytes of a body by the end of the path."""
_UPLOADS = {"/operator/import/table": storage.MAX_TABLE_BYTES, "/operator/import/music": storage.MAX_SOUND_BYTES}
_UPLOADS |= {"/operator/upkeep/backup": storage.MAX_TABLE_BYTES}
"""The same of what only the owner may send: they are streamed, and take their time."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
BODY_S, LARGER_S = 10.0, 20.0
"""Within this time a body must be there; who sends it more slowly holds what others could use."""
UPLOAD_S = 30.0
"""Of an upload, within this time the next bytes."""


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; behind a trusted proxy, the address that it forwards."""
    return connection.client.host if connection.client else "unknown"


class Guard:
    """Refuses with one line of JSON before anything is parsed."""

    def __init__(self, app: ASGIApp, origins: frozenset[str] = frozenset()) -> None:
        """``origins``: other sites whose pages may do what visitors do."""
        self._app, self._origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        path = connection.url.path
        larger = _LARGER.get("/" + path.rpartition("/")[2])
        uploaded = next((size for end, size in _UPLOADS.items() if path.endswith(end)), None)
        max_bytes = uploaded or larger or MAX_BODY_BYTES
        if refused := self._refusal(connection, max_bytes):
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(refused)
            else:
                await refused(scope, receive, send)
            return
        if scope["type"] == "http":
            seconds = UPLOAD_S if uploaded else LARGER_S if larger else BODY_S
            receive = _limited(receive, max_bytes, seconds, each=uploaded is not None)
        await self._app(scope, receive, send)

    def _refusal(self, connection: HTTPConnection, max_bytes: int) -> JSONResponse | None:
        writes = connection.scope.get("method", "POST") not in SAFE_METHODS  # a WebSocket may be opened by any page
        if writes and is_foreign(connection) and connection.headers.get("origin") not in self._origins:
            return JSONResponse({"error": "only pages of this server may do that"}, 403)
        length = connection.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > max_bytes:
            return JSONResponse({"error": f"the body is larger than {max_bytes} bytes"}, 413)
        return None


def _limited(receive: Receive, max_bytes: int, seconds: float, *, each: bool) -> Receive:
    """Bodies without a length are counted as they come, and have so long to come: as a whole, or ``each`` part."""
    received, complete, deadline_s = 0, False, time.monotonic() + seconds

    async def receive_limited() -> Message:
        nonlocal received, complete, deadline_s
        if complete:  # what comes after the body is only that the client has gone
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, deadline_s - time.monotonic())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the body did not come within {seconds:.0f} s", {"Connection": "close"}) from None
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            deadline_s = time.monotonic() + seconds if each else deadline_s
            complete = not message.get("more_body", False)
            if received > max_bytes:
                raise HTTPException(413, f"the body is larger than {max_bytes} bytes")
        return message

    return receive_limited

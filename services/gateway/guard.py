"""What stands before the API: other sites' pages, addresses that ask too often, bodies that are too big."""

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from shared.web.origin import is_foreign
from shared.web.rate_limit import Limits

MAX_BODY_BYTES = 16 * 1024
MAX_PICTURE_BYTES = 2 * 1024 * 1024
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
UNLIMITED = ("/events",)
"""Paths that may be asked for at any rate: listeners are limited elsewhere."""


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; behind a trusted proxy, the address that it forwards."""
    return connection.client.host if connection.client else "unknown"


class Guard:
    """Refuses with one line of JSON before anything is parsed."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        path = connection.url.path
        max_bytes = MAX_PICTURE_BYTES if path.endswith("/frames") else MAX_BODY_BYTES
        if refused := self._refusal(connection, path, max_bytes):
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(refused)
            else:
                await refused(scope, receive, send)
            return
        await self._app(scope, _limited(receive, max_bytes), send)

    def _refusal(self, connection: HTTPConnection, path: str, max_bytes: int) -> JSONResponse | None:
        writes = connection.scope.get("method", "POST") not in SAFE_METHODS  # a WebSocket may be opened by any page
        if writes and is_foreign(connection):
            return JSONResponse({"error": "only pages of this server may do that"}, 403)
        if not any(f"{one}/" in f"{path}/" for one in UNLIMITED) and (
            wait_s := self._limits.take(address_of(connection))
        ):
            return JSONResponse(
                {"error": "too many requests; try again in a moment"}, 429, {"Retry-After": f"{max(1, wait_s):.0f}"}
            )
        length = connection.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > max_bytes:
            return JSONResponse({"error": f"the body is larger than {max_bytes} bytes"}, 413)
        return None


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """Bodies without a length are counted as they come."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413, f"the body is larger than {max_bytes} bytes")
        return message

    return receive_limited

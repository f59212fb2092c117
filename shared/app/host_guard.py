"""What stands before every page, API and health check of a process: it answers under its own names alone."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from shared.host_names import SETTING, HostNames, host_of

MISDIRECTED = 421


class HostGuard:
    """Refuses what was meant for another name, before anything else looks at it."""

    def __init__(self, app: ASGIApp, names: HostNames) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._names.allows(host_of(scope["headers"])):
            await self._app(scope, receive, send)
            return
        text = f"this is not known here under that name; whoever runs it may add it to {SETTING}"
        refused = JSONResponse({"error": text}, MISDIRECTED, {"Cache-Control": "no-store", "Connection": "close"})
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refused)
        else:
            await refused(scope, receive, send)

"""What one address may ask of a process: dear requests count for more, and no path is free but the sign of life.

The limits count what a request costs, in units of a cheap one. Whoever listens to events asks from another budget, so
that a page that comes back after a pause is not kept out by the songs it has asked for.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from shared.networks import is_here
from shared.web.rate_limit import Limits

BURST_S = 10
FREE = 0.0
COSTS: Mapping[str, float] = {"/health/live": FREE, "/health/ready": 0.1, "/metrics": 1.0}
"""By path, for every process; a path counts for all below it, unless one below is named too."""
LISTENING = "/events"
LISTENERS_PER_S, LISTENERS_BURST = 10.0, 1_000.0


class RequestGuard:
    """Refuses with one line of JSON before anything is parsed."""

    def __init__(self, app: ASGIApp, per_s: float, costs: Mapping[str, float]) -> None:
        """``per_s``: cheap requests a second of one address, ten times as many in a burst; 0 limits nothing."""
        self._app, self._costs = app, {**COSTS, **costs}
        self._asking = Limits(per_s, BURST_S * per_s)
        self._listening = Limits(LISTENERS_PER_S if per_s else 0, LISTENERS_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = self._wait_s(scope) if scope["type"] in ("http", "websocket") else 0.0
        if not wait_s:
            await self._app(scope, receive, send)
            return
        headers = {"Retry-After": f"{max(1, wait_s):.0f}", "X-Content-Type-Options": "nosniff"}
        refused = JSONResponse({"error": "too many requests; try again in a moment"}, 429, headers)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refused)
        else:
            await refused(scope, receive, send)

    def _wait_s(self, scope: Scope) -> float:
        client = scope.get("client")
        address, path = client[0] if client else "unknown", scope["path"]
        if f"{LISTENING}/" in f"{path}/" and not Headers(scope=scope).get("content-length"):
            return 0.0 if is_here(address) else self._listening.take(address)  # listeners are counted, too
        cost = self.cost_of(path)
        return self._asking.take(address, cost) if cost else 0.0

    def cost_of(self, path: str) -> float:
        """Of the longest part of the path that is named; 1 where none is."""
        while path:
            if path in self._costs:
                return self._costs[path]
            path = path.rpartition("/")[0]
        return 1.0

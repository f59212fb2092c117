"""Events as they happen: server-sent events and WebSocket."""

import asyncio
import contextlib
from collections import Counter

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from moodstream.contracts.ids import is_camera_id
from moodstream.contracts.moods import Mood
from services.gateway.context import Context
from services.gateway.guard import address_of
from services.gateway.openapi import EVENT_FILTERS, EVENT_STREAM, EVENT_TYPES, MAX_CAMERAS
from services.gateway.slow_listeners import Budget, PatientStream, Stalled, send_text
from services.gateway.state.feed import Filter
from shared.networks import is_here, network_of
from shared.tasks import end_tasks

MAX_LISTENERS = 1_000
RESERVED = 20
"""Of them, for this machine alone."""
RETRY = {"Retry-After": "10"}


class EventRoutes:
    """Lets listeners in, up to a maximum in all and another from one address."""

    def __init__(self, context: Context) -> None:
        self._bus, self._feed = context.bus, context.feed
        self._max_of_one_address = context.max_listeners_per_address
        self._budget = Budget()
        self._closer: asyncio.Task[None] | None = None
        self._listeners: Counter[str] = Counter()
        """by address; counted when they come in and not when they are first sent something: many may come at once"""

    def router(self) -> APIRouter:
        router = APIRouter(tags=["events"])
        router.add_api_route(
            "/events",
            self.events,
            response_class=StreamingResponse,
            responses={200: EVENT_STREAM},
            openapi_extra=EVENT_FILTERS,
        )
        router.add_api_websocket_route("/events/ws", self.events_by_websocket)
        return router

    async def events(self, request: Request) -> StreamingResponse:
        """Server-sent events: `type`, `camera` and `mood` filter, `last_id` resumes."""
        last_id, wanted = self._admit(request)
        stream = self._feed.server_sent_events(request.headers.get("last-event-id") or last_id, wanted=wanted)
        return PatientStream(stream, lambda: self._leave(request))

    async def events_by_websocket(self, socket: WebSocket) -> None:
        """The same over a WebSocket: one JSON object a message, with id, event and data."""
        try:
            last_id, wanted = self._admit(socket)
        except HTTPException as error:
            await socket.send_denial_response(JSONResponse({"error": error.detail}, error.status_code, error.headers))
            return
        try:
            await socket.accept()
            sending = asyncio.create_task(self._send_messages(socket, last_id, wanted))
            try:
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass  # nothing is expected from a listener
            finally:
                await end_tasks(sending)
        finally:
            self._leave(socket)

    async def _send_messages(self, socket: WebSocket, last_id: str | None, wanted: Filter) -> None:
        # the listener left in the middle of a message, or takes in nothing
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, Stalled):
            async with contextlib.aclosing(self._feed.messages(last_id, wanted=wanted)) as batches:
                async for batch in batches:
                    for message in batch:
                        await send_text(socket, message.json, self._budget)
            await socket.close(1001)

    def _admit(self, connection: HTTPConnection) -> tuple[str | None, Filter]:
        """The last id and the filter; ``_leave`` follows. Raises HTTPException for what is wrong or too many."""
        wanted = filter_from(connection.query_params)
        host = address_of(connection)
        address, free = network_of(host), MAX_LISTENERS - self._listeners.total()
        if not is_here(host):  # the last places are for this machine: the kiosk's own page
            free -= RESERVED
        if free <= 0:
            raise HTTPException(503, f"{MAX_LISTENERS} listen already; try again later", RETRY)
        # no more than are still free: so however many a few addresses ask for, there are places for others
        most = self._max_of_one_address if is_here(host) else min(self._max_of_one_address, free)
        if self._listeners[address] >= most:
            raise HTTPException(429, f"{self._listeners[address]} listen from this address already", RETRY)
        self._listeners[address] += 1
        # Not a job of the service: those run only once Redis is there, and listeners come before.
        self._closer = self._closer or asyncio.create_task(self._close_feed())
        return connection.query_params.get("last_id"), wanted

    def _leave(self, connection: HTTPConnection) -> None:
        address = network_of(address_of(connection))
        self._listeners[address] -= 1
        if not self._listeners[address]:
            del self._listeners[address]

    async def _close_feed(self) -> None:
        """The server waits for open streams before it ends."""
        await self._bus.stopping.wait()
        self._feed.close()


def filter_from(query: QueryParams) -> Filter:
    """``type``, ``camera`` and ``mood``, each any number of times. Raises HTTPException with one line."""
    for name in query:
        if name not in ("type", "camera", "mood", "last_id"):
            raise HTTPException(422, f"{name}: not a filter; there are type, camera, mood and last_id")
    for name, known in (("type", EVENT_TYPES), ("mood", tuple(Mood))):
        for value in query.getlist(name):
            if value not in known:
                raise HTTPException(422, f"{name}: {value[:50]!r} is none of {', '.join(known)}")
    cameras = query.getlist("camera")
    if len(cameras) > MAX_CAMERAS or not all(map(is_camera_id, cameras)):
        raise HTTPException(422, f"camera: at most {MAX_CAMERAS} names of cameras")
    return Filter(frozenset(query.getlist("type")), frozenset(cameras), frozenset(query.getlist("mood")))

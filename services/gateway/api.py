"""The HTTP API: events as they come, the present state, and what visitors may do. All of it is JSON."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.gateway.board import Board
from services.gateway.browser_camera import BrowserCameras
from services.gateway.feed import Feed, Wanted
from services.gateway.pages import SecurityHeaders
from shared.bus import Bus
from shared.circumplex import Mood
from shared.events import Event, FeedbackGiven, SongPicked, expiry, utc_now
from shared.origin import is_foreign
from shared.recording import RECORDED

log = logging.getLogger("moodstream.gateway")

MOST_BODY_BYTES = 16 * 1024
MOST_LISTENERS = 1_000
MOST_CAMERAS = 20
TOLD = tuple(event.__name__ for event in RECORDED)
"""What everybody may hear: no readings of faces, no questions."""
PUBLISH_S = 3.0
REST_AFTER_STOP_S = 20.0

ShortText = Field(min_length=1, max_length=200)
FourMoods = Literal[Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM]


class Body(BaseModel):
    """Bodies are small and exact: an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Pick(Body):
    offer_id: str = ShortText
    song_id: str = ShortText


class ChosenMood(Body):
    mood: FourMoods
    camera_id: str | None = Field(None, min_length=1, max_length=200)


class SessionEnd(Body):
    camera_id: str | None = Field(None, min_length=1, max_length=200)


class Feedback(Body):
    kind: Literal["like", "skip", "wrong_mood"]
    song_id: str | None = Field(None, min_length=1, max_length=200)
    mood: FourMoods | None = None
    camera_id: str | None = Field(None, min_length=1, max_length=200)
    profile: str | None = Field(None, min_length=1, max_length=200)


class Whose(Body):
    camera_id: str | None = Field(None, min_length=1, max_length=200)


class PlayerCommand(Body):
    command: Literal["pause", "resume", "next", "ended", "volume", "transfer"]
    percent: float | None = Field(None, ge=0, le=100)
    device: str | None = Field(None, min_length=1, max_length=200)
    song: str | None = Field(None, min_length=1, max_length=200)


B = TypeVar("B", bound=Body)


class Api:
    """Everything below ``/api/v1``."""

    def __init__(self, bus: Bus, board: Board, feed: Feed, cameras: BrowserCameras) -> None:
        self._bus = bus
        self._board = board
        self._feed = feed
        self._cameras = cameras
        self._closer: asyncio.Task[None] | None = None
        self._listeners = 0
        """counted when they come in and not when they are first told something: many may come at once"""

    def mount(self) -> Mount:
        """An app of its own, so that its errors are JSON whatever else runs in the process."""
        routes: list[BaseRoute] = [
            Route("/events", self.events),
            WebSocketRoute("/events/ws", self.events_by_websocket),
            Route("/state", self.state),
            Route("/picks", self.pick, methods=["POST"]),
            Route("/moods", self.choose_mood, methods=["POST"]),
            Route("/sessions/end", self.end_session, methods=["POST"]),
            Route("/feedback", self.give_feedback, methods=["POST"]),
            Route("/feedback", self.list_feedback, methods=["GET"]),
            Route("/feedback", self.clear_feedback, methods=["DELETE"]),
            Route("/songs/{what:str}", self.songs),
            Route("/player", self.command_player, methods=["POST"]),
        ]
        if self._board.browser_camera:
            routes.append(WebSocketRoute("/frames", self._cameras.serve))
        app = Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: _refusal,
                RedisError: _redis_away,
                OSError: _redis_away,
                ClientDisconnect: _nobody,
            },
        )
        app.router.redirect_slashes = False
        return Mount("/api/v1", app, middleware=[Middleware(SecurityHeaders, cache="no-store")])

    async def events(self, request: Request) -> StreamingResponse:
        """Server-sent events; ``Last-Event-ID`` or ``last_id`` resumes, ``type``, ``camera`` and ``mood`` filter."""
        last_id, wanted = self._admit(request)
        heard = self._feed.listen(request.headers.get("last-event-id") or last_id, wanted=wanted)
        return _Stream(heard, self._leave)

    async def events_by_websocket(self, socket: WebSocket) -> None:
        """The same over a WebSocket: one JSON object a message, with id, event and data."""
        try:
            if is_foreign(socket):  # browsers let any page open a WebSocket to anywhere
                raise HTTPException(403, "only pages of this server may listen")
            last_id, wanted = self._admit(socket)
        except HTTPException as error:
            await socket.send_denial_response(JSONResponse({"error": error.detail}, error.status_code))
            return
        try:
            await socket.accept()
            telling = asyncio.create_task(self._tell(socket, last_id, wanted))
            try:
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass  # nothing is expected from a listener
            finally:
                telling.cancel()
                await asyncio.wait([telling])
        finally:
            self._leave()

    async def _tell(self, socket: WebSocket, last_id: str | None, wanted: Wanted) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # gone in mid-sentence
            async with contextlib.aclosing(self._feed.messages(last_id, wanted=wanted)) as heard:
                async for batch in heard:
                    for message in batch:
                        await socket.send_text(message.json)
            await socket.close(1001)

    def _admit(self, connection: HTTPConnection) -> tuple[str | None, Wanted]:
        """The last id and what is wanted; ``_leave`` follows. Raises HTTPException for what is wrong or too many."""
        wanted = wanted_from(connection.query_params)
        if self._listeners >= MOST_LISTENERS:
            raise HTTPException(503, f"{MOST_LISTENERS} listen already; try again later", {"Retry-After": "10"})
        self._listeners += 1
        # Not a job of the service: those run only once Redis is there, and listeners come before.
        self._closer = self._closer or asyncio.create_task(self._close_feed())
        return connection.query_params.get("last_id"), wanted

    def _leave(self) -> None:
        self._listeners -= 1

    async def _close_feed(self) -> None:
        """The server waits for open streams before it ends."""
        await self._bus.stopping.wait()
        self._feed.close()

    async def state(self, _: Request) -> Response:
        return Response(self._board.to_json(), media_type="application/json")

    async def pick(self, request: Request) -> JSONResponse:
        """A song of an open offer; the same pick again makes the same event."""
        body = await _body(request, Pick)
        offer = self._board.offers.get(body.offer_id)
        if offer is None or offer.event.expires_at < utc_now():
            raise HTTPException(404, "this offer is unknown or has expired")
        if body.song_id not in {song.id for song in offer.event.songs}:
            raise HTTPException(422, "song_id: not a song of this offer")
        if offer.picked not in (None, body.song_id):
            raise HTTPException(409, "another song of this offer was picked already")
        picked = SongPicked.following(
            offer.event,
            offer_id=offer.event.id,
            song_id=body.song_id,
            mood=offer.event.mood,
            by="visitor",
            expires_at=expiry(SongPicked),
        )
        with self._bus.traces.step("gateway pick", offer.event):
            answer = await self._publish(picked)
        self._board.song_picked(picked.offer_id, picked.song_id)
        return answer

    async def choose_mood(self, request: Request) -> JSONResponse:
        """A mood chosen by hand, at a camera or with none."""
        body = await _body(request, ChosenMood)
        return await self._ask("mood.choose", {"camera_id": body.camera_id or self._board.camera_id, "mood": body.mood})

    async def end_session(self, request: Request) -> JSONResponse:
        """The visit ends and is forgotten."""
        body = await _body(request, SessionEnd)
        camera_id = body.camera_id or self._board.camera_id
        answer = await self._ask("session.end", {"camera_id": camera_id})
        if camera_id == self._board.camera_id:  # whoever stops is still before the camera, and wants not to be seen
            answer.background = BackgroundTask(self._cameras.rest_local, REST_AFTER_STOP_S)
        return answer

    async def give_feedback(self, request: Request) -> JSONResponse:
        """Like, skip or wrong mood."""
        body = await _body(request, Feedback)
        session_id = self._board.session_of(body.camera_id or self._board.camera_id)
        return await self._publish(
            FeedbackGiven(
                kind=body.kind, song_id=body.song_id, mood=body.mood, session_id=session_id, profile=body.profile
            )
        )

    async def list_feedback(self, request: Request) -> JSONResponse:
        """What was said in the visit at a camera (``?camera_id=``); profiles are for operators alone."""
        return await self._ask("feedback.list", self._visit(request.query_params.get("camera_id")))

    async def clear_feedback(self, request: Request) -> JSONResponse:
        """Forget what was said in the visit at a camera."""
        return await self._ask("feedback.clear", self._visit((await _body(request, Whose)).camera_id))

    def _visit(self, camera_id: str | None) -> dict[str, JsonValue]:
        session_id = self._board.session_of(camera_id or self._board.camera_id)
        if session_id is None:
            raise HTTPException(404, "nobody is visiting this camera")
        return {"session_id": session_id}

    async def songs(self, request: Request) -> JSONResponse:
        """``offer?mood=``, ``similar?id=&n=&mood=``, ``mood?id=``, ``path?id=&goal=&n=``: the recommender answers."""
        what = request.path_params["what"]
        if what not in ("offer", "similar", "mood", "path"):
            raise HTTPException(404, "there are songs/offer, songs/similar, songs/mood and songs/path")
        return await self._ask(f"songs.{what}", dict(request.query_params))

    async def command_player(self, request: Request) -> JSONResponse:
        """Pause, go on, next, volume, another device; ``ended`` says that the page has played a song to its end."""
        body = await _body(request, PlayerCommand)
        return await self._ask("player.command", body.model_dump(exclude_none=True))

    async def _publish(self, event: Event) -> JSONResponse:
        async with asyncio.timeout(PUBLISH_S):
            await self._bus.publish(event)
        return JSONResponse({"id": event.id}, 202)

    async def _ask(self, kind: str, body: dict[str, JsonValue]) -> JSONResponse:
        try:
            reply = await self._bus.ask(kind, body)
        except TimeoutError:
            raise HTTPException(504, f"nobody answered {kind} within a second") from None
        if reply.error is not None:
            raise HTTPException(409, reply.error)
        return JSONResponse({"result": reply.result})


class _Stream(StreamingResponse):
    """Server-sent events; ``leave`` is called when the listener has gone, however that happens."""

    def __init__(self, heard: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(heard, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def wanted_from(query: QueryParams) -> Wanted:
    """``type``, ``camera`` and ``mood``, each any number of times. Raises HTTPException with one line."""
    for name in query:
        if name not in ("type", "camera", "mood", "last_id"):
            raise HTTPException(422, f"{name}: not a filter; there are type, camera, mood and last_id")
    for name, known in (("type", TOLD), ("mood", tuple(Mood))):
        for value in query.getlist(name):
            if value not in known:
                raise HTTPException(422, f"{name}: {value[:50]!r} is none of {', '.join(known)}")
    cameras = query.getlist("camera")
    if len(cameras) > MOST_CAMERAS or not all(0 < len(camera) <= 200 for camera in cameras):
        raise HTTPException(422, f"camera: at most {MOST_CAMERAS} names of 1 to 200 characters")
    return Wanted(frozenset(query.getlist("type")), frozenset(cameras), frozenset(query.getlist("mood")))


async def _body(request: Request, kind: type[B]) -> B:
    """The JSON in a request's body. Raises HTTPException with one line when it is none, too big or not ours."""
    if is_foreign(request):
        raise HTTPException(403, "only pages of this server may do that")
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {MOST_BODY_BYTES} bytes")
    try:
        return kind.model_validate_json(bytes(raw) or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise HTTPException(400, "the body is not valid JSON") from None
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise HTTPException(422, f"{where}: {first['msg']}") from None


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _redis_away(_: Request, error: Exception) -> JSONResponse:
    log.info("a request failed because Redis is away: %s", error or type(error).__name__)
    return JSONResponse({"error": "Redis does not answer; try again in a moment"}, 503)


async def _nobody(_: Request, __: Exception) -> Response:
    """The sender left in mid-sentence; there is nobody to answer."""
    return Response(status_code=400)

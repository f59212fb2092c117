"""What anybody may read: the present, past moods and visits, whether the site works; and sending it pictures."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BeforeValidator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import MoodChanged, utc_now
from services.gateway.bodies import CameraName, FrameAccepted, MoodsNow, MoodsPast, SiteStateBody, Status, Visits
from services.gateway.context import Context
from services.gateway.guard import address_of
from services.gateway.health import SERVICES, Health, State
from services.gateway.openapi import JPEG_BODY
from services.gateway.state.cameras import is_well, known_cameras

MAX_MOODS = 500
PAGE = 500
MAX_PAGES = 10
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _require_text(given: object) -> object:
    """pydantic would accept numbers, too."""
    if not isinstance(given, str) or not _RFC_3339.fullmatch(given):
        raise ValueError("a time such as 2026-11-23T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_require_text)]


class SiteRoutes:
    """None of them changes anything, except sending a frame."""

    def __init__(self, context: Context) -> None:
        self._bus, self._state, self._context = context.bus, context.state, context

    def router(self) -> APIRouter:
        router = APIRouter()
        add = router.add_api_route
        add("/state", self.state, response_model=SiteStateBody, tags=["events"])
        add("/status", self.status, response_model=Status, tags=["status"])
        add("/moods/current", self.moods_now, response_model=MoodsNow, tags=["moods"])
        add("/moods", self.moods_past, response_model=MoodsPast, tags=["moods"])
        add("/sessions", self.sessions, response_model=Visits, tags=["sessions"])
        if self._context.browser_camera:
            router.add_api_websocket_route("/frames", self._context.browser_cameras.serve)
            add("/frames", self.explain_frames, status_code=426, include_in_schema=False)
            add(
                "/frames",
                self.push_frame,
                methods=["POST"],
                status_code=202,
                response_model=FrameAccepted,
                openapi_extra=JPEG_BODY,
                tags=["frames"],
            )
        return router

    async def state(self) -> Response:
        """All that is true now, as a `snapshot` event has it."""
        return Response(self._context.snapshot(), media_type="application/json")

    async def status(self) -> JSONResponse:
        """How the site does, for monitoring; 503 while Redis does not answer."""
        health = await self._context.health.read_health()
        return JSONResponse(site_status(self._context, health), 200 if health.redis else 503)

    async def moods_now(self) -> JSONResponse:
        """The newest mood of each camera."""
        moods = {name: view.mood.model_dump(mode="json") for name, view in self._state.cameras.items() if view.mood}
        return JSONResponse({"moods": moods})

    async def moods_past(
        self,
        count: Annotated[int, Query(ge=1, le=MAX_MOODS)] = 100,
        before: Annotated[str | None, Query(pattern="^[0-9]{1,15}-[0-9]{1,15}$")] = None,
        since: Moment | None = None,
        camera_id: CameraName | None = None,
        changes: Annotated[bool, Query(description="Only changes of mood, without those that repeat it.")] = False,
    ) -> JSONResponse:
        """Mood events of the past, newest first, as far back as they are kept."""
        if before == "0-0":  # Redis knows nothing before it
            return JSONResponse({"moods": [], "before": None})
        first = f"{max(0, int(since.timestamp() * 1000))}" if since else "-"
        stream, moods, last = self._bus.stream(MoodChanged), [], f"({before}" if before else "+"
        for _ in range(MAX_PAGES):
            entries = await self._bus.redis.xrevrange(stream, max=last, min=first, count=PAGE)
            for entry_id, fields in entries:
                if not _may_match(fields, camera_id, changes=changes):
                    continue
                event = self._bus.parse(stream, fields, entry_id)
                wanted = camera_id in (None, getattr(event, "camera_id", None))
                if isinstance(event, MoodChanged) and wanted and not (changes and event.repeated):
                    moods.append(event.model_dump(mode="json"))
                if len(moods) == count:
                    return JSONResponse({"moods": moods, "before": entry_id.decode()})
            if len(entries) < PAGE:
                return JSONResponse({"moods": moods, "before": None})
            last = f"({entries[-1][0].decode()}"
        return JSONResponse({"moods": moods, "before": last.removeprefix("(")})

    async def sessions(self, count: Annotated[int, Query(ge=1, le=200)] = 50) -> JSONResponse:
        """Visits of the last days: when, where, how long each mood stood. Ids are random and mean nothing."""
        return JSONResponse({"sessions": self._context.history.visits(count)})

    async def explain_frames(self) -> JSONResponse:
        """For a browser whose WebSocket arrives as a plain request, through a proxy."""
        text = "pictures come over a WebSocket; a proxy on the way does not pass on the header Upgrade"
        return JSONResponse({"error": text}, 426, {"Upgrade": "websocket"})

    async def push_frame(
        self, request: Request, camera: Annotated[str, Query(pattern="^[a-z0-9-]{1,40}$")]
    ) -> JSONResponse:
        """One JPEG picture of a camera that a program brings; it is read like any other, and not kept."""
        if not self._context.opening_control.opening.open:
            raise HTTPException(409, "the site is closed now")
        camera_id = await self._context.pushed_frames.accept_frame(camera, await request.body(), address_of(request))
        return JSONResponse({"camera_id": camera_id}, 202)


def _may_match(fields: dict[bytes, bytes], camera_id: str | None, *, changes: bool) -> bool:
    """Whether an entry may be asked for, by its text alone: to parse it costs a hundred times as much."""
    text = fields.get(b"__data__", b"")
    return (camera_id is None or camera_id.encode() in text) and not (changes and b'"repeated":true' in text)


def site_status(context: Context, health: Health) -> dict[str, Any]:
    """``Status``: nothing in it is a secret."""
    opening = context.opening_control.opening
    services = {name: _service_state(context, health, name) for name in SERVICES}
    cameras = known_cameras(context.state)
    broken = any(status is not None and not is_well(status) for _, status, _ in cameras)
    works = health.redis and all(services[name] == "online" for name in health.needed) and not (broken and opening.open)
    works = works and not context.pictures_on_disk
    return {
        "now": utc_now().isoformat(),
        "state": "ok" if works else "degraded",
        "opening": opening.to_json(),
        "redis": health.redis,
        "services": services | {"gateway": "online"},
        "cameras": {
            name: {
                "state": status.state if status else "unknown",
                "last_frame_at": view.last_frame_at.isoformat() if view and view.last_frame_at else None,
            }
            for name, status, view in cameras
        },
        "dead_letters": health.dead_letters,
        "pictures_on_disk": context.pictures_on_disk,
    }


def _service_state(context: Context, health: Health, service: str) -> State:
    if not health.redis:
        return "off" if service not in health.needed else "offline"
    status, playback = context.state.status.get((service, None)), context.state.playback
    state = health.state(service)
    is_stuck = service == "player" and playback is not None and playback.state not in ("ready", "playing", "paused")
    is_degraded = is_stuck or (status is not None and status.state == "degraded")
    return "degraded" if state == "online" and is_degraded else state

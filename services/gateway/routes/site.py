"""What anybody may read: the present, moods and visits of the past, how the site does; and pictures sent to it."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BeforeValidator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import MoodChanged, StatusChanged, utc_now
from services.gateway.bodies import MoodsNow, MoodsPast, Place, ShortText, Status, Taken, Visits
from services.gateway.context import Parts
from services.gateway.health import NEEDED, SERVICES, Health, State
from services.gateway.state.board import CameraView

MAX_MOODS = 500
PAGE = 500
MAX_PAGES = 10
_JPEG = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
PUSHED = {"requestBody": {"required": True, "content": _JPEG}}
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written_out(given: object) -> object:
    """pydantic would take numbers, too."""
    if not isinstance(given, str) or not _RFC_3339.fullmatch(given):
        raise ValueError("a time such as 2026-11-23T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class Reading:
    """None of it changes anything but ``frames``."""

    def __init__(self, parts: Parts) -> None:
        self._bus, self._board, self._parts = parts.bus, parts.board, parts

    def router(self) -> APIRouter:
        router = APIRouter()
        add = router.add_api_route
        add("/state", self.state, response_model=Place, tags=["events"])
        add("/status", self.status, response_model=Status, tags=["status"])
        add("/moods/current", self.moods_now, response_model=MoodsNow, tags=["moods"])
        add("/moods", self.moods_past, response_model=MoodsPast, tags=["moods"])
        add("/sessions", self.sessions, response_model=Visits, tags=["sessions"])
        if self._board.browser_camera:
            router.add_api_websocket_route("/frames", self._parts.browsers.serve)
            add(
                "/frames",
                self.push_frame,
                methods=["POST"],
                status_code=202,
                response_model=Taken,
                openapi_extra=PUSHED,
                tags=["frames"],
            )
        return router

    async def state(self) -> Response:
        """All that is true now, as a `snapshot` event has it."""
        return Response(self._board.to_json(), media_type="application/json")

    async def status(self) -> JSONResponse:
        """How the site does, for monitoring; 503 while Redis does not answer."""
        health = await self._parts.doctor.health()
        told = summary(self._parts, health)
        return JSONResponse(told, 200 if health.redis else 503)

    async def moods_now(self) -> JSONResponse:
        """The newest mood of each camera."""
        moods = {name: view.mood.model_dump(mode="json") for name, view in self._board.cameras.items() if view.mood}
        return JSONResponse({"moods": moods})

    async def moods_past(
        self,
        count: Annotated[int, Query(ge=1, le=MAX_MOODS)] = 100,
        before: Annotated[str | None, Query(pattern="^[0-9]{1,15}-[0-9]{1,15}$")] = None,
        since: Moment | None = None,
        camera_id: ShortText | None = None,
        changes: Annotated[bool, Query(description="without those that only tell again")] = False,
    ) -> JSONResponse:
        """Mood events of the past, newest first, as far back as they are kept."""
        if before == "0-0":  # Redis knows nothing before it
            return JSONResponse({"moods": [], "before": None})
        first = f"{max(0, int(since.timestamp() * 1000))}" if since else "-"
        stream, moods, last = self._bus.stream(MoodChanged), [], f"({before}" if before else "+"
        for _ in range(MAX_PAGES):
            entries = await self._bus.redis.xrevrange(stream, max=last, min=first, count=PAGE)
            for entry_id, fields in entries:
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
        return JSONResponse({"sessions": self._parts.history.visits(count)})

    async def push_frame(
        self, request: Request, camera: Annotated[str, Query(pattern="^[a-z0-9-]{1,40}$")]
    ) -> JSONResponse:
        """One JPEG picture of a camera that a program brings; it is read like any other, and not kept."""
        if not self._board.opening.open:
            raise HTTPException(409, "the site is closed now")
        return JSONResponse({"camera_id": await self._parts.pushed.take(camera, await request.body())}, 202)


def summary(parts: Parts, health: Health) -> dict[str, object]:
    """``Status``: nothing in it is a secret."""
    board = parts.board
    services = {name: _service_state(parts, health, name) for name in SERVICES}
    known = camera_states(parts)
    cameras = {
        name: {
            "state": told.state if told else "unknown",
            "last_frame_at": view.last_frame_at.isoformat() if view and view.last_frame_at else None,
        }
        for name, told, view in known
    }
    tired = any(told is not None and told.state != "online" for _, told, _ in known)
    well = health.redis and all(services[name] == "online" for name in NEEDED) and not (tired and board.opening.open)
    return {
        "now": utc_now().isoformat(),
        "state": "ok" if well else "degraded",
        "opening": board.opening.to_json(),
        "redis": health.redis,
        "services": services | {"gateway": "online"},
        "cameras": cameras,
        "dead_letters": health.dead_letters,
    }


def _service_state(parts: Parts, health: Health, service: str) -> State:
    if not health.redis:
        return "off" if service not in NEEDED else "offline"
    said = [one.state for (name, part), one in parts.board.status.items() if name == service and part is None]
    state = health.state(service)
    playback = parts.board.playback
    stuck = service == "player" and playback is not None and playback.state not in ("ready", "playing", "paused")
    return "degraded" if state == "online" and (stuck or "degraded" in said) else state


def camera_states(parts: Parts) -> list[tuple[str, StatusChanged | None, CameraView | None]]:
    """(camera id, what it has said last, what is seen of it) of each that is known."""
    statuses, seen = parts.board.status, parts.board.cameras
    told = {part: one for (service, part), one in statuses.items() if part and service in ("camera", "gateway")}
    return [(name, told.get(name), seen.get(name)) for name in sorted(told.keys() | seen.keys())]

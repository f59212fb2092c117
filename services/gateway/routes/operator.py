"""What only the operator may see and do."""

import os
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse

from moodstream.contracts.events import utc_now
from services.gateway.bodies import Doors, Result
from services.gateway.context import Parts
from services.gateway.routes.site import camera_states, summary

SECURITY: dict[str, Any] = {"security": [{"basic": []}, {"bearer": []}]}
SCHEMES = {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}}


class Operating:
    """Below ``/operator``, each with the operator's token."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._begun_s = time.monotonic()

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator", tags=["operator"], dependencies=[Depends(self._admit)])
        for path, serve, method in (
            ("/status", self.status, "GET"),
            ("/history", self.history, "GET"),
            ("/self-test", self.self_test, "POST"),
            ("/opening", self.set_opening, "POST"),
        ):
            router.add_api_route(path, serve, methods=[method], response_model=Result, openapi_extra=SECURITY)
        return router

    async def _admit(self, request: Request) -> None:
        self._parts.operator.admit(request)

    async def status(self) -> JSONResponse:
        """Everything that the operator's page shows."""
        parts, board = self._parts, self._parts.board
        health = await parts.doctor.health()
        told: dict[str, Any] = summary(parts, health)
        told["services"] = {
            name: {"state": state, "workers": health.workers.get(name, 0), "seen_s_ago": health.seen_s.get(name)}
            for name, state in told["services"].items()
        }
        told["services"]["gateway"] |= {"workers": 1, "seen_s_ago": 0.0}
        for name, said, view in camera_states(parts):
            told["cameras"][name] |= {
                "reason": said.reason if said else "",
                "code": said.code if said else None,
                "since": said.at.isoformat() if said else None,
                **(_visit(view.to_json()) if view else {}),
            }
        result = told | {
            "version": _version(),
            "site": {"camera_id": board.camera_id, "time_zone": str(parts.doors.zone), "prefix": parts.bus.prefix},
            "redis": {"up": health.redis, "ping_ms": health.ping_ms, "memory_mb": health.memory_mb},
            "streams": health.streams,
            "playback": board.playback and board.playback.model_dump(mode="json"),
            "volume_before_mute": board.loud,
            "listeners": parts.feed.listeners,
            "browser_cameras": parts.browsers.connected,
            "consents": await parts.consents.days(parts.doors.local_now()) if health.redis else [],
            "gateway": {"up_s": round(time.monotonic() - self._begun_s), "pid": os.getpid()},
        }
        return JSONResponse({"result": result})

    async def history(self, hours: Annotated[float, Query(ge=0.5, le=168)] = 6) -> JSONResponse:
        """Moods, visits and songs of the last hours, in at most 96 equal parts."""
        return JSONResponse({"result": self._parts.history.to_json(hours, utc_now())})

    async def self_test(self) -> JSONResponse:
        """Ask each service something harmless and have a drawn face read; takes some seconds when one is silent."""
        board = self._parts.board
        cameras = sorted({part for service, part in board.status if service == "camera" and part})
        return JSONResponse({"result": await self._parts.self_test.run(cameras)})

    async def set_opening(self, body: Doors) -> JSONResponse:
        """Open or close the site by hand until its hours change, or go by the hours again."""
        return JSONResponse({"result": (await self._parts.doors.set(body.open)).to_json()})


def _visit(view: dict[str, Any]) -> dict[str, Any]:
    """Who is there, as far as the operator has to know."""
    mood = view["mood"]
    here = mood is not None and mood["phase"] != "end"
    return {
        "frames": view["frames"],
        "mood": mood and mood["mood"],
        "confidence": mood and mood["confidence"],
        "faces": mood["faces"] if here else 0,
        "session_since": mood["since"] if here else None,
        "visited": here,
    }


def _version() -> str:
    try:
        return version("moodstream")
    except PackageNotFoundError:  # run from its folder
        return "unknown"

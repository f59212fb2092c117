"""What only the operator may see and do."""

import os
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import utc_now
from moodstream.contracts.requests import ForgetLearned, ListLearned
from moodstream.contracts.status_codes import StatusCode
from services.gateway.bodies import Result, SetOpening, ShortText, StartView
from services.gateway.calls import ask
from services.gateway.context import Context
from services.gateway.openapi import NOTED, OPERATOR_ONLY
from services.gateway.routes.site import site_status
from services.gateway.site_settings.control import Refused
from services.gateway.state.cameras import known_cameras
from services.gateway.state.history import KEPT
from services.gateway.state.report import Period, Span, create_report, to_csv
from shared.contracts.site_state import CameraView
from shared.web.operator import Who

LEARNED_S = 5.0
"""Thousands of songs may have been learned about."""


class OperatorRoutes:
    """Below ``/operator``, each with the operator's token."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._begun_s = time.monotonic()

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator", tags=["operator"], dependencies=[Depends(self._admit)])
        for path, serve, method in (
            ("/status", self.status, "GET"),
            ("/history", self.history, "GET"),
            ("/report", self.report, "GET"),
            ("/self-test", self.self_test, "POST"),
            ("/opening", self.set_opening, "POST"),
            ("/view", self.start_view, "POST"),
            ("/view", self.look, "GET"),
            ("/view", self.stop_view, "DELETE"),
            ("/learned", self.learned, "GET"),
            ("/learned", self.forget_learned, "DELETE"),
        ):
            router.add_api_route(path, serve, methods=[method], response_model=Result, **NOTED)
        router.add_api_route("/report.csv", self.report_csv, response_class=Response, openapi_extra=OPERATOR_ONLY)
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    def _admit_owner(self, request: Request) -> Who:
        return self._context.operator.admit(request)

    async def _note(self, request: Request, what: str) -> None:
        """Into the audit. Raises HTTPException where that cannot be."""
        try:
            await self._context.settings.note(request.state.who, what)
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None

    async def status(self, request: Request) -> JSONResponse:
        """Everything that the operator's page shows."""
        context, state, control = self._context, self._context.state, self._context.opening_control
        health = await context.health.read_health()
        result = site_status(context, health)
        result["services"] = {
            name: {"state": works, "workers": health.workers.get(name, 0), "seen_s_ago": health.seen_s.get(name)}
            for name, works in result["services"].items()
        }
        result["services"]["gateway"] |= {"workers": 1, "seen_s_ago": 0.0}
        for name, status, view in known_cameras(state):
            result["cameras"][name] |= {
                "reason": status.reason if status else "",
                "code": status.code if status else None,
                "since": status.at.isoformat() if status else None,
                **(_visit(view) if view else {}),
            }
        result |= {
            "version": _version(),
            "role": request.state.who.role,
            "site": {"camera_id": state.camera_id, "time_zone": str(control.zone), "prefix": context.bus.prefix},
            "redis": {"up": health.redis, "ping_ms": health.ping_ms, "memory_mb": health.memory_mb},
            "streams": health.streams,
            "playback": state.playback and state.playback.model_dump(mode="json"),
            "volume_before_mute": state.volume_before_mute,
            "listeners": context.feed.listeners,
            "voice": context.voice,
            "preview": context.mounting_views.preview,
            "view": context.mounting_views.to_json(),
            "browser_cameras": context.browser_cameras.connected,
            "consents": await context.consents.newest(control.local_now()) if health.redis else [],
            "gateway": {"up_s": round(time.monotonic() - self._begun_s), "pid": os.getpid()},
        }
        return JSONResponse({"result": result})

    async def learned(self) -> JSONResponse:
        """What the site has learned from its visitors: visits by song and mood, which fade by half in 30 days."""
        return await ask(self._context.bus, ListLearned(), LEARNED_S)

    async def forget_learned(self, request: Request, id: ShortText | None = None) -> JSONResponse:
        """Forget it, of one song or of all; the owner alone does that."""
        self._admit_owner(request)
        await self._note(request, f"forget learned {id or 'all'}")
        return await ask(self._context.bus, ForgetLearned(id=id), LEARNED_S)

    async def history(self, hours: Annotated[float, Query(ge=0.5, le=168)] = 6) -> JSONResponse:
        """Moods, visits and songs of the last hours, in at most 96 equal parts."""
        return JSONResponse({"result": self._context.history.to_json(hours, utc_now())})

    async def report(self, period: Period = "day", day: date | None = None) -> JSONResponse:
        """A day, or the week from Monday on in which it lies: visits, moods by hour, songs, consents."""
        return JSONResponse({"result": {**await self._report(period, day), "law": self._context.law()}})

    async def report_csv(self, period: Period = "day", day: date | None = None) -> Response:
        """The same as a table for spreadsheets, in UTF-8; no cell is a formula."""
        report = await self._report(period, day)
        named = f'attachment; filename="moodstream-{period}-{report["first"]}.csv"'
        body = "\ufeff" + to_csv(report)  # without the mark, Excel takes it for Windows-1252
        return Response(body.encode(), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": named})

    async def _report(self, period: Period, day: date | None) -> dict[str, Any]:
        """Raises HTTPException for days of which nothing is kept."""
        control = self._context.opening_control
        today = control.local_now().date()
        span = Span.around(day or today, period, control.zone)
        if not today - KEPT < span.first <= today:
            raise HTTPException(404, f"reports reach back {KEPT.days} days, and not into the future")
        return create_report(span, self._context.history, await self._context.consents.read_days(span.days))

    async def self_test(self) -> JSONResponse:
        """Ask each service something harmless and have a drawn face read; takes some seconds when one is silent."""
        cameras = sorted(self._context.state.parts_of("camera"))
        return JSONResponse({"result": await self._context.self_test.run(cameras)})

    async def set_opening(self, request: Request, body: SetOpening) -> JSONResponse:
        """Open or close the site by hand until its hours change, or go by the hours again."""
        await self._note(request, {True: "open", False: "close", None: "open by the hours"}[body.open])
        return JSONResponse({"result": (await self._context.opening_control.force(body.open)).to_json()})

    async def start_view(self, request: Request, body: StartView) -> JSONResponse:
        """Look through a camera for two minutes, to mount it; every visitors' page says so meanwhile. For the owner."""
        self._admit_owner(request)
        context, views = self._context, self._context.mounting_views
        if views.preview == "off":
            raise HTTPException(409, "MOODSTREAM_PREVIEW is off: nobody looks through a camera here")
        statuses = {name: status for name, status, _ in known_cameras(context.state)}
        if body.camera_id not in statuses.keys() | {context.state.camera_id}:
            raise HTTPException(404, f"there is no camera {body.camera_id}")
        status = statuses.get(body.camera_id)
        if status is not None and status.code == StatusCode.BROWSER:
            raise HTTPException(409, "nobody looks through the camera of a visitor's own device")
        await self._note(request, f"look through {body.camera_id}")
        await views.start(body.camera_id)
        await context.consents.count_view(context.opening_control.local_now())
        return JSONResponse({"result": views.to_json()})

    async def look(self, request: Request) -> JSONResponse:
        """What the camera sees now, a PNG in base64, with figures; null before the first picture and after the end."""
        self._admit_owner(request)
        picture, views = await self._context.mounting_views.look(), self._context.mounting_views
        shown = picture.model_dump(mode="json") if picture else None
        return JSONResponse({"result": {"view": views.to_json(), "picture": shown}})

    async def stop_view(self) -> JSONResponse:
        """End the look through a camera at once; nothing of it is left."""
        await self._context.mounting_views.stop()
        return JSONResponse({"result": {"view": None, "picture": None}})


def _visit(view: CameraView) -> dict[str, Any]:
    """Who is there, as far as the operator has to know."""
    mood = view.mood.model_dump(mode="json") if view.mood else None
    here = mood is not None and mood["phase"] != "end"
    return {
        "frames": view.frames,
        "mood": mood and mood["mood"],
        "confidence": mood and mood["confidence"],
        "faces": mood["faces"] if mood and here else 0,
        "session_since": mood["since"] if mood and here else None,
        "visited": here,
    }


def _version() -> str:
    try:
        return version("moodstream")
    except PackageNotFoundError:  # run from its folder
        return "unknown"

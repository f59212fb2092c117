"""Looking after: versions, log lines, restart, backup and restore. The owner alone."""

import asyncio
import contextlib
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends
from redis.exceptions import RedisError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse

from moodstream import __version__
from moodstream.contracts.requests import AskImport, StartImport
from moodstream.errors import MoodstreamError
from services.gateway.bodies import Result
from services.gateway.calls import ask_service
from services.gateway.context import Context
from services.gateway.openapi import NOTED, OPERATOR_ONLY, UPLOAD
from services.gateway.site_settings.control import Refused
from services.gateway.upkeep import backup
from services.gateway.upkeep.restart import other_services
from services.gateway.uploads.storage import NotTaken, Stored
from shared.logs import recent

SHOWN_LINES = 200


class UpkeepRoutes:
    def __init__(self, context: Context) -> None:
        self._context, self._upkeep = context, context.upkeep
        self._folder = context.uploads.tables.parent

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator/upkeep", tags=["operator"], dependencies=[Depends(self._admit_owner)])
        add = router.add_api_route
        add("", self.read, methods=["GET"], response_model=Result, **NOTED)
        add("/restart", self.restart, methods=["POST"], response_model=Result, **NOTED)
        add("/backup", self.download, methods=["GET"], response_class=FileResponse, openapi_extra=OPERATOR_ONLY)
        add("/backup", self.restore, methods=["PUT"], response_model=Result, **UPLOAD)
        return router

    async def _admit_owner(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request)

    async def read(self) -> JSONResponse:
        """Versions, and the newest log lines of this process: of every service under `moodstream run`."""
        told: dict[str, Any] = {
            "versions": {
                "moodstream": __version__,
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
            },
            "lines": list(recent.lines)[-SHOWN_LINES:],
            "update": self._context.updates.to_json(),
            "owns_services": self._upkeep.owns_services,
            "elsewhere": other_services(os.environ),
        }
        with contextlib.suppress(RedisError, OSError):  # this user may not ask for it, or it is away
            server = await self._context.bus.redis.info("server")
            told["versions"]["redis"] = str(server.get("valkey_version") or server.get("redis_version"))
        return JSONResponse({"result": told})

    async def restart(self, request: Request) -> JSONResponse:
        """All services of `moodstream run`; elsewhere the gateway alone, which its supervisor starts again."""
        await self._note(request, "restart")
        self._upkeep.restart()
        return JSONResponse({"result": {"services": "all" if self._upkeep.owns_services else "gateway"}})

    async def download(self, request: Request) -> FileResponse:
        """A zip of settings, look, catalogue and audit: no passwords, no addresses of alerts, no music."""
        await self._note(request, "download a backup")
        file = Path(tempfile.gettempdir(), f"moodstream-{id(request):x}.zip")
        try:
            await asyncio.to_thread(backup.write, self._folder, file)
        except OSError as error:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            raise HTTPException(507, f"the backup could not be made: {error.strerror}") from None
        day = self._context.opening_control.local_now().date()
        remove = BackgroundTask(file.unlink, missing_ok=True)
        return FileResponse(file, filename=f"moodstream-{day}.zip", media_type="application/zip", background=remove)

    async def restore(self, request: Request) -> JSONResponse:
        """A backup as the body: all of it is checked first, then it takes the place of what is set now."""
        stored = await self._stored(request)
        try:
            restored = await asyncio.to_thread(backup.read, stored.path)
            if restored.has_catalogue and (await ask_service(self._context.bus, AskImport())).state == "running":
                raise HTTPException(409, "an import is running; wait for its end or cancel it")
            await self._set(request, restored)
            if restored.has_catalogue:
                await self._import_catalogue(stored)
        except MoodstreamError as error:
            raise HTTPException(422, f"nothing was changed: {error}") from None
        except OSError as error:
            raise HTTPException(507, f"it could not be stored: {error.strerror}") from None
        finally:
            await asyncio.to_thread(stored.path.unlink, missing_ok=True)
        told = {"settings": len(restored.settings), "logo": restored.logo is not None}
        return JSONResponse({"result": {**told, "texts": sorted(restored.texts), "catalogue": restored.has_catalogue}})

    async def _set(self, request: Request, restored: backup.Restored) -> None:
        """The settings as the services check them, then the look. Raises HTTPException or OSError."""
        control, look = self._context.settings, self._context.look
        try:
            stored, groups = await control.read()
            settable = {one.name for group in groups for one in group.settings if one.set_by != "environment"}
            values = {name: restored.settings.get(name) for name in {*stored.values, *restored.settings} & settable}
            if values:
                await control.change(stored.version, values, request.state.who)
            await control.note(request.state.who, "restore a backup")
        except Refused as refused:
            raise HTTPException(refused.status, f"nothing was changed: {refused}") from None
        await asyncio.to_thread(look.set_logo, restored.logo)
        for language, texts in restored.texts.items():
            await asyncio.to_thread(look.set_texts, language, texts)
        self._context.show_logo(await asyncio.to_thread(look.logo_version))

    async def _import_catalogue(self, stored: Stored) -> None:
        """As any table: the old songs stay until it was checked."""
        table = self._context.uploads.tables / backup.CATALOGUE
        await asyncio.to_thread(backup.take_catalogue, stored.path, table)
        await ask_service(self._context.bus, StartImport(source="table", path=str(table), name=table.name))

    async def _stored(self, request: Request) -> Stored:
        length = request.headers.get("content-length", "")
        try:
            return await self._context.uploads.store_backup(
                int(length) if length.isdecimal() else None, request.stream()
            )
        except NotTaken as refused:
            raise HTTPException(refused.status, str(refused), {"Connection": "close"}) from None
        except ClientDisconnect:
            raise HTTPException(400, "the connection was lost; send it again") from None

    async def _note(self, request: Request, what: str) -> None:
        try:
            await self._context.settings.note(request.state.who, what)
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None

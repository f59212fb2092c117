"""The owner's own songs: uploads, and the import that makes them the songs that are offered."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StrictBool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from moodstream.contracts.requests import AskImport, CancelImport, SongsImport, StartImport
from moodstream.errors import MoodstreamError
from services.gateway.bodies import Body, Result
from services.gateway.calls import ask_service
from services.gateway.context import Context
from services.gateway.openapi import NOTED, UPLOAD
from services.gateway.site_settings.control import Refused
from services.gateway.uploads.storage import MAX_SOUND_BYTES, MAX_SOUNDS, MAX_TABLE_BYTES, NotTaken, Stored

FileName = Annotated[str, Query(min_length=1, max_length=1000, description="Of the file; folders before it count.")]


ANSWER_S = 2.0


class BeginImport(Body):
    source: Literal["music", "folder", "sample", "table"]
    """`music`: what was uploaded; `table`: the table that was uploaded last, once more"""
    folder: Annotated[str, Field(max_length=1000)] = ""
    """of `folder`: its whole path on the machine of Moodstream"""
    guess: StrictBool = False
    """take what is proposed for columns of unknown names"""


class ImportRoutes:
    """Staff may look; the owner alone changes."""

    def __init__(self, context: Context) -> None:
        self._context, self._uploads = context, context.uploads

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator/import", tags=["operator"])
        owner = [Depends(self._admit_owner)]
        add = router.add_api_route
        add("", self.read, methods=["GET"], dependencies=[Depends(self._admit)], response_model=Result, **NOTED)
        add("", self.begin, methods=["POST"], dependencies=owner, response_model=Result, **NOTED)
        add("", self.cancel, methods=["DELETE"], dependencies=owner, response_model=Result, **NOTED)
        add("/table", self.take_table, methods=["PUT"], dependencies=owner, response_model=Result, **UPLOAD)
        add("/music", self.take_sound, methods=["PUT"], dependencies=owner, response_model=Result, **UPLOAD)
        add("/music", self.delete_sounds, methods=["DELETE"], dependencies=owner, response_model=Result, **NOTED)
        add("/music", self.sounds, methods=["GET"], dependencies=owner, response_model=Result, **NOTED)
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    async def _admit_owner(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request)

    async def read(self) -> JSONResponse:
        """How the import does, what was uploaded, and what may be; also while the recommender does not answer."""
        fault = await asyncio.to_thread(self._uploads.fault)
        sounds = {} if fault else await asyncio.to_thread(self._uploads.describe)
        told: dict[str, Any] = {"import": None, "away": None}
        try:
            told["import"] = (await self._context.bus.ask(AskImport(), ANSWER_S)).model_dump(mode="json")
        except MoodstreamError as error:
            told["away"] = str(error)
        told |= {
            "fault": fault,
            "uploaded": {"files": len(sounds), "bytes": sum(sounds.values())},
            "music": {"folder": str(self._context.music.folder), "fixed": self._context.music_fixed},
            "limits": {"table_bytes": MAX_TABLE_BYTES, "sound_bytes": MAX_SOUND_BYTES, "sounds": MAX_SOUNDS},
        }
        return JSONResponse({"result": told})

    async def sounds(self) -> JSONResponse:
        """By name, the bytes of each file of music that was uploaded: a sender that was cut off sends the others."""
        return JSONResponse({"result": await asyncio.to_thread(self._uploads.describe)})

    async def delete_sounds(self, request: Request) -> JSONResponse:
        """Delete every file of music that was sent; its songs leave the catalogue first, what plays is heard out."""
        await self._require_idle()
        if not await asyncio.to_thread(self._uploads.describe):
            raise HTTPException(404, "no music was uploaded")
        await self._note(request, "delete the uploaded music")
        try:
            return _answer(await self._context.clearing.begin())
        except MoodstreamError as error:
            raise HTTPException(504, f"nothing was deleted: {error}") from None

    async def take_table(self, request: Request, name: FileName) -> JSONResponse:
        """A table of songs, as the body; it is imported at once, and the old songs stay until all is well."""
        await self._require_idle()
        await self._note(request, f"upload table {name}")
        stored = await self._stored(self._uploads.store_table(name, _length(request), request.stream()))
        asked = StartImport(source="table", path=str(stored.path), name=stored.name)
        return await self._start(asked)

    async def take_sound(self, request: Request, name: FileName) -> JSONResponse:
        """One file of music, as the body; `POST /operator/import` makes songs of all that were sent."""
        self._require_own_music()
        stored = await self._stored(self._uploads.store_sound(name, _length(request), request.stream()))
        return JSONResponse({"result": {"name": stored.name, "bytes": stored.size}})

    async def begin(self, request: Request, body: BeginImport) -> JSONResponse:
        """Begin an import; it goes on after a restart, and its end is told by `GET`."""
        await self._require_idle()
        await self._note(request, f"import songs from {body.source} {body.folder}".strip())
        return await self._start(await self._asked(request, body))

    async def cancel(self, request: Request) -> JSONResponse:
        """End the import within seconds; the old songs stay."""
        await self._note(request, "cancel the import of songs")
        return _answer(await ask_service(self._context.bus, CancelImport()))

    async def _asked(self, request: Request, body: BeginImport) -> StartImport:
        if body.source == "sample":
            return StartImport(source="sample")
        if body.source == "table":
            table = await asyncio.to_thread(self._uploads.table)
            if table is None:
                raise HTTPException(404, "no table was uploaded, or it was imported already")
            return StartImport(source="table", path=str(table), name=table.name, guess=body.guess)
        if body.source == "folder":
            return await self._folder(request, body.folder)
        self._require_own_music()
        if self._context.music.folder != self._uploads.music:
            await self._set_music(request, None)
        return StartImport(source="folder", path=str(self._uploads.music), name=self._uploads.music.name)

    async def _folder(self, request: Request, given: str) -> StartImport:
        """Songs of a folder of this machine, from where the page then plays them."""
        folder = await asyncio.to_thread(_find_folder, given)
        if folder is None:
            raise HTTPException(422, f"{given or 'nothing'} is no folder of the machine of Moodstream")
        if folder != self._context.music.folder:
            await self._set_music(request, str(folder))
        return StartImport(source="folder", path=str(folder), name=folder.name)

    async def _set_music(self, request: Request, folder: str | None) -> None:
        """From where the page plays songs. Raises HTTPException."""
        try:
            await self._context.settings.set("music", folder, request.state.who)
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None

    def _require_own_music(self) -> None:
        """Raises HTTPException where the page would never play what was uploaded."""
        if self._context.music_fixed:
            text = f"MOODSTREAM_MUSIC is {self._context.music.folder}: put the files there, then import that folder"
            raise HTTPException(409, text)

    async def _require_idle(self) -> None:
        """Before anything is stored or set. Raises HTTPException."""
        now = await ask_service(self._context.bus, AskImport())
        if now.state == "running":
            raise HTTPException(409, "an import is running already; wait for its end or cancel it")
        if now.refused is not None and now.state == "none":
            raise HTTPException(409, now.refused)

    async def _start(self, asked: StartImport) -> JSONResponse:
        return _answer(await ask_service(self._context.bus, asked))

    async def _note(self, request: Request, what: str) -> None:
        try:
            await self._context.settings.note(request.state.who, what)
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None

    @staticmethod
    async def _stored(storing: Awaitable[Stored]) -> Stored:
        try:
            return await storing
        except NotTaken as refused:
            raise HTTPException(refused.status, str(refused), {"Connection": "close"}) from None
        except ClientDisconnect:
            raise HTTPException(400, "the connection was lost; send it again") from None


def _answer(told: SongsImport) -> JSONResponse:
    return JSONResponse({"result": told.model_dump(mode="json")})


def _find_folder(given: str) -> Path | None:
    """A folder of this machine by its whole path, also one that begins with ~. Blocks."""
    try:
        folder = Path(given).expanduser()
        return folder.resolve() if folder.is_absolute() and folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None

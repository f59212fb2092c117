"""What the owner sets, and what staff may do to the songs: below ``/operator``, with the operator's token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import Field, JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from moodstream.contracts.events import Song
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import FindMood, FourMoods
from services.gateway.bodies import Body, Result, ShortText
from services.gateway.calls import ask_service
from services.gateway.context import Context
from services.gateway.openapi import CHANGES_SETTINGS
from services.gateway.site_settings.control import Refused
from shared.web.operator import Who

MAX_SETTINGS = 50


class ChangeSettings(Body):
    values: Annotated[dict[str, JsonValue], Field(min_length=1, max_length=MAX_SETTINGS)]
    """by name; null goes back to the default"""


class BlockSong(Body):
    song_id: ShortText
    artist: bool = False
    """the artist, with all songs, instead of the song alone"""


class CorrectMood(Body):
    song_id: ShortText
    mood: FourMoods | None
    """null goes by the model again"""


class SettingsRoutes:
    """Staff may look; the owner alone changes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator", tags=["operator"])
        for path, serve, method, admit in (
            ("/settings", self.read, "GET", self._admit),
            ("/settings", self.change, "PATCH", self._admit_owner),
            ("/audit", self.audit, "GET", self._admit_owner),
            ("/block", self.block, "POST", self._admit),
            ("/song-mood", self.correct_mood, "POST", self._admit_owner),
        ):
            guards = [Depends(admit)]
            router.add_api_route(
                path, serve, methods=[method], dependencies=guards, response_model=Result, **CHANGES_SETTINGS
            )
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    async def _admit_owner(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request)

    async def read(self, request: Request) -> JSONResponse:
        """The settings of every service, with who sets each: the environment, the file or the default.

        The version is in `ETag`, too.
        """
        return await self._answer(request.state.who)

    async def change(
        self, request: Request, body: ChangeSettings, if_match: Annotated[str | None, Header()] = None
    ) -> JSONResponse:
        """Set some, all or none of them, on top of the version that was read (`If-Match`).

        412 where somebody else was quicker, 422 where a service would not take it, 409 where the environment sets it.
        """
        if if_match is None:
            raise HTTPException(428, "If-Match: the version of the settings that this changes is needed")
        try:
            await self._context.settings.change(if_match.strip('" '), body.values, request.state.who)
        except Refused as refused:
            return _refusal(refused)
        return await self._answer(request.state.who)

    async def audit(self) -> JSONResponse:
        """Who has changed what, newest first."""
        return JSONResponse({"result": await self._context.settings.audited()})

    async def block(self, request: Request, body: BlockSong) -> JSONResponse:
        """Never offer a song of the catalogue again, or its artist; the owner may take that back in the settings."""
        song = await self._song(body.song_id)
        line = " ".join((song.artist if body.artist else song.id).split())
        try:
            await self._context.settings.block(line, _remark(song), request.state.who)
        except Refused as refused:
            return _refusal(refused)
        return JSONResponse({"result": {"blocked": line}})

    async def correct_mood(self, request: Request, body: CorrectMood) -> JSONResponse:
        """The mood of a song of the catalogue, which the owner knows better than the model; it counts at once."""
        song = await self._song(body.song_id)
        mood = Mood(body.mood) if body.mood else None
        try:
            await self._context.settings.correct(song.id, mood, _remark(song), request.state.who)
        except Refused as refused:
            return _refusal(refused)
        return JSONResponse({"result": {"id": song.id, "mood": body.mood}})

    async def _song(self, song_id: str) -> Song:
        """Raises HTTPException where there is none, or where a line of a list cannot hold its id."""
        song = (await ask_service(self._context.bus, FindMood(id=song_id))).song
        if song is None or song.id != " ".join(song.id.split()) or song.id.startswith("#"):
            raise HTTPException(404, "there is no such song")
        return song

    async def _answer(self, who: Who) -> JSONResponse:
        try:
            stored, groups = await self._context.settings.read()
        except Refused as refused:
            return _refusal(refused)
        shown = [one.to_json() for one in groups]
        return JSONResponse(
            {"result": {"version": stored.version, "role": who.role, "groups": shown}},
            headers={"ETag": f'"{stored.version}"'},
        )


def _remark(song: Song) -> str:
    return " ".join(f"{song.title}, {song.artist}".split())


def _refusal(refused: Refused) -> JSONResponse:
    return JSONResponse({"error": str(refused), "setting": refused.setting}, refused.status)

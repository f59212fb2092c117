"""Requests over the HTTP API, which offers most kinds."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, JsonValue

from moodstream.addresses import api, without_password
from moodstream.contracts.events import Song
from moodstream.contracts.requests import (
    AskPlayer,
    ChooseMood,
    ClearFeedback,
    CommandPlayer,
    EndSession,
    FindMood,
    FindNext,
    FindPath,
    FindSimilar,
    ListFeedback,
    OfferSongs,
    Request,
    SearchSongs,
)
from moodstream.errors import MoodstreamError, NoAnswer, RequestRefused
from moodstream.http_answers import error_line, not_moodstream, unreachable

R = TypeVar("R", bound=BaseModel)

ROUTES: Mapping[type[Request[Any]], tuple[str, str]] = {
    OfferSongs: ("GET", "/songs/offer"),
    FindSimilar: ("GET", "/songs/similar"),
    FindNext: ("GET", "/songs/next"),
    FindPath: ("GET", "/songs/path"),
    FindMood: ("GET", "/songs/mood"),
    SearchSongs: ("GET", "/songs/search"),
    ChooseMood: ("POST", "/moods"),
    EndSession: ("POST", "/sessions/end"),
    CommandPlayer: ("POST", "/player"),
    AskPlayer: ("GET", "/player"),
    ListFeedback: ("GET", "/feedback"),
    ClearFeedback: ("DELETE", "/feedback"),
}


@dataclass(frozen=True)
class _Call:
    """One call of the API."""

    kind: str
    method: str
    path: str
    fields: dict[str, JsonValue] = field(default_factory=dict)


class HttpAsker:
    """Maps each kind of request to a call of the API."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http, self._url = http, url

    async def ask(self, request: Request[R]) -> R:
        """Raises RequestRefused, NoAnswer, or MoodstreamError: the kind is not offered, or the page does not answer."""
        body = await self._call(await self._call_for(request))
        try:
            result = body["result"]
        except (KeyError, TypeError):
            raise MoodstreamError(f"the answer to {request.KIND} cannot be read: it has no result") from None
        return request.reply(result)

    async def _call_for(self, request: Request[Any]) -> _Call:
        route = ROUTES.get(type(request))
        if route is None:
            raise MoodstreamError(f"{request.KIND} is not offered over HTTP; ask over Redis")
        fields = request.model_dump(mode="json", exclude_none=True)
        if isinstance(request, FindNext):
            fields["id"] = fields.pop("ids")
        if isinstance(request, CommandPlayer) and isinstance(request.song, Song):
            fields["song"] = request.song.id  # the site plays songs of its own catalogue alone
        if isinstance(request, ListFeedback | ClearFeedback):
            fields = {"camera_id": await self._camera_of(request)}
        return _Call(request.KIND, *route, fields)

    async def _camera_of(self, request: ListFeedback | ClearFeedback) -> str:
        """The API knows a visit by its camera, for as long as it goes on."""
        if request.session_id is None:
            raise MoodstreamError(f"{request.KIND} of a profile is not offered over HTTP; ask over Redis")
        body = await self._call(_Call(request.KIND, "GET", "/moods/current"))
        for camera_id, mood in body["moods"].items():
            if mood["session_id"] == request.session_id and mood["phase"] != "end":
                return str(camera_id)
        raise RequestRefused("this visit is unknown or over; over HTTP, feedback can be asked for while it goes on")

    async def _call(self, call: _Call) -> Any:
        given: dict[str, Any] = {"json" if call.method == "POST" else "params": call.fields}
        begun_s = time.monotonic()
        try:
            response = await self._http.request(call.method, api(self._url) + call.path, **given)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            raise NoAnswer(call.kind, round(time.monotonic() - begun_s, 1)) from None
        except httpx.HTTPError as error:
            raise unreachable(self._url, error) from None
        if response.status_code == 504:
            raise NoAnswer(call.kind, round(time.monotonic() - begun_s, 1))
        return self._body_of(response)

    def _body_of(self, response: httpx.Response) -> Any:
        line = error_line(response)
        if line is not None and response.is_client_error:
            raise RequestRefused(line)
        if line is not None and response.is_server_error:
            raise MoodstreamError(f"{without_password(self._url)}: {line}")
        try:
            if response.is_success:
                return response.json()
        except ValueError:
            pass
        raise not_moodstream(self._url, response)


@asynccontextmanager
async def open_http(url: str, timeout_s: float) -> AsyncIterator[HttpAsker]:
    """Connects when it is first asked."""
    async with httpx.AsyncClient(timeout=timeout_s) as http:
        yield HttpAsker(http, url)

"""The look of the place: its own texts and logo. Staff may look, the owner changes."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from moodstream.errors import MoodstreamError
from services.gateway.bodies import Body, Result
from services.gateway.context import Context
from services.gateway.look.png import NoPicture
from services.gateway.look.texts import words_of
from services.gateway.openapi import NOTED, UPLOAD
from services.gateway.site_settings.control import Refused
from services.gateway.state.kiosk import Language

MAX_TEXTS = 60


class OwnTexts(Body):
    language: Language
    texts: Annotated[dict[str, str], Field(max_length=MAX_TEXTS)]
    """by key; an empty one is the page's again"""


class LookRoutes:
    """Below ``/operator/look``; what every page loads is below ``/look``."""

    def __init__(self, context: Context) -> None:
        self._context, self._folder = context, context.look

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator/look", tags=["operator"])
        owner = [Depends(self._admit_owner)]
        add = router.add_api_route
        add("", self.read, methods=["GET"], dependencies=[Depends(self._admit)], response_model=Result, **NOTED)
        add("", self.set_texts, methods=["POST"], dependencies=owner, response_model=Result, **NOTED)
        add("/logo", self.set_logo, methods=["PUT"], dependencies=owner, response_model=Result, **UPLOAD)
        add("/logo", self.remove_logo, methods=["DELETE"], dependencies=owner, response_model=Result, **NOTED)
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    async def _admit_owner(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request)

    async def read(self, language: Language = "en") -> JSONResponse:
        """The texts that a place may have its own of, as the page has them and as this place does; the logo."""
        own = await asyncio.to_thread(self._folder.texts, language)
        texts = [{"key": key, "page": text, "own": own.get(key, "")} for key, text in words_of(language).items()]
        logo = await asyncio.to_thread(self._folder.logo_version)
        return JSONResponse({"result": {"language": language, "texts": texts, "logo": logo}})

    async def set_texts(self, request: Request, body: OwnTexts) -> JSONResponse:
        """The texts of this place in one language; pages have them when they are loaded anew."""
        await self._change(
            request, f"texts in {body.language}", lambda: self._folder.set_texts(body.language, body.texts)
        )
        return await self.read(body.language)

    async def set_logo(self, request: Request) -> JSONResponse:
        """A PNG of at most 512 KB and 2,000 pixels a side, of which the pixels alone are kept."""
        data = await request.body()
        await self._change(request, "logo", lambda: self._folder.set_logo(data))
        return await self._shown()

    async def remove_logo(self, request: Request) -> JSONResponse:
        """The page's own mark again."""
        await self._change(request, "no logo", lambda: self._folder.set_logo(None))
        return await self._shown()

    async def _shown(self) -> JSONResponse:
        logo = await asyncio.to_thread(self._folder.logo_version)
        self._context.show_logo(logo)
        return JSONResponse({"result": {"logo": logo}})

    async def _change(self, request: Request, what: str, change: Callable[[], None]) -> None:
        """Noted, then done. Raises HTTPException: then nothing has changed."""
        try:
            await self._context.settings.note(request.state.who, f"look: {what}")
            await asyncio.to_thread(change)
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None
        except NoPicture as error:
            raise HTTPException(415, f"the logo was not taken: {error}") from None
        except MoodstreamError as error:
            raise HTTPException(422, str(error)) from None
        except OSError as error:
            raise HTTPException(507, f"it could not be stored, and stays as it was: {error.strerror}") from None


def look_pages(context: Context) -> list[BaseRoute]:
    """What every page loads, below ``/look``: no secrets, and nothing that runs."""

    async def logo(_: Request) -> Response:
        data = await asyncio.to_thread(context.look.logo)
        if data is None:
            return Response("there is no logo", 404, media_type="text/plain")
        return Response(data, media_type="image/png")

    async def texts(request: Request) -> Response:
        language = request.path_params["language"]
        try:
            words_of(language)
        except KeyError:
            return JSONResponse({}, 404)
        return JSONResponse(await asyncio.to_thread(context.look.texts, language))

    return [Route("/logo.png", logo), Route("/texts/{language}.json", texts)]

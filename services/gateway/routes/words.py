"""What visitors write is read here, and forgotten: no event, log or trace holds it."""

from uuid import uuid4

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse

from moodstream.contracts.events import Probabilities, WordsRead
from services.gateway.bodies import WordsResult, WrittenWords
from services.gateway.calls import publish_within
from services.gateway.context import Context
from services.gateway.guard import address_of
from services.gateway.routes.places import place_of
from shared.web.rate_limit import Limits

WORDS_PER_S, WORDS_BURST = 0.5, 30
"""Of one address."""


class WordsRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._limits = Limits(WORDS_PER_S, WORDS_BURST)

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_api_route("/words", self.read, methods=["POST"], response_model=WordsResult, tags=["moods"])
        return router

    async def read(self, body: WrittenWords, request: HttpRequest) -> JSONResponse:
        """The mood of what somebody writes, which then counts in the visit at a camera, or begins one at a place
        without. The text is read and forgotten; where it tells no mood, nothing follows from it."""
        reader = self._context.words
        if reader is None:
            raise HTTPException(404, "words are not read here (MOODSTREAM_WORDS)")
        if wait_s := self._limits.take(address_of(request)):
            raise HTTPException(429, "too many texts; try again in a moment", {"Retry-After": f"{max(1, wait_s):.0f}"})
        camera_id = place_of(self._context.state, body.camera_id)
        reading = reader.read(body.text)
        shares = reading.probabilities
        event = WordsRead(
            id=str(uuid4()),
            camera_id=camera_id,
            probabilities=None if shares is None else Probabilities(**{str(mood): p for mood, p in shares.items()}),
            valence=reading.valence,
            language=reading.language,
            model=reader.model_name,
        )
        if event.probabilities is not None:
            await publish_within(self._context.bus, event)
        result = WordsResult.model_validate(event.model_dump())
        return JSONResponse(result.model_dump(mode="json"))

"""What every part of the API does with the bus: publish an event, ask a service; failures become answers."""

import asyncio
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from moodstream.contracts.events import Event
from moodstream.contracts.requests import Request
from moodstream.errors import MoodstreamError, NoAnswer
from shared.bus.asking import TIMEOUT_S
from shared.bus.connection import Bus

PUBLISH_S = 3.0

R = TypeVar("R", bound=BaseModel)


async def publish(bus: Bus, event: Event) -> JSONResponse:
    """Raises what Redis raises, or TimeoutError."""
    async with asyncio.timeout(PUBLISH_S):
        await bus.publish(event)
    return JSONResponse({"id": event.id}, 202)


async def ask(bus: Bus, request: Request[Any], timeout_s: float = TIMEOUT_S) -> JSONResponse:
    """The answer of the service that serves the request. Raises HTTPException when it refuses or is silent."""
    reply = await ask_service(bus, request, timeout_s)
    return JSONResponse({"result": reply.model_dump(mode="json")})


async def ask_service(bus: Bus, request: Request[R], timeout_s: float = TIMEOUT_S) -> R:
    """What the service replies. Raises HTTPException when it refuses or is silent."""
    try:
        return await bus.ask(request, timeout_s)
    except NoAnswer as error:
        raise HTTPException(504, str(error)) from None
    except MoodstreamError as error:
        raise HTTPException(409, str(error)) from None

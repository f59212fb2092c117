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

PUBLISH_S, PUBLISH_ROUND_TRIPS = 3.0, 5
"""A connection may have to be made first."""

R = TypeVar("R", bound=BaseModel)


async def publish(bus: Bus, event: Event) -> JSONResponse:
    """Raises what Redis raises, or TimeoutError."""
    await publish_within(bus, event)
    return JSONResponse({"id": event.id}, 202)


async def publish_within(bus: Bus, event: Event, base_s: float = PUBLISH_S) -> None:
    """Publish, and wait for Redis as long as a visitor does. Raises what Redis raises, or TimeoutError."""
    async with asyncio.timeout(bus.line.patience_s(base_s, PUBLISH_ROUND_TRIPS)):
        await bus.publish(event)


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

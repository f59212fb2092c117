"""What every part of the API does with the bus: publish an event, ask a service; failures become answers."""

import asyncio

from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from moodstream.contracts.events import Event
from shared.bus.connection import Bus

PUBLISH_S = 3.0


async def publish(bus: Bus, event: Event) -> JSONResponse:
    """Raises what Redis raises, or TimeoutError."""
    async with asyncio.timeout(PUBLISH_S):
        await bus.publish(event)
    return JSONResponse({"id": event.id}, 202)


async def ask(bus: Bus, kind: str, body: dict[str, JsonValue]) -> JSONResponse:
    """The answer of the service that serves ``kind``. Raises HTTPException when it refuses or is silent."""
    try:
        reply = await bus.ask(kind, body)
    except TimeoutError:
        raise HTTPException(504, f"nobody answered {kind} within a second") from None
    if reply.error is not None:
        raise HTTPException(409, reply.error)
    return JSONResponse({"result": reply.result})

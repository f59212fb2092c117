"""Asking over the bare wire, as a stranger does: any kind, any body, and the reply as it stands there."""

import asyncio
from datetime import timedelta

from pydantic import JsonValue

from moodstream.contracts.events import ReplyGiven, RequestMade, utc_now
from shared.bus.connection import Bus


async def ask(bus: Bus, kind: str, body: dict[str, JsonValue], timeout_s: float = 1.0) -> ReplyGiven:
    """Raises TimeoutError when nobody answers in time."""
    start = await bus.last_id(ReplyGiven)
    request = RequestMade(kind=kind, body=body, expires_at=utc_now() + timedelta(seconds=timeout_s))
    async with asyncio.timeout(timeout_s):
        await bus.publish(request)
        async for entry in bus.follow({ReplyGiven: start}, block_ms=500):
            if entry and isinstance(entry[1], ReplyGiven) and entry[1].request_id == request.id:
                return entry[1]
    raise TimeoutError

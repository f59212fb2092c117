"""Asking another service: publish a request, then wait for its reply on the stream of replies."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel

from moodstream.contracts.events import ReplyGiven
from moodstream.contracts.requests import Request
from moodstream.errors import NoAnswer
from shared.bus.follower import Follower
from shared.bus.publisher import Publisher

TIMEOUT_S = 2.0
ROUND_TRIPS = 10
"""Of the question, the handler and the reply together, with some to spare: on a slow line it takes so much longer."""
BLOCK_MS = 500
"""How long one read of the replies waits."""

R = TypeVar("R", bound=BaseModel)


async def ask(publisher: Publisher, follower: Follower, request: Request[R], timeout_s: float = TIMEOUT_S) -> R:
    """Ask whichever service answers this kind. Raises RequestRefused, or NoAnswer when nobody answers in time."""
    start = await follower.last_id(ReplyGiven)
    made = request.made(timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            await publisher.publish(made)
            async for entry in follower.follow({ReplyGiven: start}, block_ms=BLOCK_MS):
                if entry and isinstance(entry[1], ReplyGiven) and entry[1].request_id == made.id:
                    return request.reply_of(entry[1])
    except TimeoutError:
        pass
    raise NoAnswer(request.KIND, timeout_s)

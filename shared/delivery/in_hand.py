"""An entry that is being handled stays with its worker, however long that takes: it says so every two seconds.

Redis gives to another worker what has been idle for five seconds (``shared.delivery.consume``). On a slow line a
handler may need longer, and no other worker can know that. What a dead worker had in hand is claimed as soon as ever.
"""

import asyncio
import contextlib
import time
from typing import Any

from faststream import BaseMiddleware

from shared.bus.outage import REDIS_ERRORS

EVERY_S = 2.0
MAX_GAP_S = 4.0
"""A worker that has said nothing for so long, because it was stopped, may have lost the entry; it takes it from nobody.
"""

_holding: set[asyncio.Task[None]] = set()


class InHand(BaseMiddleware):
    """Claims the entry for its own worker again and again, which sets back the time that it was idle."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        subscription = self.context.get("handler_").stream_sub
        if subscription.no_ack:
            return await call_next(msg)
        done = asyncio.Event()
        holding = asyncio.create_task(_hold(msg, subscription, done))
        _holding.add(holding)
        holding.add_done_callback(_holding.discard)
        try:
            return await call_next(msg)
        finally:
            done.set()  # not cancelled: a command on its way would take its connection with it


async def _hold(msg: Any, subscription: Any, done: asyncio.Event) -> None:
    said_s = time.monotonic()
    entry = msg.raw_message
    while not await _within(EVERY_S, done) and time.monotonic() - said_s < MAX_GAP_S:
        said_s = time.monotonic()
        # the handler notices a failure as well; then another worker may have the entry
        with contextlib.suppress(OSError, *REDIS_ERRORS):
            await msg.consumer.xclaim(
                entry["channel"], subscription.group, subscription.consumer, 0, entry["message_ids"], justid=True
            )


async def _within(seconds: float, done: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()
    return done.is_set()

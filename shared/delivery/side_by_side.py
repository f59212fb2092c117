"""On a slow line a worker handles several entries of a stream side by side, as several workers would.

One at a time, each would wait for the round trips of all before it: two moods a second could not be answered where a
round trip takes half a second. On a fast line nothing changes: one entry at a time. FastStream's own ``max_workers``
would read on while a handler is busy, and what waits unhandled in a process is claimed by another.
"""

import asyncio
from typing import Any, Literal, Self

from faststream.redis import StreamSub
from faststream.redis.subscriber.usecases import StreamSubscriber

from shared.bus.line_speed import LineSpeed

PLACES = 16
"""Entries of one stream that a process handles at a time, on a slow line."""


class Subscription(StreamSub[Literal[False]]):
    """A stream and its consumer group, with options that FastStream does not have."""

    start: str = "0"
    """id after which a new group begins; ``$`` for the end of the stream"""
    takes_expired: bool = False
    """whether expired events reach the handler: facts to pass on, though nobody shall act on them any more"""

    def __init__(self, line: LineSpeed, stream: str, **options: Any) -> None:
        self._line, self._polling_ms = line, 0
        self.busy: set[asyncio.Task[None]] = set()
        super().__init__(stream, **options)

    def add_prefix(self, prefix: str) -> Self:
        """FastStream asks for this several times per message, and would make a deep copy each time."""
        return super().add_prefix(prefix) if prefix else self

    @property
    def side_by_side(self) -> bool:
        """Whether to begin with the next entry while one is being handled."""
        return self._line.many_at_once

    @property
    def max_records(self) -> int:
        """How many entries to read at once: none that could not be begun at once."""
        return max(1, PLACES - len(self.busy)) if self.side_by_side else 1

    @max_records.setter
    def max_records(self, _: int | None) -> None:
        """FastStream sets it; it follows from the line."""

    @property
    def polling_interval(self) -> int:
        """Milliseconds that a read waits for news."""
        return self._line.block_ms(self._polling_ms)

    @polling_interval.setter
    def polling_interval(self, milliseconds: int | None) -> None:
        self._polling_ms = milliseconds or 0


class Subscriber(StreamSubscriber):
    """Of a ``Subscription``."""

    __slots__ = ()

    async def consume_one(self, msg: Any) -> None:
        subscription: Any = self.stream_sub
        if not subscription.side_by_side:
            await super().consume_one(msg)
            return
        handling = asyncio.create_task(super().consume_one(msg))
        subscription.busy.add(handling)
        handling.add_done_callback(subscription.busy.discard)
        while len(subscription.busy) >= PLACES:
            await asyncio.wait(subscription.busy, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Waits as long for what is being handled as for one entry."""
        subscription: Any = self.stream_sub
        await super().stop()
        for handling in list(subscription.busy):
            handling.cancel()


def side_by_side(subscriber: Any) -> Any:
    """Make a subscriber one of these: FastStream chooses the class, and has no door for another."""
    subscriber.__class__ = Subscriber
    return subscriber

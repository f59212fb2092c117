"""All listeners read the same events: one bounded history, and a listener is no more than a position in it.

A listener costs no queue of its own, so a slow one slows nobody. One that falls out of the history, or comes back
too late, is told how many events it missed and goes on from the present with a snapshot.

Messages go out as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) or as JSON, for
WebSockets; a listener may want only some of them. Their ids are
``RUN-NUMBER``: the number counts the events of all streams in the order in which this gateway saw them, and RUN is
new at each start, because Redis numbers every stream on its own and no single entry id could say where to resume.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import InitVar, dataclass, field
from itertools import islice
from secrets import token_hex

KEPT = 1_000
"""Events that a listener may be behind."""

BATCH = 100
KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b": keep-alive\n\n"
RETRY = b"retry: 1000\n\n"
"""Browsers come back after one second."""


@dataclass(frozen=True)
class Message:
    """One message, made once for everybody."""

    name: str
    data: InitVar[str]
    """one line of JSON"""
    id: str | None = None
    camera_id: str | None = None
    mood: str | None = None
    # Written out at once and not when the first listener asks: what lives long then lies together in memory, and the
    # heap of a gateway with many listeners does not fray.
    sse: bytes = field(init=False)
    json: str = field(init=False)

    def __post_init__(self, data: str) -> None:
        number = f"id: {self.id}\n" if self.id else ""
        object.__setattr__(self, "sse", f"{number}event: {self.name}\ndata: {data}\n\n".encode())
        object.__setattr__(self, "json", f'{{"id": {json.dumps(self.id)}, "event": "{self.name}", "data": {data}}}')


@dataclass(frozen=True)
class Filter:
    """Which events a listener wants; an empty set lets all pass. Snapshots and gaps pass always."""

    types: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    moods: frozenset[str] = frozenset()

    def passes(self, message: Message) -> bool:
        if message.name == "snapshot":
            return True
        given = ((self.types, message.name), (self.cameras, message.camera_id), (self.moods, message.mood))
        return all(not some or value in some for some, value in given)


EVERYTHING = Filter()


class Feed:
    """Fan-out of events to any number of listeners. ``snapshot`` gives the present as JSON."""

    def __init__(self, snapshot: Callable[[], str], kept: int = KEPT) -> None:
        self._snapshot = snapshot
        self._history: deque[Message] = deque(maxlen=kept)
        self._newest = 0
        self._run = token_hex(4)
        self._news = asyncio.Event()
        self._closed = False
        self.listeners = 0

    def publish(self, name: str, data: str, camera_id: str | None = None, mood: str | None = None) -> None:
        """Send to all listeners; never waits. ``data`` is one line of JSON."""
        self._newest += 1
        self._history.append(Message(name, data, f"{self._run}-{self._newest}", camera_id, mood))
        self._wake()

    def publish_snapshot(self) -> None:
        """Let all listeners start afresh from the present."""
        self.publish("snapshot", self._snapshot())

    def close(self) -> None:
        """End all streams now, and those that are still to come."""
        self._closed = True
        self._wake()

    async def server_sent_events(
        self, last_id: str | None = None, keep_alive_s: float = KEEP_ALIVE_S, wanted: Filter = EVERYTHING
    ) -> AsyncGenerator[bytes, None]:
        """``messages`` as server-sent events."""
        async with aclosing(self.messages(last_id, keep_alive_s, wanted)) as batches:
            yield RETRY
            async for batch in batches:
                yield b"".join(message.sse for message in batch) or KEEP_ALIVE

    async def messages(
        self, last_id: str | None = None, keep_alive_s: float = KEEP_ALIVE_S, wanted: Filter = EVERYTHING
    ) -> AsyncGenerator[list[Message], None]:
        """What one listener is sent, for ever or until ``close``; ``last_id`` is the last that it has received.

        An empty list comes when there was nothing for ``keep_alive_s``.
        """
        self.listeners += 1
        try:
            position = self._position_of(last_id)
            if position is None:
                position = self._newest
                if last_id:
                    yield [self._gap(None)]
                yield [self._present()]
            while not self._closed:
                behind = self._newest - position
                if behind > len(self._history):
                    position = self._newest
                    yield [self._gap(behind), self._present()]
                elif behind:
                    batch = list(islice(self._history, len(self._history) - behind, None))[:BATCH]
                    position += len(batch)
                    if passed := [message for message in batch if wanted.passes(message)]:
                        yield passed
                elif not await self._wait_for_news(keep_alive_s):
                    yield []
        finally:
            self.listeners -= 1

    async def _wait_for_news(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _wake(self) -> None:
        # Those who wait hold the old event; whoever comes next waits for the new one.
        self._news.set()
        self._news = asyncio.Event()

    def _position_of(self, last_id: str | None) -> int | None:
        """The number in an id of this run; None for any other text."""
        run, _, number = (last_id or "").rpartition("-")
        if run != self._run or not number.isdecimal() or len(number) > 18:
            return None
        return int(number) if int(number) <= self._newest else None

    def _present(self) -> Message:
        return Message("snapshot", self._snapshot(), f"{self._run}-{self._newest}")

    def _gap(self, missed: int | None) -> Message:
        """``missed`` is None where nobody can know it: the listener's last id is of another run of the gateway."""
        return Message("gap", json.dumps({"missed": missed}))

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
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import InitVar, dataclass, field
from itertools import islice
from secrets import token_hex

KEPT = 1_000
"""Events that a listener may be behind."""

MAX_KEPT_BYTES = 16 * 1024 * 1024
MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024
"""Of snapshots that listeners still hold, before they share one."""

SHARED_S = 0.25

BATCH, BATCH_BYTES = 100, 32 * 1024
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

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return len(self.sse) + len(self.json)


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
        self._history: deque[Message] = deque()
        self._kept, self._kept_bytes = kept, 0
        self._snapshots: list[weakref.ref[Message]] = []
        """those that somebody still sends"""
        self._shared: tuple[int, Message] | None = None
        """the newest, and its place"""
        self._shared_s = 0.0
        self._newest = 0
        self._run = token_hex(4)
        self._news = asyncio.Event()
        self._closed = False
        self.listeners = 0

    def publish(self, name: str, data: str, camera_id: str | None = None, mood: str | None = None) -> None:
        """Send to all listeners; never waits. ``data`` is one line of JSON."""
        self._newest += 1
        message = Message(name, data, f"{self._run}-{self._newest}", camera_id, mood)
        self._history.append(message)
        self._kept_bytes += message.size
        while len(self._history) > self._kept or (self._kept_bytes > MAX_KEPT_BYTES and len(self._history) > 1):
            self._kept_bytes -= self._history.popleft().size
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
                if len(batch) == 1 or sum(map(len, (message.sse for message in batch))) > BATCH_BYTES:
                    for message in batch:  # large ones are shared, not copied
                        yield message.sse
                else:
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
                position, present = self._present()
                yield [self._gap(None), present] if last_id else [present]
            while not self._closed:
                behind = self._newest - position
                if behind > len(self._history):
                    position, present = self._present()
                    yield [self._gap(behind), present]
                elif behind:
                    batch = self._batch(len(self._history) - behind)
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

    def _batch(self, start: int) -> list[Message]:
        """Some messages of the history, from one place on: what a listener holds at a time is bounded."""
        batch: list[Message] = []
        room = BATCH_BYTES
        for message in islice(self._history, start, start + BATCH):
            if batch and message.size > room:
                break
            batch.append(message)
            room -= message.size
        return batch

    def _present(self) -> tuple[int, Message]:
        """A snapshot and its place in the history; those who come at the same moment share one.

        Listeners who do not read hold on to theirs. Where that is too much, the next ones share the newest that there
        is, and are sent what has happened since.
        """
        if self._shared is not None:
            place, message = self._shared
            if place == self._newest and time.monotonic() - self._shared_s < SHARED_S:
                return place, message
            self._snapshots = [one for one in self._snapshots if one() is not None]
            held = sum(one.size for reference in self._snapshots if (one := reference()) is not None)
            if held > MAX_SNAPSHOT_BYTES and self._newest - place <= len(self._history):
                return place, message
        message = Message("snapshot", self._snapshot(), f"{self._run}-{self._newest}")
        self._snapshots.append(weakref.ref(message))
        self._shared, self._shared_s = (self._newest, message), time.monotonic()
        return self._newest, message

    def _gap(self, missed: int | None) -> Message:
        """``missed`` is None where nobody can know it: the listener's last id is of another run of the gateway."""
        return Message("gap", json.dumps({"missed": missed}))

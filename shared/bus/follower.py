"""Reading streams without a consumer group: what comes from now on, or the newest entries."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from moodstream.contracts.events import Event, RequestMade
from moodstream.contracts.streams import EVENT_OF_STREAM
from shared.bus.line_speed import LineSpeed
from shared.bus.message_format import request_of, unwrapped
from shared.bus.outage import REDIS_ERRORS, Outage
from shared.bus.servers import Servers

log = logging.getLogger("moodstream.bus")

NO_EVENT = (KeyError, ValueError, RecursionError)
"""What is raised for an entry that is no event."""

PutAside = Callable[[str, bytes, dict[bytes, bytes], Exception], Awaitable[None]]
"""Given the stream, the id and the fields of an entry that is no event, and what is wrong with it."""
NOBODY: Mapping[type[Event], PutAside] = {}

BLOCK_MS = 2_000
"""How long one read waits; below the socket's time-out."""

BEGINNING = "0-0"
ANEW_EVERY_S, ANEW_ROUND_TRIPS = 2.0, 8
"""How often; on a slow line less often, since whoever follows waits for it."""
MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0
"""Between tries while Redis is away: doubled each time."""


class _Places:
    """How far each stream was read; notices a stream that has begun anew.

    Redis numbers entries by its clock. One that comes back empty, with a clock that was lost, numbers from an earlier
    time on, and whoever waits for what comes after the old place would hear nothing until the clock has caught up.
    """

    def __init__(self, position: dict[str, str]) -> None:
        self._position = position
        self._reached: set[str] = set()
        """streams that were at their place once: others may begin later, such as at a moment"""
        self._checked_s = time.monotonic()  # not at once: whoever asks one question needs no second round trip

    def read(self, stream: str, entry_id: str) -> None:
        self._position[stream] = entry_id
        self._reached.add(stream)

    async def check(self, redis: Any, line: LineSpeed) -> None:
        """Now and then: what has begun anew is read from its beginning. Raises what Redis raises."""
        now_s = time.monotonic()
        if now_s - self._checked_s < line.patience_s(ANEW_EVERY_S, ANEW_ROUND_TRIPS):
            return
        streams = [stream for stream, place in self._position.items() if place != BEGINNING]
        async with redis.pipeline(transaction=False) as reading:
            for stream in streams:
                reading.xrevrange(stream, count=1)
            answers = await reading.execute()
        self._checked_s = now_s
        for stream, newest in zip(streams, answers, strict=True):
            if not newest:  # all of it was trimmed, or nothing was written yet after a loss
                continue
            if _parsed(newest[0][0].decode()) >= _parsed(self._position[stream]):
                self._reached.add(stream)
            elif stream in self._reached:
                log.warning("%s was recreated; reading it from the beginning", stream)
                self._position[stream] = BEGINNING


def _parsed(entry_id: str) -> tuple[int, int]:
    time_ms, _, number = entry_id.partition("-")
    return int(time_ms), int(number or 0)


class Follower:
    """Reads streams; ``stopping`` is set when the process begins to end."""

    def __init__(self, servers: Servers, outage: Outage, line: LineSpeed, stopping: asyncio.Event) -> None:
        self._servers, self._outage, self._line, self._stopping = servers, outage, line, stopping

    async def last_id(self, event: type[Event]) -> str:
        """Id of the newest entry of a stream, "0-0" when it is empty."""
        newest = await self._servers.redis.xrevrange(self._servers.stream(event), count=1)
        return str(newest[0][0].decode()) if newest else "0-0"

    async def follow(
        self,
        start: dict[type[Event], str],
        block_ms: int = BLOCK_MS,
        gather_ms: int = 0,
        put_aside: Mapping[type[Event], PutAside] = NOBODY,
    ) -> AsyncIterator[tuple[str, Event] | None]:
        """Entries after the given ids, as (entry id, event).

        Ends when the process begins to end (``stopping``); a loop around it must end then, too. ``None`` comes when
        nothing came for ``block_ms``. Entries that are no events are skipped with a warning, or given to what
        ``put_aside`` has for the stream of that event. With ``gather_ms`` it waits so long after each answer: what
        comes in quick succession is then taken together. Waits with back-off while Redis is away.
        """
        position = {self._servers.stream(event): at for event, at in start.items()}
        handlers = {self._servers.stream(event): handler for event, handler in put_aside.items()}
        first, *others = (event.__name__ for event in start)
        what = f"following {first}" + (f" and {len(others)} more" if others else "")
        pause_s, places = MIN_PAUSE_S, _Places(position)
        while not self._stopping.is_set():
            try:
                await places.check(self._servers.redis, self._line)
                block = self._line.block_ms(block_ms)
                answer = await self._servers.redis.xread(position, count=100, block=block)
            except REDIS_ERRORS as error:
                self._outage.report(what, error)
                yield None
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
                continue
            pause_s = MIN_PAUSE_S
            self._outage.resolve(what)
            for name, entries in answer:
                for entry_id, fields in entries:
                    places.read(name.decode(), entry_id.decode())
                    event = await self._parse_or(handlers.get(name.decode()), name.decode(), fields, entry_id)
                    if event is not None:
                        yield entry_id.decode(), event
            if not answer:
                yield None
            elif gather_ms:
                await asyncio.sleep(gather_ms / 1000)

    async def newest(self, event: type[Event], count: int) -> list[Event]:
        """The newest events of a stream, newest first."""
        return [one for _, one in await self.newest_entries(event, count)]

    async def newest_entries(self, event: type[Event], count: int) -> list[tuple[str, Event]]:
        """The newest entries of a stream as (entry id, event), newest first.

        An event that was published again, as happens when an answer got lost, stands where it was the first time only.
        """
        stream = self._servers.stream(event)
        entries = await self._servers.redis.xrevrange(stream, count=count)
        first: dict[str, tuple[str, Event]] = {}
        for entry_id, fields in reversed(entries):
            one = self.parse(stream, fields, entry_id)
            if one is not None:
                first.setdefault(one.id, (entry_id.decode(), one))
        return list(reversed(first.values()))

    def parse(self, stream: str, fields: dict[bytes, bytes], entry_id: bytes) -> Event | None:
        """The event in an entry of a stream; None, with a warning, when there is none."""
        try:
            return self._parse(stream, fields, entry_id)
        except NO_EVENT as error:
            log.warning("%s: skipped an entry that is not an event (%s)", stream, type(error).__name__)
            return None

    async def _parse_or(
        self, put_aside: PutAside | None, stream: str, fields: dict[bytes, bytes], entry_id: bytes
    ) -> Event | None:
        if put_aside is None:
            return self.parse(stream, fields, entry_id)
        try:
            return self._parse(stream, fields, entry_id)
        except NO_EVENT as error:
            await put_aside(stream, entry_id, fields, error)
            return None

    def _parse(self, stream: str, fields: dict[bytes, bytes], entry_id: bytes) -> Event:
        """Raises one of NO_EVENT."""
        kind = EVENT_OF_STREAM[stream.removeprefix(self._servers.prefix)]
        if kind is RequestMade:
            return RequestMade.model_validate(request_of(fields[b"__data__"], entry_id.decode()))
        return kind.model_validate_json(unwrapped(fields[b"__data__"])[0])

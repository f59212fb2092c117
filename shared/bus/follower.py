"""Reading streams without a consumer group: what comes from now on, or the newest entries."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from moodstream.contracts.events import Event, RequestMade
from moodstream.contracts.streams import EVENT_OF_STREAM
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

MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0
"""Between tries while Redis is away: doubled each time."""


class Follower:
    """Reads streams; ``stopping`` is set when the process begins to end."""

    def __init__(self, servers: Servers, outage: Outage, stopping: asyncio.Event) -> None:
        self._servers, self._outage, self._stopping = servers, outage, stopping

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
        pause_s = MIN_PAUSE_S
        while not self._stopping.is_set():
            try:
                answer = await self._servers.redis.xread(position, count=100, block=block_ms)
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
                    position[name.decode()] = entry_id.decode()
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
            log.warning("%s: skipped an entry that is no event (%s)", stream, type(error).__name__)
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

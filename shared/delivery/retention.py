"""Old events are deleted: what is of people within half a minute, all others after a number of days that is set.

Each process trims the streams that it writes, and the dead letters of those that it handles, by the clock of Redis.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence

from redis.exceptions import NoPermissionError, RedisError

from moodstream.contracts.streams import DEAD_SUFFIX, FROM_PEOPLE
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.contracts.access import RIGHTS

log = logging.getLogger("moodstream.retention")

READINGS_S = 20.0
"""Readings hold where faces are and how people sound; a tracker that takes over needs those of the last few seconds."""

TRIM_EVERY_S = 5.0
DAY_S = 86_400.0


class Retention:
    """The background job of a process with these services."""

    def __init__(self, bus: Bus, services: Sequence[str], readings_s: float = READINGS_S) -> None:
        self._bus, self._services, self._readings_s = bus, services, readings_s

    async def run(self) -> None:
        while True:
            try:
                await self.trim()
            except REDIS_ERRORS as error:  # it tries again; whoever needs Redis reports the outage
                log.debug("could not trim streams: %s", error)
            await asyncio.sleep(TRIM_EVERY_S)

    async def trim(self) -> None:
        """Delete what is too old now."""
        await self._trim_events()
        await self._trim_captures()

    async def _trim_captures(self) -> None:
        """Frames and sounds that nobody has taken, since no worker runs: none stays in memory until the next comes."""
        rights = [RIGHTS[name] for name in self._services if name in RIGHTS]
        written = {stream for one in rights for stream, way in one.captures if way == "write"}
        if not written:
            return
        seconds, _ = await self._bus.frames.time()
        for stream in sorted(written):
            minid = f"{int((seconds - self._readings_s) * 1000)}-0"
            with contextlib.suppress(NoPermissionError):  # a camera of a demonstration, which sends none
                await self._bus.frames.xtrim(self._bus.key(stream), minid=minid, approximate=False)

    async def _trim_events(self) -> None:
        seconds, _ = await self._bus.redis.time()
        async with self._bus.redis.pipeline(transaction=False) as all_:
            for stream, kept_s in dict(self._kept()).items():
                all_.xtrim(stream, minid=f"{int((seconds - kept_s) * 1000)}-0", approximate=False)
            answers = await all_.execute(raise_on_error=False)
        for fault in answers:  # a camera of a demonstration has fewer rights, and others than it trim those streams
            if isinstance(fault, RedisError) and not isinstance(fault, NoPermissionError):
                raise fault

    def _kept(self) -> Iterator[tuple[str, float]]:
        days_s = self._bus.events_kept_days * DAY_S
        for rights in (RIGHTS[name] for name in self._services if name in RIGHTS):
            for kind in rights.writes:
                yield self._bus.stream(kind), self._readings_s if kind in FROM_PEOPLE else days_s
            for kind in (*rights.handles, *rights.puts_aside):
                yield self._bus.stream(kind) + DEAD_SUFFIX, days_s

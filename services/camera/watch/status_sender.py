"""Statuses on their way to Redis: nobody waits for them, and while Redis is away the newest few are kept."""

import asyncio
import contextlib
import logging
from collections import deque

from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged
from shared.bus.connection import Bus

log = logging.getLogger("moodstream.camera")

KEPT = 50
AGAIN_S = 1.0


class Teller:
    """Publishes statuses in their order, in a task of its own."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[StatusChanged] = deque(maxlen=KEPT)
        self._some, self._finished = asyncio.Event(), asyncio.Event()
        self._finishing = False

    def tell(self, status: StatusChanged) -> None:
        """At once; never waits."""
        log.info("%s is %s: %s", status.part, status.state, status.reason)
        self._waiting.append(status)
        self._some.set()

    async def run(self) -> None:
        while not self._finishing:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                status = self._waiting[0]
                try:
                    await self._bus.publish(status)
                except (RedisError, OSError) as error:
                    log.debug("Redis was not told that %s is %s: %s", status.part, status.state, error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                with contextlib.suppress(ValueError):  # newer ones have pushed it out meanwhile
                    self._waiting.remove(status)
        self._finished.set()

    async def finish(self, limit_s: float) -> None:
        """Wait until all is told, at the end of the process, but not for ever; then ``run`` returns."""
        self._finishing = True
        self._some.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._finished.wait()
        if self._waiting:
            log.warning("Redis was not told the last %d statuses", len(self._waiting))

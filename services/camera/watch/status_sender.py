"""Statuses on their way to Redis: nobody waits for them, and while Redis is down the newest few are kept."""

import asyncio
import contextlib
import logging
from collections import deque

from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged
from shared.bus.connection import Bus

log = logging.getLogger("moodstream.camera")

MAX_WAITING = 50
RETRY_S = 1.0


class StatusSender:
    """Publishes statuses in order, in a task of its own."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[StatusChanged] = deque(maxlen=MAX_WAITING)
        self._not_empty, self._finished = asyncio.Event(), asyncio.Event()
        self._finishing = False

    def queue_status(self, status: StatusChanged) -> None:
        """Publish a status soon; never waits."""
        log.info("%s is %s: %s", status.part, status.state, status.reason)
        self._waiting.append(status)
        self._not_empty.set()

    async def run(self) -> None:
        while not self._finishing:
            await self._not_empty.wait()
            self._not_empty.clear()
            while self._waiting:
                status = self._waiting[0]
                try:
                    await self._bus.publish(status)
                except (RedisError, OSError) as error:
                    log.debug("could not publish that %s is %s: %s", status.part, status.state, error)
                    await asyncio.sleep(RETRY_S)
                    continue
                with contextlib.suppress(ValueError):  # newer ones have pushed it out meanwhile
                    self._waiting.remove(status)
        self._finished.set()

    async def finish(self, limit_s: float) -> None:
        """At the end of the process: wait until all statuses are published or the time is up; then ``run`` returns."""
        self._finishing = True
        self._not_empty.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._finished.wait()
        if self._waiting:
            log.warning("the last %d statuses were not published", len(self._waiting))

"""A process that Redis refuses is degraded: it publishes that as soon as Redis takes it, and is not ready meanwhile.

It checks once a second with a small write, which notices what a ping does not: no memory, no disk, a replica. What it
writes is its sign of life (``shared.bus.heartbeats``). It measures the line, too, and tells of a slow one.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal

from redis.exceptions import NoPermissionError

from moodstream.contracts.events import StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import Bus
from shared.bus.heartbeats import write_heartbeat
from shared.bus.outage import REDIS_ERRORS

log = logging.getLogger("moodstream.app")

CHECK_EVERY_S = 1.0
TIMEOUT_S, ROUND_TRIPS = 1.5, 10
MIN_OUTAGE_S = 1.0
"""A shorter outage is not published."""


class Heartbeat:
    """The background job of a process with these services."""

    def __init__(self, bus: Bus, services: Sequence[str]) -> None:
        self._bus, self._services = bus, services
        self._queued: list[StatusChanged] = []
        self._published_degraded = self._published_slow = False
        self._may_write = True

    async def run(self) -> None:
        while True:
            await self._check_redis()
            self._tell_of_the_line()
            lasted_s = self._bus.outage.end_if_resolved()
            if lasted_s is not None and self._published_degraded:
                self._queue_status("online", StatusCode.RECOVERED, f"Redis works again after {lasted_s:.0f} s")
                self._published_degraded = self._published_slow = False  # a line that is still slow is told of anew
            elif not self._published_degraded and self._lasts():
                self._queue_status("degraded", StatusCode.REDIS, f"Redis: {self._bus.outage.reason}")
                self._published_degraded = True
            await self._publish_queued()
            await asyncio.sleep(CHECK_EVERY_S)

    def _tell_of_the_line(self) -> None:
        line = self._bus.line
        if line.slow == self._published_slow or self._published_degraded:
            return
        self._published_slow = line.slow
        if line.slow:
            log.warning("the line to Redis is slow: a round trip takes %.2f s", line.shortest_s)
            self._queue_status("degraded", StatusCode.SLOW_LINE, f"a round trip to Redis takes {line.shortest_s:.1f} s")
        else:
            log.warning("the line to Redis is fast again")
            self._queue_status("online", StatusCode.RECOVERED, "the line to Redis is fast again")

    def _lasts(self) -> bool:
        outage = self._bus.outage
        return outage.reason is not None and outage.for_s >= MIN_OUTAGE_S

    @property
    def _patience_s(self) -> float:
        return self._bus.line.patience_s(TIMEOUT_S, ROUND_TRIPS)

    async def _check_redis(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._try_heartbeat()
                # the frames may have a server of their own; a process that misses it is alive
                await self._bus.measure_line()
        except (TimeoutError, OSError, *REDIS_ERRORS) as error:
            self._bus.outage.report("heartbeat", error)
        else:
            self._bus.outage.resolve("heartbeat")

    async def _try_heartbeat(self) -> None:
        try:
            await write_heartbeat(self._bus, self._services)
            self._may_write = True
        except NoPermissionError as error:  # the work goes on, but nobody sees that it does
            if self._may_write:
                log.warning("%s; the operator's page will show this process as away: create the ACL file again", error)
            self._may_write = False

    def _queue_status(self, state: Literal["online", "degraded"], code: StatusCode, reason: str) -> None:
        now = utc_now()
        self._queued += [
            StatusChanged(service=name, state=state, code=code, reason=reason, at=now) for name in self._services
        ]

    async def _publish_queued(self) -> None:
        """In order, without waiting: what Redis does not take now is tried again a second later."""
        while self._queued:
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._bus.publisher.add(self._queued[0])
            except (TimeoutError, OSError, *REDIS_ERRORS):
                return
            del self._queued[0]

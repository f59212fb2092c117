"""A process that Redis refuses says so: on the streams as soon as they take it, in its readiness all the while.

It looks once a second with a small write, which notices what a ping does not: no memory, no disk, a replica. What it
writes is its sign of life (``shared.bus.heartbeats``).
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal

from redis.exceptions import NoPermissionError

from moodstream.contracts.events import StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import Bus
from shared.bus.heartbeats import beat
from shared.bus.outage import REDIS_ERRORS

log = logging.getLogger("moodstream.app")

LOOK_EVERY_S = 1.0
LOOK_S = 1.5
WORTH_TELLING_S = 1.0


class Heartbeat:
    """The background job of a process with these services."""

    def __init__(self, bus: Bus, services: Sequence[str]) -> None:
        self._bus, self._services = bus, services
        self._untold: list[StatusChanged] = []
        self._told = False
        self._may_beat = True

    async def run(self) -> None:
        while True:
            await self._look()
            lasted_s = self._bus.outage.end_if_resolved()
            if lasted_s is not None and self._told:
                self._say("online", StatusCode.RECOVERED, f"Redis works again after {lasted_s:.0f} s")
                self._told = False
            elif not self._told and self._lasts():
                self._say("degraded", StatusCode.REDIS, f"Redis: {self._bus.outage.reason}")
                self._told = True
            await self._tell()
            await asyncio.sleep(LOOK_EVERY_S)

    def _lasts(self) -> bool:
        outage = self._bus.outage
        return outage.reason is not None and outage.for_s >= WORTH_TELLING_S

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._bus.ping()
                await self._beat()
        except (TimeoutError, OSError, *REDIS_ERRORS) as error:
            self._bus.outage.report("looking", error)
        else:
            self._bus.outage.resolve("looking")

    async def _beat(self) -> None:
        try:
            await beat(self._bus, self._services)
            self._may_beat = True
        except NoPermissionError as error:  # the work goes on, but nobody sees that it does
            if self._may_beat:
                log.warning("%s; the operator's page will call this process away: make the ACL file anew", error)
            self._may_beat = False

    def _say(self, state: Literal["online", "degraded"], code: StatusCode, reason: str) -> None:
        now = utc_now()
        self._untold += [
            StatusChanged(service=name, state=state, code=code, reason=reason, at=now) for name in self._services
        ]

    async def _tell(self) -> None:
        """In order, without waiting: what Redis does not take now, it is told a second later."""
        while self._untold:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._bus.publisher.add(self._untold[0])
            except (TimeoutError, OSError, *REDIS_ERRORS):
                return
            del self._untold[0]

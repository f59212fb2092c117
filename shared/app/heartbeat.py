"""A process that Redis refuses says so: on the streams as soon as they take it, in its readiness all the while.

It looks once a second with a small write, which notices what a ping does not: no memory, no disk, a replica.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Literal

from redis.exceptions import NoPermissionError

from moodstream.contracts.events import StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import AWAY, Bus

LOOK_EVERY_S = 1.0
LOOK_S = 1.5
WORTH_TELLING_S = 1.0
ALIVE_S = 60


class Heartbeat:
    """The background job of a process with these services."""

    def __init__(self, bus: Bus, services: Sequence[str]) -> None:
        self._bus, self._services = bus, services
        self._untold: list[StatusChanged] = []
        self._told = False

    async def run(self) -> None:
        while True:
            await self._look()
            lasted_s = self._bus.outage.over()
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
                # a site whose users may not write this key goes without
                with contextlib.suppress(NoPermissionError):
                    await self._bus.redis.set(self._bus.key("alive", self._bus.consumer), b"1", ex=ALIVE_S)
        except (TimeoutError, OSError, *AWAY) as error:
            self._bus.outage.note("looking", error)
        else:
            self._bus.outage.passed("looking")

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
                    await self._bus.add(self._untold[0])
            except (TimeoutError, OSError, *AWAY):
                return
            del self._untold[0]

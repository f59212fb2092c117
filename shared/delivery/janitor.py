"""Every process has its own consumer in each group; those whose process is gone are removed.

Only when they have nothing pending: removing one with pending entries would lose these. A living process says so once a
second (``shared.bus.heartbeats``); that its consumer is not idle says nothing, for Redis 7.0 calls one idle that asks
for work and gets none. The janitor gives freed memory back to the system, too.
"""

import asyncio
import ctypes
import logging

from shared.bus.connection import Bus
from shared.bus.heartbeats import beats
from shared.bus.outage import REDIS_ERRORS
from shared.delivery.consume import groups, service_of

log = logging.getLogger("moodstream.delivery")

SWEEP_EVERY_S = 60.0
DEAD_AFTER_MS = 10 * 60 * 1000


class Janitor:
    """The background job that sweeps the groups of this process."""

    def __init__(self, bus: Bus, dead_after_ms: int = DEAD_AFTER_MS) -> None:
        self._bus, self._dead_after_ms = bus, dead_after_ms

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            give_back_freed_memory()
            try:
                await self.sweep()
            except REDIS_ERRORS as error:  # the next time; whoever needs Redis says that it is away
                log.debug("dead consumers stay for now: %s", error)

    async def sweep(self) -> int:
        """Remove dead consumers; says how many."""
        removed = 0
        ours = sorted(groups(self._bus))
        _, alive = await beats(self._bus, {service_of(group) for _, group in ours})
        for stream, group in ours:
            client = self._bus.holder(stream)
            living = {f"{group}-{process}".encode() for process in alive.get(service_of(group), ())}
            for one in await client.xinfo_consumers(stream, group):
                if one["name"] not in living and one["pending"] == 0 and one["idle"] >= self._dead_after_ms:
                    lost = await client.xgroup_delconsumer(stream, group, one["name"])
                    removed += 1
                    if lost:
                        log.error("%s: %d entries were pending at %s when it was removed", stream, lost, one["name"])
        return removed


def give_back_freed_memory() -> None:
    """What the C library keeps for later goes back to the system: messages of all sizes fray the heap of a process that
    runs for months. Takes a millisecond or two; only glibc can do it.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)

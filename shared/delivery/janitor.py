"""Every process has its own consumer in each consumer group; consumers whose process is gone are removed.

Only those with nothing pending: removing a consumer with pending entries would lose them. A living process says so once
a second (``shared.bus.heartbeats``); that its consumer is idle says nothing, since Redis 7.0 calls a consumer idle that
asks for work and gets none. The janitor gives freed memory back to the system, too.
"""

import asyncio
import ctypes
import logging

from shared.bus.connection import Bus
from shared.bus.heartbeats import read_heartbeats
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
            except REDIS_ERRORS as error:  # it tries again; whoever needs Redis reports the outage
                log.debug("could not remove dead consumers: %s", error)

    async def sweep(self) -> int:
        """Remove dead consumers; returns how many."""
        removed = 0
        ours = sorted(groups(self._bus))
        _, alive = await read_heartbeats(self._bus, {service_of(group) for _, group in ours})
        for stream, group in ours:
            client = self._bus.holder(stream)
            living = {f"{group}-{process}".encode() for process in alive.get(service_of(group), ())}
            for one in await client.xinfo_consumers(stream, group):
                if one["name"] not in living and one["pending"] == 0 and one["idle"] >= self._dead_after_ms:
                    lost = await client.xgroup_delconsumer(stream, group, one["name"])
                    removed += 1
                    if lost:
                        log.error("%s: removed consumer %s, and %d pending entries with it", stream, one["name"], lost)
        return removed


def give_back_freed_memory() -> None:
    """Return memory that the C library keeps to the system: messages of all sizes fragment the heap of a process that
    runs for months. Takes a millisecond or two; only glibc can do it.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)

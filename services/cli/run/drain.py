"""A run that ends with its input: it waits until all that was published has been handled."""

import asyncio
from collections.abc import Callable

from moodstream.contracts.events import FacesRead, MoodChanged, SongPicked, SongsOffered, SongsRanked, StatusChanged
from shared.bus.connection import Bus
from shared.delivery.consume import groups

QUIET_S = 1.0
MAX_S = 30.0

_WATCHED = (FacesRead, MoodChanged, SongsOffered, SongPicked, SongsRanked, StatusChanged)


class Drain:
    """A background job that ends a run once its input has ended and all that followed from it is done."""

    def __init__(self, bus: Bus, leave: Callable[[], None]) -> None:
        self._bus, self._leave, self._input_ended = bus, leave, asyncio.Event()

    def begin(self) -> None:
        """The input has ended."""
        self._input_ended.set()

    async def run(self) -> None:
        await self._input_ended.wait()
        await wait_until_idle(self._bus)
        self._leave()


async def wait_until_idle(bus: Bus) -> None:
    """Return once no group has work left and no stream has grown for a second; at the latest after 30 s."""
    loop = asyncio.get_running_loop()
    deadline, quiet_since, before = loop.time() + MAX_S, loop.time(), None
    while loop.time() < min(deadline, quiet_since + QUIET_S) or before is None:
        now = [await bus.last_id(event) for event in _WATCHED], await _has_work(bus)
        if now != before or now[1]:
            quiet_since, before = loop.time(), now
        await asyncio.sleep(0.1)


async def _has_work(bus: Bus) -> bool:
    for stream, group in groups(bus):
        newest = await bus.holder(stream).xrevrange(stream, count=1)
        for info in await bus.holder(stream).xinfo_groups(stream):
            if info["name"].decode() != group:
                continue
            if info["pending"] or (newest and info["last-delivered-id"] != newest[0][0]):
                return True
    return False

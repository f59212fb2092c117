"""A read model in step with the streams: replay the newest entries, then follow from exactly there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from moodstream.contracts.events import Event
from shared.bus.connection import Bus
from shared.bus.follower import BLOCK_MS
from shared.bus.outage import REDIS_ERRORS

MAX_RETRY_S = 2.0

_Past = dict[type[Event], list[tuple[bytes, dict[bytes, bytes]]]]
"""Entries by stream, newest first."""


@dataclass(frozen=True)
class Entry:
    id: str
    """its position in the stream"""
    event: Event
    replayed: bool
    """whether it was there before the following began"""


async def replay_and_follow(
    bus: Bus,
    newest: Mapping[type[Event], int],
    *,
    on_replayed: Callable[[], None] | None = None,
    block_ms: int = BLOCK_MS,
) -> AsyncIterator[Entry | None]:
    """The newest entries of each stream, oldest first, and then what comes; none in between is missed or repeated.

    ``newest`` says how many entries to replay, 0 for none. It names a cause before what follows from it: entries that
    are read together come stream by stream, in that order. ``on_replayed`` is called between the replay and the rest.
    ``None`` comes when nothing came for ``block_ms``, and now and then while Redis is away. Ends when the process
    begins to end. Entries that are no events are skipped with a warning.
    """
    retry_s = 0.1
    while (past := await _read_past(bus, newest)) is None:
        if bus.stopping.is_set():
            return
        yield None
        await asyncio.sleep(retry_s)
        retry_s = min(2 * retry_s, MAX_RETRY_S)
    for event, count in newest.items():
        for entry_id, fields in reversed(past[event][:count]):
            if (parsed := bus.parse(bus.stream(event), fields, entry_id)) is not None:
                yield Entry(entry_id.decode(), parsed, replayed=True)
    if on_replayed is not None:
        on_replayed()
    start = {event: past[event][0][0].decode() if past[event] else "0-0" for event in newest}
    async for entry in bus.follow(start, block_ms):
        yield Entry(*entry, replayed=False) if entry else None


def follow_since(bus: Bus, events: Iterable[type[Event]], moment: datetime) -> AsyncIterator[tuple[str, Event] | None]:
    """``Bus.follow`` from a moment in the past on."""
    return bus.follow(dict.fromkeys(events, f"{int(moment.timestamp() * 1000)}-0"))


async def _read_past(bus: Bus, newest: Mapping[type[Event], int]) -> _Past | None:
    """The newest entries of each stream, at least one where there is any; None while Redis is away.

    Effects are read before their causes, so that no effect is read whose cause was published only after its own
    stream had been read.
    """
    what = f"reading the newest of {', '.join(event.__name__ for event in newest)}"
    effects_first = list(newest)[::-1]
    try:
        async with bus.redis.pipeline(transaction=False) as reading:
            for event in effects_first:
                reading.xrevrange(bus.stream(event), count=max(1, newest[event]))
            answers = await reading.execute()
    except REDIS_ERRORS as error:
        bus.outage.report(what, error)
        return None
    bus.outage.resolve(what)
    return dict(zip(effects_first, answers, strict=True))

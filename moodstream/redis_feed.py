"""Events straight from the streams in Redis; after a break it goes on behind the last one received."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from moodstream import cluster, sentinel
from moodstream.addresses import without_password
from moodstream.contracts.event_filter import EventFilter
from moodstream.contracts.events import Event, StatusChanged
from moodstream.contracts.streams import STREAMS
from moodstream.feed import Backoff, log, parse_event
from moodstream.redis_answers import is_locked_out, refused

BLOCK_MS = 2_000


async def follow_redis(url: str, filters: EventFilter, prefix: str) -> AsyncGenerator[Event, None]:
    """Never ends by itself. Raises MoodstreamError when Redis will never let us in."""
    shown = without_password(url)
    feed, backoff = _Feed(filters, prefix), Backoff(shown)
    async with sentinel.async_client(cluster.with_prefix(url, prefix), socket_timeout=5) as redis:
        while True:
            try:
                if not feed.position:
                    await feed.begin(redis, shown)
                answer: Any = await redis.xread(feed.position, block=BLOCK_MS)
            except (RedisError, OSError) as error:
                if not feed.position and is_locked_out(error):
                    raise refused(url, error) from None
                await asyncio.sleep(backoff.next_pause_s(error))
                continue
            backoff.reset()
            for event in feed.events_in(answer):
                yield event


@dataclass
class _Feed:
    """What is known between one connection and the next."""

    filters: EventFilter
    prefix: str
    position: dict[Any, Any] = field(default_factory=dict)
    """id of the last entry read, by the name of the stream"""

    @property
    def names(self) -> list[str]:
        return [self.prefix + STREAMS[kind].name for kind in self.filters.kinds]

    async def begin(self, redis: Any, shown: str) -> None:
        """Begin after what is there now; at ids, not at ``$``, so that nothing is lost between two reads."""
        newest = [await redis.xrevrange(name, count=1) for name in self.names]
        # every service publishes its status when it starts
        if not any(newest) and not await redis.xlen(self.prefix + STREAMS[StatusChanged].name):
            log.warning("%s: nothing here has the prefix %r yet; waiting for it", shown, self.prefix)
        self.position = {name: one[0][0] if one else "0-0" for name, one in zip(self.names, newest, strict=True)}

    def events_in(self, answer: Any) -> Iterator[Event]:
        """The events of an answer that pass the filter."""
        kinds = dict(zip(self.names, self.filters.kinds, strict=True))
        for name, entries in answer or ():
            for entry_id, fields in entries:
                self.position[name.decode()] = entry_id
                event = parse_event(kinds[name.decode()].__name__, fields.get(b"__data__", b""))
                if event is not None and self.filters(event):
                    yield event

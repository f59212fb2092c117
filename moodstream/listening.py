"""Events of a running Moodstream, typed, for as long as one wants to listen.

    async for mood in moods("http://127.0.0.1:8080"):
        print(mood.mood, mood.confidence)

The address is that of the page (server-sent events; needs the extra ``http``) or of Redis (``redis://``, ``unix://``,
``redis+sentinel://``). A server that is not there yet is waited for; a connection that breaks is made again, and goes
on after the last event that was received. ``on_gap`` is called when events were missed all the same.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from moodstream.addresses import is_http
from moodstream.contracts.event_filter import event_filter
from moodstream.contracts.events import Event, MoodChanged
from moodstream.feed import OnGap, warn_of_gap
from moodstream.redis_feed import follow_redis


async def moods(
    url: str,
    *,
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = warn_of_gap,
    prefix: str = "mood:",
) -> AsyncGenerator[MoodChanged, None]:
    """Every mood event from now on. Raises MoodstreamError when the filters or the address are wrong."""
    only = ["MoodChanged"]
    async with aclosing(events(url, types=only, cameras=cameras, moods=moods, on_gap=on_gap, prefix=prefix)) as heard:
        async for event in heard:
            assert isinstance(event, MoodChanged)
            yield event


async def events(
    url: str,
    *,
    types: Sequence[str] = (),
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = warn_of_gap,
    prefix: str = "mood:",
) -> AsyncGenerator[Event, None]:
    """Every event from now on; ``types`` are names of events, ``prefix`` counts for Redis alone."""
    filters = event_filter(types, cameras, moods)
    if is_http(url):
        from moodstream.http_feed import follow_http  # here, since httpx is an extra

        feed = follow_http(url, types, cameras, moods, on_gap)
    else:
        feed = follow_redis(url, filters, prefix)
    async with aclosing(feed):
        async for event in feed:
            yield event

"""Events of a running Moodstream, typed, for as long as one wants to hear them.

    async for mood in moods("http://127.0.0.1:8080"):
        print(mood.mood, mood.confidence)

The address is that of the page (server-sent events; needs the extra ``client``) or of Redis (``redis://``, ``unix://``,
``redis+sentinel://``).
A connection that breaks is made again, and goes on after the last event that was heard. ``iter_moods`` and
``iter_events`` are the same for programs without asyncio.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError

from moodstream import sentinel
from moodstream.contracts.event_filter import KINDS, EventFilter, event_filter
from moodstream.contracts.events import Event, MoodChanged
from moodstream.contracts.streams import STREAMS
from moodstream.errors import MoodstreamError

log = logging.getLogger("moodstream.client")

MAX_PAUSE_S = 5.0
BLOCK_MS = 2_000
SILENT_S = 40.0
"""A connection on which not even a keep-alive comes is dead."""

OnGap = Callable[[int | None], None]
"""Told how many events were missed; None when nobody knows."""


def _warn(missed: int | None) -> None:
    log.warning("%s events were missed", "an unknown number of" if missed is None else missed)


async def moods(
    url: str, *, cameras: Sequence[str] = (), moods: Sequence[str] = (), on_gap: OnGap = _warn
) -> AsyncGenerator[MoodChanged, None]:
    """Every mood event from now on. Raises MoodstreamError when the filters or the address are wrong."""
    async with aclosing(events(url, types=["MoodChanged"], cameras=cameras, moods=moods, on_gap=on_gap)) as heard:
        async for event in heard:
            assert isinstance(event, MoodChanged)
            yield event


async def events(
    url: str,
    *,
    types: Sequence[str] = (),
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = _warn,
    prefix: str = "mood:",
) -> AsyncGenerator[Event, None]:
    """Every event from now on; ``types`` are names of events, ``prefix`` counts for Redis alone."""
    takes = event_filter(types, cameras, moods)
    if not _is_http(url):
        followed = _Redis(takes, prefix)
        async with sentinel.async_client(url, socket_timeout=5) as client:
            while True:
                try:
                    if not followed.position:
                        followed.begin([await client.xrevrange(name, count=1) for name in followed.names])
                    answer: Any = await client.xread(followed.position, block=BLOCK_MS)
                except (RedisError, OSError) as error:
                    await asyncio.sleep(followed.pause(error))
                    continue
                for known in followed.heard(answer):
                    yield known
    import httpx

    feed = _Feed(url, types, cameras, moods, on_gap)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=SILENT_S)) as http:
        while True:
            try:
                async with http.stream("GET", feed.address, params=feed.query, headers=feed.headers) as response:
                    feed.opened(response.status_code, (await response.aread()).decode() if response.is_error else "")
                    async for line in response.aiter_lines():
                        if event := feed.heard(line):
                            yield event
            except httpx.TransportError as error:
                feed.broke(error)
            await asyncio.sleep(feed.pause())


def iter_moods(
    url: str, *, cameras: Sequence[str] = (), moods: Sequence[str] = (), on_gap: OnGap = _warn
) -> Generator[MoodChanged, None, None]:
    """``moods`` without asyncio."""
    with closing(iter_events(url, types=["MoodChanged"], cameras=cameras, moods=moods, on_gap=on_gap)) as heard:
        for event in heard:
            assert isinstance(event, MoodChanged)
            yield event


def iter_events(
    url: str,
    *,
    types: Sequence[str] = (),
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = _warn,
    prefix: str = "mood:",
) -> Generator[Event, None, None]:
    """``events`` without asyncio."""
    takes = event_filter(types, cameras, moods)
    if not _is_http(url):
        followed = _Redis(takes, prefix)
        with sentinel.client(url, socket_timeout=5) as client:
            while True:
                try:
                    if not followed.position:
                        followed.begin([client.xrevrange(name, count=1) for name in followed.names])
                    answer: Any = client.xread(followed.position, block=BLOCK_MS)
                except (RedisError, OSError) as error:
                    time.sleep(followed.pause(error))
                    continue
                yield from followed.heard(answer)
    import httpx

    feed = _Feed(url, types, cameras, moods, on_gap)
    with httpx.Client(timeout=httpx.Timeout(10, read=SILENT_S)) as http:
        while True:
            try:
                with http.stream("GET", feed.address, params=feed.query, headers=feed.headers) as response:
                    feed.opened(response.status_code, response.read().decode() if response.is_error else "")
                    for line in response.iter_lines():
                        if event := feed.heard(line):
                            yield event
            except httpx.TransportError as error:
                feed.broke(error)
            time.sleep(feed.pause())


def _is_http(url: str) -> bool:
    scheme = url.partition("://")[0]
    if scheme not in ("http", "https", "redis", "rediss", "unix", *sentinel.SCHEMES):
        raise MoodstreamError(f"{url}: must begin with http://, https://, redis://, rediss:// or unix://")
    return scheme in ("http", "https")


def _event(kind: str, text: str | bytes) -> Event | None:
    """None for what a newer Moodstream says and we do not understand."""
    try:
        return KINDS[kind].model_validate_json(text)
    except (KeyError, ValidationError) as error:
        log.debug("an event was not understood: %s", error)
        return None


@dataclass
class _Feed:
    """What is known between one connection to the page and the next."""

    url: str
    types: Sequence[str]
    cameras: Sequence[str]
    moods: Sequence[str]
    on_gap: OnGap
    _last_id: str | None = None
    _fields: dict[str, str] = field(default_factory=dict)
    _failures: int = 0

    @property
    def address(self) -> str:
        return self.url.rstrip("/") + "/api/v1/events"

    @property
    def query(self) -> dict[str, list[str]]:
        return {"type": list(self.types), "camera": list(self.cameras), "mood": list(self.moods)}

    @property
    def headers(self) -> dict[str, str]:
        return {"Last-Event-ID": self._last_id} if self._last_id else {}

    def opened(self, status: int, body: str) -> None:
        """Raises MoodstreamError when the server will never let us in."""
        self._fields = {}
        if 400 <= status < 500 and status != 429:
            try:
                reason = json.loads(body)["error"]
            except (ValueError, KeyError, TypeError):
                reason = f"status {status}"
            raise MoodstreamError(f"{self.url}: {reason}")
        if status >= 400:
            log.warning("%s: status %d", self.url, status)

    def broke(self, error: Exception) -> None:
        log.warning("%s: %s; trying again", self.url, error or type(error).__name__)

    def pause(self) -> float:
        self._failures += 1
        return float(min(0.2 * 2**self._failures, MAX_PAUSE_S))

    def heard(self, line: str) -> Event | None:
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        self._failures = 0
        self._last_id = fields.get("id", self._last_id)
        if fields["event"] == "gap":
            self.on_gap(json.loads(fields["data"])["missed"])
        return _event(fields["event"], fields["data"])


@dataclass
class _Redis:
    """What is known between one connection to Redis and the next."""

    takes: EventFilter
    prefix: str
    position: dict[Any, Any] = field(default_factory=dict)
    _failures: int = 0

    @property
    def names(self) -> list[str]:
        return [self.prefix + STREAMS[kind].name for kind in self.takes.kinds]

    def begin(self, newest: Sequence[Any]) -> None:
        """Begin after what is there now; ids and not ``$``, so that nothing is lost between two reads."""
        self.position = {name: one[0][0] if one else "0-0" for name, one in zip(self.names, newest, strict=True)}

    def pause(self, error: Exception) -> float:
        log.warning("Redis: %s; trying again", error)
        self._failures += 1
        return float(min(0.2 * 2**self._failures, MAX_PAUSE_S))

    def heard(self, answer: Any) -> Iterator[Event]:
        self._failures = 0
        kinds = dict(zip(self.names, self.takes.kinds, strict=True))
        for name, entries in answer or ():
            for entry_id, fields in entries:
                self.position[name.decode()] = entry_id
                event = _event(kinds[name.decode()].__name__, fields.get(b"__data__", b""))
                if event is not None and self.takes(event):
                    yield event

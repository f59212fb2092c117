"""Events from the page, as server-sent events; after a break it goes on behind the last one received."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import httpx

from moodstream.addresses import api, without_password
from moodstream.contracts.events import Event
from moodstream.errors import MoodstreamError
from moodstream.feed import Backoff, OnGap, parse_event
from moodstream.http_answers import error_line, not_moodstream, reason

SILENT_S = 40.0
"""A connection on which not even a keep-alive comes is dead."""


async def follow_http(
    url: str, types: Sequence[str], cameras: Sequence[str], moods: Sequence[str], on_gap: OnGap
) -> AsyncGenerator[Event, None]:
    """Never ends by itself. Raises MoodstreamError when the server will never let us in."""
    feed = _Feed(on_gap)
    backoff = Backoff(without_password(url))
    query = {"type": list(types), "camera": list(cameras), "mood": list(moods)}
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=SILENT_S)) as http:
        while True:
            why = "the connection was closed"
            try:
                async with http.stream("GET", api(url) + "/events", params=query, headers=feed.headers) as response:
                    if await _is_open(url, response):
                        backoff.reset()
                        feed.begin()
                        async for line in response.aiter_lines():
                            if event := feed.event_of(line):
                                yield event
                    else:
                        why = f"status {response.status_code}"
            except httpx.TransportError as error:
                why = reason(error)
            await asyncio.sleep(backoff.next_pause_s(why))


async def _is_open(url: str, response: httpx.Response) -> bool:
    """False when trying again may help. Raises MoodstreamError when it never will."""
    if response.is_success and response.headers.get("content-type", "").startswith("text/event-stream"):
        return True
    if response.status_code == 429 or response.is_server_error:
        return False
    await response.aread()
    if line := error_line(response):
        raise MoodstreamError(f"{without_password(url)}: {line}")
    raise not_moodstream(url, response)


@dataclass
class _Feed:
    """What is known between one connection and the next."""

    on_gap: OnGap
    _last_id: str | None = None
    _fields: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Last-Event-ID": self._last_id} if self._last_id else {}

    def begin(self) -> None:
        """Drop the half of a message that the last connection left."""
        self._fields = {}

    def event_of(self, line: str) -> Event | None:
        """The event that this line completes."""
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        self._last_id = fields.get("id", self._last_id)
        if fields["event"] == "gap":
            self.on_gap(json.loads(fields["data"])["missed"])
        return parse_event(fields["event"], fields["data"])

"""An event that cannot be handled is put aside with its error; it blocks no other and is not retried for ever."""

import json
import logging
from collections.abc import Container, Iterator, Mapping
from types import TracebackType
from typing import Any

from faststream import BaseMiddleware
from pydantic import ValidationError

from moodstream.contracts.events import Event
from moodstream.contracts.streams import DEAD_KEPT, DEAD_SUFFIX, EVENT_OF_STREAM
from moodstream.contracts.validation import first_fault
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS

log = logging.getLogger("moodstream.delivery")

MAX_DELIVERIES = 3
WRONG_TYPE = "WRONGTYPE"
"""Redis's error for a key that somebody else has written: no outage, so waiting does not help."""
_ADDED = (b"error", b"group", b"entry")


class WorkersEnded(Exception):
    """Every worker that began to handle an entry ended before it was done."""


PERMANENT = (ValidationError, json.JSONDecodeError, UnicodeDecodeError, RecursionError, WorkersEnded)
"""Errors that another try would not change: the entry is no event, or is nested too deeply to be one."""


class DeadLetters(BaseMiddleware):
    """Moves an entry to ``<stream>:dead``: at once when it is no event, else at the third failure.

    A refusal by Redis itself is no failure, and does not count. An entry that three workers died of is put aside
    before it reaches a fourth.
    """

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        subscription = self.context.get("handler_").stream_sub
        if subscription.min_idle_time is not None:
            begun = await self._deliveries(msg.raw_message["channel"], subscription.group)
            if begun > MAX_DELIVERIES:
                raise WorkersEnded(f"{MAX_DELIVERIES} workers began to handle it, and none finished")
        return await call_next(msg)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool:
        if exc_val is None or not isinstance(exc_val, Exception):
            return False
        raw: Any = self.msg
        subscription = self.context.get("handler_").stream_sub
        client = self._client
        channel, entry_id = raw["channel"], raw["message_ids"][0]
        if subscription.no_ack:
            log.error("%s: an entry could not be handled: %s", channel, _line(exc_val))
            return True
        tries = await self._deliveries(channel, subscription.group)
        if isinstance(exc_val, REDIS_ERRORS) and not str(exc_val).startswith(WRONG_TYPE):
            # one delivery fewer, and idle again: a worker tries it when Redis is back
            options = {"retrycount": max(0, tries - 1), "justid": True}
            await client.xclaim(channel, subscription.group, subscription.consumer, 0, [entry_id], **options)
            return False
        permanent = isinstance(exc_val, PERMANENT)
        if not permanent and tries < MAX_DELIVERIES:
            log.warning(
                "%s: attempt %d of %d failed: %s", channel, tries, MAX_DELIVERIES, _line(exc_val), exc_info=exc_val
            )
            return False
        log.error("%s: moved to the dead letters after attempt %d: %s", channel, tries, _line(exc_val))
        letter = _letter(raw["data"], exc_val, subscription.group, entry_id)
        async with client.pipeline(transaction=True) as both:
            both.xadd(channel + DEAD_SUFFIX, letter, maxlen=DEAD_KEPT)
            both.xack(channel, subscription.group, entry_id)
            await both.execute()
        _count(self.context.get("bus"), channel, subscription.group)
        return True

    async def _deliveries(self, channel: str, group: str) -> int:
        """How often the entry was given to a worker, this time included."""
        raw: Any = self.msg
        entry_id = raw["message_ids"][0]
        pending = await self._client.xpending_range(channel, group, min=entry_id, max=entry_id, count=1)
        return int(pending[0]["times_delivered"]) if pending else 1

    @property
    def _client(self) -> Any:
        return self.context.get("broker").config.broker_config.connection.client


async def put_aside(
    bus: Bus, group: str, stream: str, entry_id: bytes, fields: Mapping[bytes, bytes], error: Exception
) -> None:
    """For a follower, who has no group in which to acknowledge: an entry that is no event. Raises what Redis raises."""
    log.error("%s: moved to the dead letters: %s", stream, _line(error))
    await bus.redis.xadd(stream + DEAD_SUFFIX, _letter(fields, error, group, entry_id), maxlen=DEAD_KEPT)
    _count(bus, stream, group)


def _letter(fields: Mapping[bytes, bytes], error: BaseException, group: str, entry_id: bytes) -> dict[bytes, bytes]:
    return dict(fields) | {b"error": _line(error).encode(), b"group": group.encode(), b"entry": entry_id}


def _count(bus: Bus, stream: str, group: str) -> None:
    kind = EVENT_OF_STREAM.get(stream.removeprefix(bus.prefix), Event)
    bus.metrics.count_skipped(kind.__name__, group, "put aside")


def letters(client: Any, prefix: str) -> Iterator[dict[str, str]]:
    """The dead letters of a site, oldest first in each stream; ``client`` is a synchronous one.

    A letter's name is its stream without the prefix, a slash, and the id of its entry: ``picks/1700000000000-0``.
    """
    for dead, letter_id, fields in _entries(client, prefix):
        values = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
        yield {
            "letter": _name(prefix, dead, letter_id),
            "stream": dead.removesuffix(DEAD_SUFFIX),
            "entry": values.get("entry", ""),
            "group": values.get("group", ""),
            "error": values.get("error", ""),
            "data": values.get("__data__", ""),
        }


def replay(client: Any, prefix: str, names: Container[str]) -> int:
    """Put the named letters back on their streams, byte for byte; returns how many.

    Consumer groups that have handled one before skip it.
    """
    return sum(
        _take_out(client, dead, letter_id, fields)
        for dead, letter_id, fields in _entries(client, prefix)
        if _name(prefix, dead, letter_id) in names
    )


def drop(client: Any, prefix: str, names: Container[str]) -> int:
    """Delete the named letters for good; returns how many."""
    return sum(
        int(client.xdel(dead, letter_id))
        for dead, letter_id, _ in _entries(client, prefix)
        if _name(prefix, dead, letter_id) in names
    )


def _entries(client: Any, prefix: str) -> Iterator[tuple[str, bytes, dict[bytes, bytes]]]:
    """(stream of dead letters, id, fields) of each letter that was there at the start."""
    for stream in sorted(client.scan_iter(match=f"{prefix}*{DEAD_SUFFIX}")):
        for letter_id, fields in client.xrange(stream):
            yield stream.decode(), letter_id, fields


def _name(prefix: str, dead: str, letter_id: bytes) -> str:
    return f"{dead.removeprefix(prefix).removesuffix(DEAD_SUFFIX)}/{letter_id.decode()}"


def _take_out(client: Any, dead: str, letter_id: bytes, fields: dict[bytes, bytes]) -> bool:
    original = {name: value for name, value in fields.items() if name not in _ADDED}
    with client.pipeline(transaction=True) as both:
        both.xadd(dead.removesuffix(DEAD_SUFFIX), original)
        both.xdel(dead, letter_id)
        both.execute()
    return True


def _line(error: BaseException) -> str:
    text = first_fault(error) if isinstance(error, ValidationError) else str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())[:500]

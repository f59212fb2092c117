"""What cannot be handled is put aside with its error; it neither blocks its neighbours nor is retried for ever."""

import json
import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from faststream import BaseMiddleware
from pydantic import ValidationError

from shared.bus import AWAY
from shared.streams import DEAD_KEPT, DEAD_SUFFIX

log = logging.getLogger("moodstream.delivery")

MOST_DELIVERIES = 3
_ADDED = (b"error", b"group", b"entry")


class DeadLetters(BaseMiddleware):
    """Moves an entry to ``<stream>:dead``: at once when it is no event, else at the third failure."""

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
        client = self.context.get("broker").config.broker_config.connection.client
        channel, entry_id = raw["channel"], raw["message_ids"][0]
        if subscription.no_ack:
            log.error("%s: an entry could not be handled: %s", channel, _line(exc_val))
            return True
        if isinstance(exc_val, AWAY):
            log.warning("%s: Redis went away; the entry is tried again", channel)
            return False
        hopeless = isinstance(exc_val, ValidationError | json.JSONDecodeError | UnicodeDecodeError)
        pending = await client.xpending_range(channel, subscription.group, min=entry_id, max=entry_id, count=1)
        tries = int(pending[0]["times_delivered"]) if pending else 1
        if not hopeless and tries < MOST_DELIVERIES:
            log.warning(
                "%s: try %d of %d failed: %s", channel, tries, MOST_DELIVERIES, _line(exc_val), exc_info=exc_val
            )
            return False
        log.error("%s: put aside after try %d: %s", channel, tries, _line(exc_val))
        letter = dict(raw["data"]) | {
            b"error": _line(exc_val).encode(),
            b"group": subscription.group.encode(),
            b"entry": entry_id,
        }
        async with client.pipeline(transaction=True) as both:
            both.xadd(channel + DEAD_SUFFIX, letter, maxlen=DEAD_KEPT)
            both.xack(channel, subscription.group, entry_id)
            await both.execute()
        return True


def letters(client: Any, prefix: str) -> Iterator[dict[str, str]]:
    """The dead letters of a site, oldest first in each stream; ``client`` is a synchronous one."""
    for stream in sorted(client.scan_iter(match=f"{prefix}*{DEAD_SUFFIX}")):
        for letter_id, fields in client.xrange(stream):
            values = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
            yield {
                "stream": stream.decode().removesuffix(DEAD_SUFFIX),
                "letter": letter_id.decode(),
                "entry": values.get("entry", ""),
                "group": values.get("group", ""),
                "error": values.get("error", ""),
                "data": values.get("__data__", ""),
            }


def replay(client: Any, prefix: str) -> int:
    """Put every dead letter back on its stream, byte for byte; returns how many. Consumers that did it ignore it."""
    count = 0
    for dead in sorted(client.scan_iter(match=f"{prefix}*{DEAD_SUFFIX}")):
        for letter_id, fields in client.xrange(dead):
            original = {name: value for name, value in fields.items() if name not in _ADDED}
            with client.pipeline(transaction=True) as both:
                both.xadd(dead.decode().removesuffix(DEAD_SUFFIX), original)
                both.xdel(dead, letter_id)
                both.execute()
            count += 1
    return count


def _line(error: BaseException) -> str:
    text: Any = error.errors()[0] if isinstance(error, ValidationError) else error
    if isinstance(text, dict):
        text = f"{'.'.join(str(part) for part in text['loc'])}: {text['msg']}"
    return " ".join(f"{type(error).__name__}: {text}".split())[:500]

"""What a receiver still has to be sent, kept in Redis so that no restart loses it; bounded per receiver."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

from shared.bus.connection import Bus

MAX_WAITING = 10_000
LEASE_S = 30.0
"""What one process has taken is given to another after so long; above the time-out of a request."""

_TAKE = """
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then return false end
local body = redis.call('HGET', KEYS[2], first[1])
local wait, longest = first[2] - ARGV[1], tonumber(ARGV[2])
if body then longest = math.max(longest, cjson.decode(body)[4] or 0) end
if wait > 0 and wait <= longest then return tostring(wait) end
redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[2], first[1])
return {first[1], body}
"""
"""A letter due later than its pause allows was queued before somebody set the clock back: it is due now."""


@dataclass(frozen=True)
class Letter:
    """One message to one receiver."""

    id: str
    body: str
    queued_at: float
    """seconds since 1970"""
    tries: int = 0
    pause_s: float = 0.0
    """until the next try, from the last one"""

    def stored(self) -> str:
        return json.dumps([self.body, self.queued_at, self.tries, self.pause_s])


class Outbox:
    """The queue of one receiver, by the moment at which each letter is due."""

    def __init__(self, bus: Bus, name: str, max_waiting: int = MAX_WAITING) -> None:
        self._bus, self._max_waiting = bus, max_waiting
        self._due, self._letters, self._unreachable, self._state = (
            bus.key("webhooks", name, part) for part in ("due", "letters", "unreachable", "state")
        )

    async def put(self, letter_id: str, body: str) -> int:
        """Queue a letter, once; returns how many others had to go for it."""
        letter = Letter(letter_id, body, time.time())
        async with self._bus.redis.pipeline(transaction=True) as all_:
            all_.hsetnx(self._letters, letter_id, letter.stored())
            all_.zadd(self._due, {letter_id: letter.queued_at}, nx=True)
            all_.zcard(self._due)
            _, _, waiting = await all_.execute()
        too_many = max(0, int(waiting) - self._max_waiting)
        if too_many:  # those that have failed most often are due last
            gone = [letter_id for letter_id, _ in await self._bus.redis.zpopmax(self._due, too_many)]
            await self._bus.redis.hdel(self._letters, *gone)
            await self._bus.redis.zrem(self._unreachable, *gone)
            await self.count("dropped", too_many)
        return too_many

    async def take_next(self) -> Letter | float | None:
        """The letter that is due first, held for this process; else the seconds until one is; None without any."""
        taken = await self._bus.redis.eval(_TAKE, 2, self._due, self._letters, time.time(), LEASE_S)
        if not isinstance(taken, list):
            return None if taken is None else float(taken)
        letter_id = taken[0].decode()
        if taken[1] is None:
            await self.remove(letter_id)
            return 0.0
        return Letter(letter_id, *json.loads(taken[1]))

    async def remove(self, letter_id: str, count: str | None = None) -> bool:
        """Take a letter out for good, and count what became of it; whether others wait that were unreachable."""
        async with self._bus.redis.pipeline(transaction=True) as all_:
            all_.zrem(self._due, letter_id)
            all_.hdel(self._letters, letter_id)
            all_.zrem(self._unreachable, letter_id)
            if count is not None:
                all_.hincrby(self._state, count, 1)
            all_.zcard(self._unreachable)
            *_, unreachable = await all_.execute()
        return bool(unreachable)

    async def retry_later(self, letter: Letter, pause_s: float, unreachable: bool) -> None:
        """Try a letter again after a pause, or as soon as the receiver is known to be back."""
        tried = replace(letter, tries=letter.tries + 1, pause_s=pause_s)
        async with self._bus.redis.pipeline(transaction=True) as all_:
            all_.hset(self._letters, letter.id, tried.stored())
            all_.zadd(self._due, {letter.id: time.time() + pause_s}, xx=True)
            if unreachable:
                all_.zadd(self._unreachable, {letter.id: letter.queued_at})
            await all_.execute()

    async def release(self, letter: Letter) -> None:
        """Give back a letter that was taken and not fully tried."""
        await self._bus.redis.zadd(self._due, {letter.id: letter.queued_at}, xx=True)

    async def retry_unreachable(self) -> int:
        """Make all due that failed only because nobody answered, in its old order; returns how many."""
        waiting = await self._bus.redis.zrange(self._unreachable, 0, -1, withscores=True)
        if waiting:
            async with self._bus.redis.pipeline(transaction=True) as all_:
                all_.zadd(self._due, dict(waiting), xx=True)
                all_.delete(self._unreachable)
                await all_.execute()
        return len(waiting)

    async def disable(self, url: str) -> None:
        """Stop sending to this address; what waited for it is forgotten."""
        async with self._bus.redis.pipeline(transaction=True) as all_:
            all_.hset(self._state, "disabled", url)
            all_.delete(self._due, self._letters, self._unreachable)
            await all_.execute()

    async def disabled_at(self) -> str | None:
        """The address at which the receiver answered that it is gone, or None."""
        url = await self._bus.redis.hget(self._state, "disabled")
        return url.decode() if url else None

    async def enable(self) -> None:
        """Queue again for a receiver that had answered that it is gone."""
        await self._bus.redis.hdel(self._state, "disabled")

    async def read_standing(self) -> dict[str, str | int]:
        """How it stands: what waits, what was delivered, what went wrong."""
        return _standing(await self._bus.redis.zcard(self._due), await self._bus.redis.hgetall(self._state))

    async def count(self, what: str, by: int = 1) -> None:
        await self._bus.redis.hincrby(self._state, what, by)

    async def set_last_error(self, text: str) -> None:
        await self._bus.redis.hset(self._state, "last_error", text)


def read_standing(client: Any, prefix: str, name: str) -> dict[str, str | int]:
    """How it stands with a receiver; ``client`` is a synchronous one."""
    key = f"{prefix}webhooks:{name}"
    return _standing(client.zcard(f"{key}:due"), client.hgetall(f"{key}:state"))


def _standing(waiting: int, fields: dict[bytes, bytes]) -> dict[str, str | int]:
    state = {field.decode(): value.decode() for field, value in fields.items()}
    numbers: dict[str, str | int] = {what: int(state.get(what, 0)) for what in ("delivered", "given_up", "dropped")}
    return {
        "waiting": waiting,
        **numbers,
        "disabled": state.get("disabled", ""),
        "last_error": state.get("last_error", ""),
    }


def enable(client: Any, prefix: str, name: str) -> None:
    """Send again to a receiver that had answered that it is gone."""
    client.hdel(f"{prefix}webhooks:{name}:state", "disabled")

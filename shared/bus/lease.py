"""Only one process may do a thing, such as tracking a camera or playing: the holder of a lease in Redis."""

import time
from collections.abc import Callable

from moodstream.contracts.events import Event
from moodstream.contracts.streams import STREAMS
from shared.bus.connection import Bus

LEASE_S, ROUND_TRIPS = 2.0, 8
"""How long nobody else takes it; on a slow line longer, since its holder cannot renew it as often."""
RENEW_S = 0.5
"""How often a lease is renewed by its holder and asked for by the others: a dead one is replaced within 3 s."""
MAX_S = 30 * 24 * 3600
"""A lease that nobody asks for is deleted after this; long, because Redis counts by a clock that somebody may set."""
RELEASED_S = 3600
"""How long it stays known that a lease was released: a holder that was stopped for longer could miss that."""

_IF_OURS = "if string.match(redis.call('get', KEYS[1]) or '', '%S+$') ~= ARGV[1] then return 0 end "
_ASK = """
local value = redis.call('get', KEYS[1])
local holder = value and string.match(value, '%S+$')
local free = not value or value == ARGV[2] or holder == ARGV[1] or (holder == '-' and ARGV[5] == '0')
if not free then return value end
redis.call('set', KEYS[1], ARGV[3] .. ' ' .. ARGV[1], 'EX', ARGV[4])
return ''
"""
_KEEP = _IF_OURS + "redis.call('set', KEYS[2], ARGV[2], 'EX', ARGV[3]) return 1"
_PUBLISH = _IF_OURS + "redis.call('xadd', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', '__data__', ARGV[3]) return 1"
_RELEASE = _IF_OURS + "redis.call('set', KEYS[1], ARGV[2] .. ' -', 'EX', ARGV[3]) return 1"


class Lease:
    """The right to do the thing of that name: Redis holds a number that each renewal changes, and the holder.

    A waiting process takes the lease when the number has not changed for ``LEASE_S``, by its own monotonic clock: no
    clock that somebody can set decides. A holder trusts its lease for a shorter time, so two never act at once. A
    holder on a slow line asks for longer, and says so beside the number, so that others wait for as long. A released
    lease is free at once, and nobody's (``-``) rather than deleted: a process that held it before, and was stopped
    meanwhile, sees that others have had it and that what it knows is old.
    """

    MARGIN_S = 0.3

    def __init__(self, bus: Bus, *name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._key = bus.key("lease", *name)
        self._clock = clock
        self._until_s = 0.0
        self._asked_s = -RENEW_S
        self._others = b""
        self._others_since_s, self._others_lease_s = 0.0, LEASE_S

    @property
    def held(self) -> bool:
        """Whether this process may act now, also after it was stopped for a while."""
        return self._clock() < self._until_s

    @property
    def due(self) -> bool:
        return self._clock() - self._asked_s >= RENEW_S

    async def ask(self) -> bool:
        """Renew the lease, or take it where nobody holds it any more; returns whether it is held now.

        A holder that gets False has to start over, even when the next call takes the lease again.
        """
        self._asked_s = asked_s = self._clock()
        lease_s = self._bus.line.patience_s(LEASE_S, ROUND_TRIPS)
        dead = self._others if asked_s - self._others_since_s >= self._others_lease_s else b""
        number = f"{time.monotonic_ns()} {round(1000 * lease_s)}"
        arguments = (self._bus.consumer, dead, number, MAX_S, int(self._until_s > 0))
        until_s = asked_s + lease_s - self.MARGIN_S
        # should the answer get lost, others may have been told of a shorter lease than the one before
        self._until_s = min(self._until_s, until_s)
        others: bytes = await self._bus.redis.eval(_ASK, 1, self._key, *arguments)
        if others != self._others:
            self._others, self._others_since_s = others, self._clock()
            self._others_lease_s = _lease_s(others)
        self._until_s = 0.0 if others else until_s
        return self.held

    async def publish(self, event: Event) -> bool:
        """Publish as the holder; Redis itself checks that it still is, since the event may be held up on its way.

        Returns False, and publishes nothing, when the lease has run out or is another's.
        """
        stream, kept, taken = self._bus.stream(type(event)), STREAMS[type(event)].kept, 0

        async def add(one: Event) -> None:
            nonlocal taken
            async with self._bus.redis.pipeline(transaction=False) as both:
                both.eval(_PUBLISH, 2, self._key, stream, self._bus.consumer, kept, one.model_dump_json())
                [taken] = await self._bus.publisher.confirm(both)

        await self._bus.publish(event, add)
        return bool(taken)

    async def keep(self, key: str, value: str, seconds: int) -> bool:
        """Write a value for the next holder, unless the lease is another's by now; returns whether it was written."""
        return bool(await self._bus.redis.eval(_KEEP, 2, self._key, key, self._bus.consumer, value, seconds))

    async def release(self) -> None:
        """Let another worker have it at once."""
        self._until_s = 0.0
        await self._bus.redis.eval(_RELEASE, 1, self._key, self._bus.consumer, time.monotonic_ns(), RELEASED_S)


def _lease_s(value: bytes) -> float:
    """For how long its holder has asked; an older version says nothing of it."""
    _, *told, _holder = value.split() or [b"", b""]
    return int(told[0]) / 1000 if told and told[0].isdigit() else LEASE_S

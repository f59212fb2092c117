"""Who does what only one may do, such as tracking a camera or playing: by a lease in Redis that has to be renewed."""

import time
from collections.abc import Callable

from moodstream.contracts.events import Event
from moodstream.contracts.streams import STREAMS
from shared.bus.connection import Bus

LEASE_S = 2.0
RENEW_S = 0.5
"""How often a lease is renewed by its holder and asked for by the others: a dead one is replaced within 3 s."""
MAX_S = 30 * 24 * 3600
"""What nobody asks for any more is forgotten; long, because Redis counts by a clock that somebody may set."""
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
    """The right to do the thing of that name: in Redis stand a number that each renewal changes, and its holder.

    Who waits takes it when the number has not changed for the lease's time, by its own monotonic clock: no clock that
    somebody can set decides. A holder believes in itself less long than that, so two never both do. Once released it
    is free at once, and no one's (``-``) rather than gone, so that one who held it before, and was stopped meanwhile,
    sees that others have had it and that what it knows is old.
    """

    MARGIN_S = 0.3

    def __init__(self, bus: Bus, *name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._key = bus.key("lease", *name)
        self._clock = clock
        self._until_s = 0.0
        self._asked_s = -RENEW_S
        self._others = b""
        self._others_since_s = 0.0

    @property
    def held(self) -> bool:
        """Whether this process may speak now, also after it was stopped for a while."""
        return self._clock() < self._until_s

    @property
    def due(self) -> bool:
        return self._clock() - self._asked_s >= RENEW_S

    async def ask(self) -> bool:
        """Renew the lease, or take it where nobody holds it any more; says whether it is held now.

        Who has held it and hears False has to begin anew, also where the next call takes it again.
        """
        self._asked_s = asked_s = self._clock()
        dead = self._others if asked_s - self._others_since_s >= LEASE_S else b""
        arguments = (self._bus.consumer, dead, time.monotonic_ns(), MAX_S, int(self._until_s > 0))
        others: bytes = await self._bus.redis.eval(_ASK, 1, self._key, *arguments)
        if others != self._others:
            self._others, self._others_since_s = others, self._clock()
        self._until_s = 0.0 if others else asked_s + LEASE_S - self.MARGIN_S
        return self.held

    async def publish(self, event: Event) -> bool:
        """Publish as the holder. Redis itself looks whether it still is: what was held up on its way may come too late.

        False, and nothing is published, when the lease has run out or is another's.
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
        """Write a value for whoever comes next, unless the lease is another's by now: then nothing changes."""
        return bool(await self._bus.redis.eval(_KEEP, 2, self._key, key, self._bus.consumer, value, seconds))

    async def release(self) -> None:
        """Let another worker have it at once."""
        self._until_s = 0.0
        await self._bus.redis.eval(_RELEASE, 1, self._key, self._bus.consumer, time.monotonic_ns(), RELEASED_S)

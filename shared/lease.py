"""Who does what only one may do, such as tracking a camera or playing: by a lease in Redis that has to be renewed."""

import time
from collections.abc import Callable

from shared.bus import Bus

LEASE_MS = 2_000
RENEW_S = 0.5
"""How often a lease is renewed by its holder and asked for by the others: a dead one is replaced within 2.5 s."""

_IF_OURS = "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end "
_RENEW = _IF_OURS + "return redis.call('pexpire', KEYS[1], ARGV[2])"
_KEEP = _IF_OURS + "redis.call('set', KEYS[2], ARGV[2], 'EX', ARGV[3]) return 1"
_RELEASE = _IF_OURS + "return redis.call('del', KEYS[1])"


class Lease:
    """The right to do the thing of that name. Believes in itself less long than Redis does, so two never both do."""

    MARGIN_S = 0.3

    def __init__(self, bus: Bus, *name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._key = bus.key("lease", *name)
        self._clock = clock
        self._until_s = 0.0
        self._asked_s = -RENEW_S

    @property
    def held(self) -> bool:
        """Whether this process may speak now, also after it was stopped for a while."""
        return self._clock() < self._until_s

    @property
    def due(self) -> bool:
        return self._clock() - self._asked_s >= RENEW_S

    async def ask(self) -> bool:
        """Renew the lease, or take it where nobody holds it; says whether it is held now."""
        self._asked_s = asked_s = self._clock()
        renewed = await self._bus.redis.eval(_RENEW, 1, self._key, self._bus.consumer, LEASE_MS)
        taken = renewed or await self._bus.redis.set(self._key, self._bus.consumer, nx=True, px=LEASE_MS)
        self._until_s = asked_s + LEASE_MS / 1000 - self.MARGIN_S if taken else 0.0
        return self.held

    async def keep(self, key: str, value: str, seconds: int) -> bool:
        """Write a value for whoever comes next, unless the lease is another's by now: then nothing changes."""
        return bool(await self._bus.redis.eval(_KEEP, 2, self._key, key, self._bus.consumer, value, seconds))

    async def release(self) -> None:
        """Let another worker have it at once."""
        self._until_s = 0.0
        await self._bus.redis.eval(_RELEASE, 1, self._key, self._bus.consumer)

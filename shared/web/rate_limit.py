"""How often one address may ask: a token bucket for each of a bounded number of addresses. Pure."""

import time
from collections.abc import Callable

from shared.bounded import Bounded
from shared.networks import network_of

ADDRESSES_KEPT = 10_000


class Limits:
    """``rate`` tokens are added per second, up to ``burst``. A rate of 0 limits nothing."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left = Bounded[str, tuple[float, float]](ADDRESSES_KEPT)

    def wait_s(self, address: str, cost: float = 1.0) -> float:
        """Seconds until this address may ask for what costs so much; 0 when it may now. Takes nothing."""
        if not self._rate:
            return 0.0
        left, needed = self._of(network_of(address)), min(cost, self._burst)
        return 0.0 if left >= needed else (needed - left) / self._rate

    def take(self, address: str, cost: float = 1.0) -> float:
        """As ``wait_s``, and take the tokens where there are enough."""
        wait_s = self.wait_s(address, cost)
        if self._rate and not wait_s:
            key = network_of(address)
            self._left[key] = self._of(key) - min(cost, self._burst), self._clock()
        return wait_s

    def _of(self, key: str) -> float:
        left, at_s = self._left.get(key, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - at_s) * self._rate)

"""How often one address may ask: a token bucket for each of a bounded number of addresses. Pure."""

import ipaddress
import time
from collections.abc import Callable

from shared.bounded import Bounded

ADDRESSES_KEPT = 10_000


class Limits:
    """``rate`` tokens are added per second, up to ``burst``. A rate of 0 limits nothing."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left = Bounded[str, tuple[float, float]](ADDRESSES_KEPT)

    def wait_s(self, address: str) -> float:
        """Seconds until this address may ask again; 0 when it may now. Takes nothing."""
        if not self._rate:
            return 0.0
        left = self._of(self._key(address))
        return 0.0 if left >= 1 else (1 - left) / self._rate

    def take(self, address: str) -> float:
        """As ``wait_s``, and take one token where there is one."""
        wait_s = self.wait_s(address)
        if self._rate and not wait_s:
            key = self._key(address)
            self._left[key] = self._of(key) - 1, self._clock()
        return wait_s

    def _of(self, key: str) -> float:
        left, at_s = self._left.get(key, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - at_s) * self._rate)

    @staticmethod
    def _key(address: str) -> str:
        """An IPv6 address stands for its /64 network: whoever has one address has all of them."""
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return address
        return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))

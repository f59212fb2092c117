"""A circuit breaker: who does not answer is left alone for a while, then asked once. Pure."""

import time
from collections.abc import Callable

OPENS_AFTER = 3
FIRST_PAUSE_S = 2.0
MAX_PAUSE_S = 15.0


class Breaker:
    """Opens after a few failures in a row; each further failure doubles the pause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until_s = 0.0

    @property
    def wait_s(self) -> float:
        """How long nobody shall ask; 0 when one may."""
        return max(0.0, self._until_s - self._clock())

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= OPENS_AFTER:
            pause_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - OPENS_AFTER, 10)
            self._until_s = self._clock() + min(pause_s, MAX_PAUSE_S)

    def succeeded(self) -> None:
        self._failures, self._until_s = 0, 0.0

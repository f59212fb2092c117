"""How long a round trip to Redis takes, and how much longer that lets one wait for Redis.

Time-outs are written for a server in the same building. On a slow line each of them grows by the round trips that it
has to cover; on a fast one none does. Every heartbeat measures (``shared.app.heartbeat``), and so does the start.
"""

import time
from collections import deque
from collections.abc import Callable

KEPT_S = 10.0
"""How long a measurement counts."""
FAST_S = 0.1
"""A shorter round trip lets nobody wait longer: it may be a busy loop as well."""
SLOW_S = 0.25
"""From here on a process says that it is degraded."""
MAX_S = 1.0
"""No wait is longer than on a line with this round trip; on a slower one a process is not ready."""
ENOUGH = 3
"""Measurements that call a line slow."""
STAYS = 0.9
"""It stays slow until a round trip takes less than so much of the limit."""
BLOCK_S = 2.0
"""A read that waits for news, and its answer's way back, must be over before the socket's time-out of three seconds."""


class LineSpeed:
    """What was measured within the last ten seconds, to one server or to two."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._measured: dict[str, deque[tuple[float, float]]] = {}
        self._slow = self._too_slow = False

    def note(self, server: str, round_trip_s: float) -> None:
        """A round trip to this server took so many seconds."""
        now_s = self._clock()
        kept = self._measured.setdefault(server, deque())
        kept.append((now_s, round_trip_s))
        while kept[0][0] < now_s - KEPT_S:
            kept.popleft()
        self._slow = self._beyond(SLOW_S, self._slow)
        self._too_slow = self._beyond(MAX_S, self._too_slow)

    @property
    def round_trip_s(self) -> float:
        """The newest, or the longest of late but one, to the slower server. 0 before the first.

        A single long one is no slow line, and lets others wait longer for a second alone.
        """
        return max((max(seconds[-1], _but_one(seconds)) for seconds in self._lately()), default=0.0)

    @property
    def shortest_s(self) -> float:
        """The shortest of late, to the slower server: one that had to wait for a connection is no slow line."""
        return max((min(seconds) for seconds in self._lately()), default=0.0)

    @property
    def slow(self) -> bool:
        """Whether every round trip of late was long."""
        return self._slow

    @property
    def too_slow(self) -> bool:
        """The same of a line on which nothing is promised any more."""
        return self._too_slow

    def patience_s(self, base_s: float, round_trips: int) -> float:
        """How long to wait for what takes ``base_s`` on a fast line, and so many round trips."""
        return base_s + round_trips * self._extra_s

    def block_ms(self, wanted_ms: int) -> int:
        """How long a read may wait for news."""
        return min(wanted_ms, round(1000 * (BLOCK_S - self._extra_s)))

    @property
    def many_at_once(self) -> bool:
        """Whether waiting for one thing after the other would take too long."""
        return self._extra_s > 0

    @property
    def _extra_s(self) -> float:
        seconds = self.round_trip_s
        return 0.0 if seconds < FAST_S else min(seconds, MAX_S)

    def _lately(self) -> list[list[float]]:
        """By server."""
        return [[seconds for _, seconds in kept] for kept in self._measured.values()]

    def _beyond(self, limit_s: float, was: bool) -> bool:
        limit_s *= STAYS if was else 1.0
        enough = 1 if was else ENOUGH
        return any(len(seconds) >= enough and min(seconds) > limit_s for seconds in self._lately())


def _but_one(seconds: list[float]) -> float:
    return sorted(seconds)[-2 if len(seconds) > 1 else -1]

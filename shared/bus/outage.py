"""Redis is away, or refuses what is asked of it: whoever notices reports it here, and the log says so once.

A fault stands until it has not been reported for ten seconds, or until what had failed works again. While one stands,
the process is not ready; ``shared.app.heartbeat`` publishes that on the stream of status events.
"""

import logging
import time
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger("moodstream.redis")

REDIS_ERRORS = (RedisError, ConnectionError)
"""What is raised while Redis cannot be reached, or refuses: no memory, no disk, no right, a replica. None of these is
the fault of an event, so what failed of them is tried again."""

STANDS_S = 10.0
REMIND_EVERY_S = 30.0
RELAPSE_S = 15.0
"""A short fault this soon after another is what is left of that one, such as a dead connection, and no news."""


class Outage:
    """What does not work now, by what was tried. ``where`` is Redis's address, as people may see it."""

    def __init__(self, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._where, self._clock = where, clock
        self._reported: dict[str, tuple[float, str]] = {}
        self._reminded_s = 0.0
        self._ended_s = float("-inf")
        self._relapse = self._lost = False
        self.since_s: float | None = None
        """when it began; None while all is well"""

    @property
    def reason(self) -> str | None:
        """What is wrong, in one line; None when nothing is."""
        self._drop_old()
        return next(iter(self._reported.values()))[1] if self._reported else None

    @property
    def for_s(self) -> float:
        """How long it has lasted."""
        return 0.0 if self.since_s is None else self._clock() - self.since_s

    def report(self, what: str, error: BaseException, *, lost: bool = True) -> None:
        """``what``, such as "publishing frames", has just failed of this.

        ``lost``: whether Redis itself failed. Only then is a short fault soon afterwards what is left of this one.
        """
        self._lost |= lost
        now_s, reason = self._clock(), describe(error)
        self._reported[what] = (now_s, reason)
        if self.since_s is None:
            self.since_s = self._reminded_s = now_s
            self._relapse = now_s - self._ended_s < RELAPSE_S
            log.log(self._level(), "waiting for Redis at %s: %s (%s)", self._where, reason, what)
        elif now_s - self._reminded_s >= REMIND_EVERY_S:
            self._reminded_s = now_s
            log.warning("still waiting for Redis at %s, for %.0f s: %s", self._where, self.for_s, reason)

    def resolve(self, what: str) -> None:
        """``what`` works; costs nothing where it did before."""
        self._reported.pop(what, None)

    def end_if_resolved(self) -> float | None:
        """When all is well again: seconds that it lasted, once; else None."""
        self._drop_old()
        if self._reported or self.since_s is None:
            return None
        lasted_s, self.since_s = self.for_s, None
        if self._lost:
            self._ended_s, self._lost = self._clock(), False
        log.log(self._level(lasted_s), "Redis at %s works again after %.1f s", self._where, lasted_s)
        return lasted_s

    def _level(self, lasted_s: float = 0.0) -> int:
        return logging.DEBUG if self._relapse and lasted_s < RELAPSE_S else logging.WARNING

    def _drop_old(self) -> None:
        oldest_s = self._clock() - STANDS_S
        self._reported = {what: fault for what, fault in self._reported.items() if fault[0] >= oldest_s}


def describe(error: BaseException) -> str:
    """One line; redis-py cuts the code, such as OOM or NOPERM, from the text of some errors and keeps it beside."""
    code = getattr(error, "status_code", None)
    text = " ".join(str(error).split()) or type(error).__name__
    return (f"{code} {text}" if code else text)[:300]

"""Redis is away, or refuses what is asked of it: whoever notices says so here, and the log is told once.

A fault stands until it has not been noticed for ten seconds, or until what had failed works again. While one stands,
the process is not ready; ``shared.app.heartbeat`` tells the streams.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger("moodstream.redis")

STANDS_S = 10.0
REMIND_EVERY_S = 30.0
RELAPSE_S = 15.0
"""So long after a fault, what is left of it, such as a dead connection, is no news if it is short."""


class Outage:
    """What does not work now, by who noticed it. ``where`` is Redis's address, as people may see it."""

    def __init__(self, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._where, self._clock = where, clock
        self._noticed: dict[str, tuple[float, str]] = {}
        self._reminded_s = 0.0
        self._over_s = float("-inf")
        self._relapse = False
        self.since_s: float | None = None
        """when it began; None while all is well"""

    @property
    def reason(self) -> str | None:
        """What is wrong, in one line; None when nothing is."""
        self._prune()
        return next(iter(self._noticed.values()))[1] if self._noticed else None

    @property
    def for_s(self) -> float:
        """How long it has lasted."""
        return 0.0 if self.since_s is None else self._clock() - self.since_s

    def note(self, what: str, error: BaseException) -> None:
        """``what`` failed of this just now."""
        now_s, reason = self._clock(), describe(error)
        self._noticed[what] = (now_s, reason)
        if self.since_s is None:
            self.since_s = self._reminded_s = now_s
            self._relapse = now_s - self._over_s < RELAPSE_S
            log.log(self._level(), "waiting for Redis at %s: %s (%s)", self._where, reason, what)
        elif now_s - self._reminded_s >= REMIND_EVERY_S:
            self._reminded_s = now_s
            log.warning("still waiting for Redis at %s, for %.0f s: %s", self._where, self.for_s, reason)

    def passed(self, what: str) -> None:
        """``what`` works; costs nothing where it did before."""
        self._noticed.pop(what, None)

    def over(self) -> float | None:
        """Seconds that it lasted, once, when all is well again; else None."""
        self._prune()
        if self._noticed or self.since_s is None:
            return None
        lasted_s, self.since_s, self._over_s = self.for_s, None, self._clock()
        log.log(self._level(lasted_s), "Redis at %s works again after %.1f s", self._where, lasted_s)
        return lasted_s

    def _level(self, lasted_s: float = 0.0) -> int:
        return logging.DEBUG if self._relapse and lasted_s < RELAPSE_S else logging.WARNING

    def _prune(self) -> None:
        old = self._clock() - STANDS_S
        for what in [what for what, (noticed_s, _) in self._noticed.items() if noticed_s < old]:
            del self._noticed[what]


def describe(error: BaseException) -> str:
    """One line; redis-py cuts the code, such as OOM or NOPERM, from the text of some errors and keeps it beside."""
    code = getattr(error, "status_code", None)
    text = " ".join(str(error).split()) or type(error).__name__
    return (f"{code} {text}" if code else text)[:300]

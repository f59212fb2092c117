"""Warnings about what others send: at most one a second, so that nobody can fill a disk with them."""

import logging
import time

EVERY_S = 1.0


class RateLimitedLog:
    """Warns on a logger; what comes too soon after another warning is counted, and mentioned in the next."""

    def __init__(self, log: logging.Logger, every_s: float = EVERY_S) -> None:
        self._log, self._every_s = log, every_s
        self._last_s: float | None = None
        self._left_out = 0

    def warning(self, text: str, *values: object) -> None:
        now_s = time.monotonic()
        if self._last_s is not None and now_s - self._last_s < self._every_s:
            self._left_out += 1
            return
        more = f" (and {self._left_out} more)" if self._left_out else ""
        self._last_s, self._left_out = now_s, 0
        self._log.warning(text + more, *values)

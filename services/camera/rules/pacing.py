"""When a picture is due, and when a capture process may be restarted. Pure: the time is always given."""

from collections import deque
from math import floor


class Pace:
    """Due times of frames, in seconds after the start; ``rate`` (frames per second) may be changed at any time."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._next_s = 0.0

    def next_s(self, elapsed_s: float) -> float:
        """The due time of the next frame; those that have already passed are skipped."""
        gap_s = 1 / self.rate
        missed = floor((elapsed_s - self._next_s) / gap_s + 1e-9)
        due_s = self._next_s + max(0, missed) * gap_s
        self._next_s = due_s + gap_s
        return due_s


class Gate:
    """Lets through at most ``rate`` pictures a second of those that a camera gives at its own pace."""

    EARLY = 0.25
    """Fraction of the gap by which a picture may come early. Without it a camera at exactly the wanted rate, with the
    jitter that every camera has, would lose every second picture."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._next_s = float("-inf")

    def is_due(self, now_s: float) -> bool:
        gap_s = 1 / self.rate
        if now_s < self._next_s - gap_s * self.EARLY and self._next_s - now_s <= gap_s:
            return False
        if self._next_s - now_s > gap_s:  # the rate was raised meanwhile
            self._next_s = now_s
        self._next_s = max(self._next_s + gap_s, now_s + gap_s / 2)
        return True


class Restarts:
    """Delays before a restart: 1 s, doubled up to 30 s, reset after 30 s of good pictures; at most five a minute."""

    MAX_IN_WINDOW, WINDOW_S = 5, 60.0
    MIN_S, MAX_S = 1.0, 30.0
    GOOD_S = 30.0

    def __init__(self) -> None:
        self._delay_s = self.MIN_S
        self._restarts: deque[float] = deque(maxlen=self.MAX_IN_WINDOW)
        self._good_since_s: float | None = None

    def good(self, now_s: float) -> None:
        """Note that pictures come as they should."""
        if self._good_since_s is None:
            self._good_since_s = now_s
        elif now_s - self._good_since_s >= self.GOOD_S:
            self._delay_s = self.MIN_S

    def bad(self) -> None:
        """Note that they do not."""
        self._good_since_s = None

    def next_delay_s(self) -> float:
        """Seconds to wait before the next start; each call doubles the next delay."""
        delay_s, self._delay_s = self._delay_s, min(2 * self._delay_s, self.MAX_S)
        return delay_s

    def allowed_in_s(self, now_s: float) -> float:
        """Seconds until a start is allowed; 0 when it is now."""
        if len(self._restarts) < self.MAX_IN_WINDOW:
            return 0.0
        return max(0.0, self._restarts[0] + self.WINDOW_S - now_s)

    def started(self, now_s: float) -> None:
        """Note a start."""
        self._restarts.append(now_s)

"""When a picture is due, and when a capture process may be started anew. Pure: the time is always given."""

from collections import deque
from math import floor


class Pace:
    """Places of frames in time, in seconds after the start; ``rate`` (per second) may be changed at any time."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._next_s = 0.0

    def next(self, elapsed_s: float) -> float:
        """The place of the next frame; places that have passed are left out, so the newest wins."""
        gap_s = 1 / self.rate
        missed = floor((elapsed_s - self._next_s) / gap_s + 1e-9)
        place_s = self._next_s + max(0, missed) * gap_s
        self._next_s = place_s + gap_s
        return place_s


class Gate:
    """Lets through at most ``rate`` pictures a second of those that a camera gives in its own time."""

    EARLY = 0.25
    """Share of the gap by which a picture may come early; without it a camera that gives exactly the wanted rate, with
    the jitter that all have, would lose every second picture."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._next_s = float("-inf")

    def due(self, now_s: float) -> bool:
        gap_s = 1 / self.rate
        if now_s < self._next_s - gap_s * self.EARLY and self._next_s - now_s <= gap_s:
            return False
        if self._next_s - now_s > gap_s:  # the rate was raised meanwhile
            self._next_s = now_s
        self._next_s = max(self._next_s + gap_s, now_s + gap_s / 2)
        return True


class Restarts:
    """Pauses before a start: 1 s, doubled up to 30 s, anew after 30 s of good pictures; at most five a minute."""

    MOST, WINDOW_S = 5, 60.0
    MIN_S, MAX_S = 1.0, 30.0
    GOOD_S = 30.0

    def __init__(self) -> None:
        self._pause_s = self.MIN_S
        self._restarts: deque[float] = deque(maxlen=self.MOST)
        self._good_since_s: float | None = None

    def good(self, now_s: float) -> None:
        """Pictures come as they should."""
        if self._good_since_s is None:
            self._good_since_s = now_s
        elif now_s - self._good_since_s >= self.GOOD_S:
            self._pause_s = self.MIN_S

    def bad(self) -> None:
        self._good_since_s = None

    def pause_s(self) -> float:
        """How long to wait before the next start; each call doubles the one after it."""
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, self.MAX_S)
        return pause_s

    def allowed_in_s(self, now_s: float) -> float:
        """How long until a start is allowed at all; 0 when it is now."""
        if len(self._restarts) < self.MOST:
            return 0.0
        return max(0.0, self._restarts[0] + self.WINDOW_S - now_s)

    def started(self, now_s: float) -> None:
        self._restarts.append(now_s)

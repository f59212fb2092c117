"""When pictures are due: at a set rate by the monotonic clock, never late ones one after the other. Pure."""

from math import floor


class Pace:
    """Places of frames in time, in seconds after the start."""

    def __init__(self, frames_per_s: float) -> None:
        self._rate = frames_per_s
        self._next = 0

    def next(self, elapsed_s: float) -> float:
        """The place of the next frame; places that have passed are left out, so the newest wins."""
        newest = floor(elapsed_s * self._rate)
        place = max(self._next, newest)
        self._next = place + 1
        return place / self._rate


class Backoff:
    """Pauses between attempts: 1 s, doubled up to 30 s, and 1 s again after a success."""

    def __init__(self, least_s: float = 1.0, most_s: float = 30.0) -> None:
        self._least_s, self._most_s = least_s, most_s
        self._pause_s = least_s

    def pause_s(self) -> float:
        pause, self._pause_s = self._pause_s, min(2 * self._pause_s, self._most_s)
        return pause

    def reset(self) -> None:
        self._pause_s = self._least_s

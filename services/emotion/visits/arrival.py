"""Somebody who is arriving: seen, but not yet for long enough to open a session. Pure."""


class Arrival:
    """Times are seconds of the camera's clock."""

    def __init__(self, arrival_s: float, miss_s: float) -> None:
        self._arrival_s, self._miss_s = arrival_s, miss_s
        self._seen_s = 0.0
        self.since_s: float | None = None
        """None while nobody is arriving"""

    def somebody_seen(self, now_s: float) -> bool:
        """A face is in the frame. Returns whether somebody has now been seen for long enough."""
        self.since_s = now_s if self.since_s is None else self.since_s
        self._seen_s = now_s
        return now_s - self.since_s >= self._arrival_s

    def nobody_seen(self, now_s: float) -> bool:
        """The frame shows no face. Returns whether whoever was arriving has turned back."""
        if now_s - self._seen_s <= self._miss_s:
            return False
        self.since_s = None
        return True

"""Whether anybody is there, from the moods of all cameras. Pure."""

from datetime import datetime, timedelta

from moodstream.contracts.events import MoodChanged
from shared.bounded import Bounded

MAX_VISITS = 200
MAX_AHEAD = timedelta(minutes=2)
"""Whoever writes a later moment does not keep a visit alive by it."""


class Presence:
    """Which visits go on; one whose next event is overdue has ended unheard."""

    def __init__(self) -> None:
        self._until: Bounded[str, datetime] = Bounded(MAX_VISITS)
        """when the next event of a visit is overdue, by session"""
        self._empty_since_s: float | None = None

    def apply_mood(self, mood: MoodChanged) -> None:
        if mood.session_id is None:
            return
        if mood.phase == "end":
            self._until.pop(mood.session_id, None)
        else:
            self._until[mood.session_id] = mood.expires_at

    def empty_for_s(self, now_s: float, at: datetime) -> float:
        """For how long nobody has been there; ``now_s`` is monotonic, ``at`` the time of the events' clock."""
        for session in [one for one, until in self._until.items() if not at <= until <= at + MAX_AHEAD]:
            del self._until[session]
        if self._until:
            self._empty_since_s = None
            return 0.0
        if self._empty_since_s is None:
            self._empty_since_s = now_s
        return now_s - self._empty_since_s

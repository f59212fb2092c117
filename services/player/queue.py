"""What plays and what comes next. Pure."""

from collections.abc import Sequence
from datetime import datetime

from shared.events import Song


class Queue:
    """The songs of the newest ranking; an older one that arrives late changes nothing."""

    def __init__(self) -> None:
        self._songs: tuple[Song, ...] = ()
        self._place = 0
        self._ranked_at: datetime | None = None

    @property
    def current(self) -> Song | None:
        return self._songs[self._place] if self._place < len(self._songs) else None

    def replace(self, songs: Sequence[Song], ranked_at: datetime) -> Song | None:
        """Take these songs instead, and return the first; None when there are none, or a newer ranking stands."""
        if self._ranked_at is not None and ranked_at <= self._ranked_at:
            return None
        self._songs, self._place, self._ranked_at = tuple(songs), 0, ranked_at
        return self.current

    def next(self) -> Song | None:
        """Go on to the next song; None at the end."""
        self._place = min(self._place + 1, len(self._songs))
        return self.current

"""The newest ranking, until its songs play: it waits while the current song may not be cut yet. Pure."""

from datetime import datetime, timedelta

from moodstream.contracts.events import MoodChanged, SongsRanked
from moodstream.contracts.moods import MOODS


class WaitingRanking:
    """At most one ranking, and when the newest that was taken in was made."""

    def __init__(self, ranking: SongsRanked | None, newest_at: datetime | None) -> None:
        self.ranking = ranking
        self.newest_at = newest_at

    def accept(self, ranking: SongsRanked) -> bool:
        """False for one that is older than the newest.

        One that is older by more than its life would have expired: then the clock was set back, and it is new.
        """
        if self.newest_at and timedelta(0) <= self.newest_at - ranking.at < SongsRanked.LIFETIME:
            return False
        self.newest_at = ranking.at
        if ranking.play:
            self.ranking = ranking
        return True

    def apply_mood(self, mood: MoodChanged) -> None:
        """A ranking that nobody picked by hand is dropped when its mood has passed."""
        waiting = self.ranking
        if waiting is None or waiting.by != "auto" or waiting.session_id != mood.session_id:
            return
        if mood.phase == "end" or (mood.mood in MOODS and mood.mood is not waiting.mood):
            self.ranking = None

    def drop(self) -> None:
        self.ranking = None

    def drop_of(self, session_id: str | None) -> None:
        """Drop that of a visit; with None any."""
        if self.ranking is not None and session_id in (None, self.ranking.session_id):
            self.ranking = None

    def drop_expired(self, at: datetime) -> None:
        if self.ranking is not None and self.ranking.expires_at < at:
            self.ranking = None

    def take(self) -> SongsRanked | None:
        """It does not wait any more."""
        ranking, self.ranking = self.ranking, None
        return ranking

"""A catalogue with all that is worked out from it once: moods, rankings, reasons."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.recommender import offers, song_moods
from services.recommender.catalogue import Catalogue
from services.recommender.ranking import RANKINGS, Ranking
from services.recommender.reasons import Reasons
from services.recommender.song_moods import SongMoods
from shared.circumplex import MOODS, Mood
from shared.events import RankedSong, Song


@dataclass(frozen=True, eq=False)
class Match:
    """A song that is similar to another."""

    position: int
    similarity: float
    """0..1; 1 is the same"""
    reason: str


@dataclass(frozen=True, eq=False)
class Library:
    """What the recommender knows; never changed, only replaced by another."""

    catalogue: Catalogue
    moods: SongMoods
    whole: Ranking
    """of all songs"""
    of_mood: Mapping[Mood, Ranking]
    reasons: Reasons

    @classmethod
    def build(cls, catalogue: Catalogue, similarity: str = "standardised") -> "Library":
        """Takes about a second for 42 k songs. Raises MoodstreamError when no moods can be made of the catalogue."""
        moods = song_moods.fit(catalogue)
        ranking = RANKINGS[similarity]
        return cls(
            catalogue,
            moods,
            whole=ranking(catalogue, np.arange(len(catalogue))),
            of_mood={mood: ranking(catalogue, moods.positions(mood)) for mood in MOODS},
            reasons=Reasons(catalogue),
        )

    def offer(self, mood: Mood, cause_id: str) -> tuple[Song, ...]:
        """Five songs of the mood, or as many as it has; the same for the same cause."""
        songs = self.moods.positions(mood).tolist()
        return tuple(self.catalogue.song(song) for song in offers.draw(songs, self.catalogue.artist, cause_id))

    def similar(self, song_id: str, count: int, mood: Mood | None = None) -> list[Match]:
        """The songs most similar to one, best first: of one of the four moods, or of all songs; a count
        of 0 gives them all.

        Raises MoodstreamError for an unknown id.
        """
        position = self.catalogue.position(song_id)
        ranking = self.of_mood.get(mood, self.whole) if mood else self.whole
        positions, similarities = ranking.nearest(position, count)
        sentences = self.reasons.sentences(position, positions)
        return [Match(*match) for match in zip(positions.tolist(), similarities.tolist(), sentences, strict=True)]

    def ranked(self, song_id: str, count: int, mood: Mood | None = None) -> tuple[RankedSong, ...]:
        """As ``similar``, with the songs themselves."""
        return tuple(
            RankedSong(song=self.catalogue.song(match.position), similarity=match.similarity, reason=match.reason)
            for match in self.similar(song_id, count, mood)
        )

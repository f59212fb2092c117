"""A catalogue with all that is worked out from it once: moods, rankings, reasons, what may be offered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from moodstream.contracts.events import Compared, RankedSong, Song
from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue, Floats, Positions
from services.recommender.choice import goals, preferences, sampling
from services.recommender.choice.filters import Filters, Mask
from services.recommender.choice.goals import Goal, Limits
from services.recommender.choice.preferences import NO_TASTE, Taste
from services.recommender.choice.ranking import RANKINGS, Ranking, Similarity
from services.recommender.choice.reasons import Reasons
from services.recommender.models import mood_cache
from services.recommender.models.song_moods import Method, SongMoods
from services.recommender.models.vectors import Embedding

CHOSEN_FROM = 4
"""Of how many times as many songs as are offered the taste chooses; all are drawn at random."""

ON_THE_WAY = 500
"""How many of the songs most like the pick a path is made of."""


@dataclass(frozen=True, eq=False)
class Match:
    """A song that is similar to another."""

    position: int
    similarity: float
    """0..1; 1 is the same"""
    reason: str
    compared: tuple[Compared, ...]
    """what the reason says"""


@dataclass(frozen=True)
class Offer:
    """Songs of a mood."""

    songs: tuple[Song, ...]
    filled: tuple[Mood, ...] = ()
    """moods that songs were borrowed from, since too few of the mood may be offered"""


@dataclass(frozen=True)
class Choice:
    """How a library is made."""

    similarity: Similarity = "learned"
    method: Method = "listeners"
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, eq=False)
class Library:
    """What the recommender knows; never changed, only replaced by another."""

    catalogue: Catalogue
    moods: SongMoods
    whole: Ranking
    """of all songs that may be offered"""
    of_mood: Mapping[Mood, Ranking]
    reasons: Reasons
    allowed: Mask
    points: Floats
    """[n, d] in which taste is told"""
    typical: float

    @classmethod
    def build(cls, catalogue: Catalogue, choice: Choice | None = None, beside: Path | None = None) -> "Library":
        """Takes about a second for 42 k songs. Raises MoodstreamError when it finds no moods, or may offer nothing.

        Moods that take long to find are kept ``beside`` this file.
        """
        choice = choice or Choice()
        moods = mood_cache.moods(catalogue, choice.method, beside)
        allowed = choice.filters.mask(catalogue)
        if not allowed.any():
            raise MoodstreamError("the filters and lists of songs leave no song to offer")
        embedding = Embedding.load()
        points = embedding.points(catalogue.inputs)
        make = RANKINGS[choice.similarity](catalogue, points, embedding.typical)
        return cls(
            catalogue,
            moods,
            whole=make(np.flatnonzero(allowed)),
            of_mood={mood: make(_among(moods.positions(mood), allowed)) for mood in MOODS},
            reasons=Reasons(catalogue),
            allowed=allowed,
            points=points,
            typical=embedding.typical,
        )

    def offer(
        self,
        mood: Mood,
        cause_id: str,
        heard: Collection[str] = (),
        likes: Taste = NO_TASTE,
        filters: Filters | None = None,
    ) -> Offer:
        """Five songs of the mood, each by another artist, none heard lately; the same for the same cause.

        Where that leaves fewer than five, songs of other moods that belong to this one most fill up; where all moods
        together have too few, also such as were heard.
        """
        may = self.allowed if filters is None else self.allowed & filters.mask(self.catalogue)
        lately = {self.catalogue.positions[song] for song in heard if song in self.catalogue.positions}
        wrong = {self.catalogue.positions.get(song) for song, of in likes.wrong if of == mood}
        own = [at for at in _among(self.moods.positions(mood), may).tolist() if at not in lately and at not in wrong]
        drawn = sampling.draw(
            own, self.catalogue.artist, cause_id, CHOSEN_FROM * sampling.OFFERED if likes else sampling.OFFERED
        )
        chosen = self._by_taste(drawn, likes)[: sampling.OFFERED]
        chosen = sampling.one_each(chosen, self.catalogue.artist)
        if len(chosen) < sampling.OFFERED:
            chosen += self._fill(mood, may, chosen, lately | wrong)
        filled = {self.moods.mood(at) for at in chosen} - {mood}
        songs = tuple(self.catalogue.song(at) for at in chosen)
        return Offer(songs, tuple(one for one in MOODS if one in filled))

    def _by_taste(self, songs: list[int], likes: Taste) -> list[int]:
        if not (likes.likes or likes.skips) or not songs:
            return songs
        leanings = self._leanings(np.array(songs, dtype=np.intp), likes)
        return [songs[row] for row in preferences.order(np.zeros(len(songs)), leanings)]

    def _fill(self, mood: Mood, may: Mask, chosen: list[int], lately: Collection[int | None]) -> list[int]:
        """What is missing, of the nearest moods: unheard songs by other artists first, then any that may be offered."""
        among = np.flatnonzero(may)
        nearest = among[np.argsort(-self.moods.memberships[among, MOODS.index(mood)], kind="stable")].tolist()
        fresh = [at for at in nearest if at not in lately]
        order = sampling.one_each(chosen + fresh, self.catalogue.artist) + fresh + nearest
        rest = [at for at in dict.fromkeys(order) if at not in chosen]
        return rest[: sampling.OFFERED - len(chosen)]

    def similar(self, song_id: str, count: int, mood: Mood | None = None, likes: Taste = NO_TASTE) -> list[Match]:
        """The songs most similar to one, best first: of one of the four moods, or of all songs; 0 gives them all.

        Likes and skips change the order among these, and no more. Raises MoodstreamError for an unknown id.
        """
        position = self.catalogue.position(song_id)
        ranking = self.of_mood.get(mood, self.whole) if mood else self.whole
        positions, similarities = ranking.nearest(position, count)
        if likes.likes or likes.skips:
            rows = preferences.order(similarities, self._leanings(positions, likes))
            positions, similarities = positions[rows], similarities[rows]
        reasons = self.reasons.between(position, positions)
        found = zip(positions.tolist(), similarities.tolist(), reasons, strict=True)
        return [Match(at, likeness, reason.sentence, reason.compared) for at, likeness, reason in found]

    def ranked(
        self, song_id: str, count: int, mood: Mood | None = None, likes: Taste = NO_TASTE
    ) -> tuple[RankedSong, ...]:
        """As ``similar``, with the songs themselves."""
        return tuple(
            RankedSong(
                song=self.catalogue.song(match.position),
                similarity=match.similarity,
                reason=match.reason,
                compared=match.compared,
            )
            for match in self.similar(song_id, count, mood, likes)
        )

    def way(self, song_id: str, goal: Goal, start: Mood, count: int, limits: Limits) -> tuple[Song, ...]:
        """Songs that lead from a mood to a goal, in the order to play them, chosen among those most like a song."""
        position = self.catalogue.position(song_id)
        near, similarities = self.whole.nearest(position, ON_THE_WAY)
        rows = goals.path(goal, start, self.moods.plane[near], similarities, count, limits)
        return tuple(self.catalogue.song(at) for at in near[rows].tolist())

    def _leanings(self, songs: Positions, likes: Taste) -> Floats:
        liked, skipped = (preferences.known(ids, self.catalogue.positions) for ids in (likes.likes, likes.skips))
        return preferences.leaning(self.points, songs, liked, skipped, self.typical)


def _among(positions: Positions, allowed: Mask) -> Positions:
    return positions[allowed[positions]]

"""Songs that come next after what happened in a visit, with what moved each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from moodstream.contracts.events import Because, Compared, Song
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import NextSong
from services.recommender.catalogue.songs import Songs
from services.recommender.catalogue.table import Floats, Positions
from services.recommender.choice.history import JUST_PICKED
from services.recommender.choice.offers import Order
from services.recommender.choice.ranking import Ranking
from services.recommender.choice.reasons import Reasons
from services.recommender.choice.sampling import limit_per_artist
from services.recommender.models.session import Happened, Next, SessionRanking

MAX_PER_ARTIST = 2
"""How often an artist stands in a ranking, the picked song counted, so that it does not become an artist's album."""

TELLING = 0.05
"""Share of all that moved a song from which on a reason is told."""

SongsAt = Callable[[Sequence[int]], Sequence[Song]]
"""The songs at positions of the catalogue."""


class NextRanking(Protocol):
    """Ranks songs that may be offered after what happened."""

    def after(self, happened: Sequence[Happened], mood: Mood | None, count: int) -> Next:
        """The best of a mood or of all, 0 for all, less those that it happened to. Ties stand by position."""

    def scores(self, happened: Sequence[Happened], positions: Positions) -> Floats:
        """[k] of these songs."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """A ranking of a whole catalogue, of which some songs may be offered."""

    ranking: SessionRanking
    of_mood: Callable[[Mood | None], Positions]

    def after(self, happened: Sequence[Happened], mood: Mood | None, count: int) -> Next:
        return self.ranking.after(happened, self.of_mood(mood), count)

    def scores(self, happened: Sequence[Happened], positions: Positions) -> Floats:
        return self.ranking.scores(happened)[positions]


@dataclass(frozen=True, eq=False)
class Match:
    """A song that is similar to another."""

    position: int
    similarity: float
    """0..1; 1 is the same"""
    reason: str
    compared: tuple[Compared, ...]
    """what the reason says"""
    because: tuple[Because, ...] = ()
    """which earlier songs moved it"""
    score: float = 0.0
    """what it is ranked by: its similarity with what preferences add, or its score after a history in deviations"""


@dataclass(frozen=True, eq=False)
class AfterHistory:
    """Ranks the songs of a catalogue after a history."""

    catalogue: Songs
    ranking: NextRanking
    whole: Ranking
    """by similarity alone, of all songs that may be offered"""
    reasons: Reasons

    def order(self, happened: Sequence[Happened]) -> Order:
        """Puts songs in the order in which they come next."""

        def ordered(songs: list[int]) -> list[int]:
            scores = self.ranking.scores(happened, np.array(songs, dtype=np.intp))
            return [songs[row] for row in np.argsort(-scores, kind="stable").tolist()]

        return ordered

    def next_songs(
        self, happened: Sequence[Happened], mood: Mood | None, count: int, songs: SongsAt
    ) -> tuple[NextSong, ...]:
        """The best of a mood or of all, 0 for all."""
        found = self.ranking.after(happened, mood, count)
        of_each, told = songs(found.positions.tolist()), _because(found, happened, songs)
        each = zip(of_each, found.scores.tolist(), told, strict=True)
        return tuple(NextSong(song=song, score=round(score, 4), because=why) for song, score, why in each)

    def matches(
        self, picked: int, before: Sequence[Happened], mood: Mood | None, count: int, songs: SongsAt
    ) -> list[Match]:
        """The songs that come next once one was picked, artists mixed; 0 for all."""
        happened = [*before, Happened(picked, times=JUST_PICKED)]
        found = self._mixed(happened, mood, count)
        likeness = self.whole.likeness(picked, found.positions).tolist()
        reasons = self.reasons.between(picked, found.positions)
        scores = (found.scores / max(float(found.scores.std()), 1e-9)).tolist()
        told = zip(found.positions.tolist(), likeness, reasons, _because(found, happened, songs), scores, strict=True)
        return [Match(at, alike, reason.sentence, reason.compared, *why) for at, alike, reason, *why in told]

    def _mixed(self, happened: Sequence[Happened], mood: Mood | None, count: int) -> Next:
        artist, picked = self.catalogue.artist, happened[-1].position
        wanted, kept, found = count, list[int](), None
        while found is None or (len(kept) < count and len(found.positions) == wanted):
            wanted *= 4
            found = self.ranking.after(happened, mood, wanted)
            kept = limit_per_artist(found.positions.tolist(), artist, MAX_PER_ARTIST, artist(picked))[: count or None]
        return found.rows(np.flatnonzero(np.isin(found.positions, kept)))


def _because(found: Next, happened: Sequence[Happened], songs_at: SongsAt) -> list[tuple[Because, ...]]:
    """For each song, what moved it by more than a little, the most telling first."""
    songs = songs_at([one.position for one in happened])
    said = []
    for row in found.parts:
        least = TELLING * np.abs(row).sum()
        order = [at for at in np.argsort(-np.abs(row), kind="stable").tolist() if abs(row[at]) > least]
        said.append(
            tuple(Because(song=songs[at], kind=happened[at].kind, weight=round(float(row[at]), 4)) for at in order)
        )
    return said

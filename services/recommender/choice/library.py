"""A catalogue with all that is worked out from it once: moods, rankings, reasons, what may be offered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from uuid import UUID

import numpy as np

from moodstream.contracts.events import RankedSong, Song
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.requests import Goal, NextSong
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue, Floats, Positions
from services.recommender.choice.after_history import MAX_PER_ARTIST, AfterHistory, Match
from services.recommender.choice.events_made import NOTHING
from services.recommender.choice.filters import Filters, Mask
from services.recommender.choice.goals import ENDS, Limits, find_path
from services.recommender.choice.history import HistoryModel, Past, in_order, what_counts
from services.recommender.choice.learned import MAX_SHIFT as LEARNED_SHIFT
from services.recommender.choice.learned import NOTHING_LEARNED, Learned, chances
from services.recommender.choice.offers import Offers, Order
from services.recommender.choice.preferences import (
    NO_PREFERENCES,
    Preferences,
    known_positions,
    measure_leanings,
    moved,
    reorder,
)
from services.recommender.choice.ranking import RANKINGS, Ranking, Similarity
from services.recommender.choice.reasons import Reasons
from services.recommender.choice.sampling import limit_per_artist
from services.recommender.choice.search import SongSearch
from services.recommender.models import mood_cache
from services.recommender.models.session import SessionModel, SessionRanking
from services.recommender.models.song_moods import Method, SongMoods
from services.recommender.models.vectors import Embedding

PATH_CANDIDATES = 500
"""How many of the songs most like the pick a path is made of, of each of its two moods."""

MAX_MOVED = 200
"""Songs beyond those wanted that may move into a ranking by what was learned, or take the place of those dropped."""


@dataclass(frozen=True)
class Offer:
    """Songs of a mood."""

    songs: tuple[Song, ...]
    filled: tuple[Mood, ...] = ()
    """moods that songs were borrowed from, since too few of the mood may be offered"""


@dataclass(frozen=True)
class LibraryOptions:
    """How a library is built."""

    similarity: Similarity = "learned"
    method: Method = "listeners"
    filters: Filters = field(default_factory=Filters)
    history: HistoryModel = "attention"


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
    offers: Offers
    points: Floats
    """[n, d] in which likes and skips are compared"""
    typical: float
    after_history: AfterHistory | None = None
    """None where that is off"""

    @classmethod
    def build(
        cls, catalogue: Catalogue, options: LibraryOptions | None = None, beside: Path | None = None
    ) -> "Library":
        """Takes about a second for 42 k songs. Raises MoodstreamError when it finds no moods, or may offer nothing.

        Moods that take long to find are cached ``beside`` this file.
        """
        options = options or LibraryOptions()
        moods = mood_cache.load_or_fit(catalogue, options.method, beside)
        allowed = options.filters.mask(catalogue)
        if not allowed.any():
            raise MoodstreamError("the filters and lists of songs leave no song to offer")
        embedding = Embedding.load()
        points = embedding.points(catalogue.inputs)
        catalogue.prepare()  # here, which is before the service is ready and in a thread of its own
        make = RANKINGS[options.similarity](catalogue, points, embedding.typical)
        whole, reasons, after_history = make(np.flatnonzero(allowed)), Reasons(catalogue), None
        if options.history != "off":
            model, attend = SessionModel.load(), options.history == "attention"
            next_songs = SessionRanking(model, catalogue.inputs, points, embedding.typical, attend=attend)
            after_history = AfterHistory(catalogue, next_songs, whole, reasons)
        return cls(
            catalogue,
            moods,
            whole=whole,
            of_mood={mood: make(_among(moods.positions(mood), allowed)) for mood in MOODS},
            reasons=reasons,
            allowed=allowed,
            offers=Offers(catalogue, moods, allowed),
            points=points,
            typical=embedding.typical,
            after_history=after_history,
        )

    def song(self, position: int) -> Song:
        """A song with its place on the circumplex."""
        valence, arousal = float(self.moods.valence[position]), float(self.moods.arousal[position])
        return self.catalogue.song(position).model_copy(
            update={"valence": round(valence, 4), "arousal": round(arousal, 4)}
        )

    def offer(
        self,
        mood: Mood,
        cause_id: str,
        recently_played: Collection[str] = (),
        preferences: Preferences = NO_PREFERENCES,
        history: Iterable[Past] = (),
        learned: Mapping[Mood, Learned] = NOTHING,
    ) -> Offer:
        """Five songs of the mood, each by another artist, none that played lately; the same for the same cause.

        Where that leaves fewer than five, songs of other moods that belong to this one most fill up; where all moods
        together have too few, also such as have played. What the site has ``learned`` of the mood changes how likely
        songs are, and keeps out those that visitors say are of another one.
        """
        wrong = (song for song, of in preferences.wrong if of == mood)
        of_mood = learned.get(mood, NOTHING_LEARNED)
        kept_out = (*recently_played, *wrong, *self.not_of(mood, of_mood))
        unwanted = set(known_positions(kept_out, self.catalogue.positions).tolist())
        happened = what_counts(history, self.catalogue.positions, mood)
        prefer: Order | None = None
        if self.after_history is not None and happened:
            prefer = self.after_history.order(happened)
        elif preferences.likes or preferences.skips:
            prefer = partial(self._order_by_preferences, preferences)
        chosen = self.offers.draw(mood, cause_id, unwanted, prefer, self._chances(of_mood, cause_id))
        filled = {self.moods.mood(at) for at in chosen} - {mood}
        songs = tuple(self.song(at) for at in chosen)
        return Offer(songs, tuple(one for one in MOODS if one in filled))

    def not_of(self, mood: Mood, learned: Learned) -> set[str]:
        """Songs that visitors say do not have this mood."""
        code, positions = MOODS.index(mood), self.catalogue.positions
        known = [song for song in learned.songs if song in positions]
        return learned.not_of_the_mood({song: float(self.moods.memberships[positions[song], code]) for song in known})

    def _chances(self, learned: Learned, cause_id: str) -> dict[int, float]:
        known = [song for song in sorted(learned.songs) if song in self.catalogue.positions]
        if not known:
            return {}
        drawn = chances(learned.leanings(known, cause_id)).tolist()
        return {self.catalogue.positions[song]: chance for song, chance in zip(known, drawn, strict=True)}

    def _order_by_preferences(self, preferences: Preferences, songs: list[int]) -> list[int]:
        leanings = self._leanings(np.array(songs, dtype=np.intp), preferences)
        return [songs[row] for row in reorder(np.zeros(len(songs)), leanings)]

    def known_songs(self, song_ids: Sequence[str]) -> tuple[Song, ...]:
        """Those of these songs that the catalogue has, in their order."""
        return tuple(map(self.song, known_positions(song_ids, self.catalogue.positions).tolist()))

    def similar(
        self,
        song_id: str,
        count: int,
        mood: Mood | None = None,
        preferences: Preferences = NO_PREFERENCES,
        per_artist: int | None = None,
    ) -> list[Match]:
        """The songs most similar to one, best first: of one of the four moods, or of all songs; 0 gives them all.

        ``per_artist`` is how often an artist may stand there, the song itself counted. Likes and skips change the
        order among these, and no more. Raises MoodstreamError for an unknown id.
        """
        position = self.catalogue.position(song_id)
        ranking = self.of_mood.get(mood, self.whole) if mood else self.whole
        positions, similarities = self._nearest(ranking, position, count, per_artist)
        scores = similarities
        if preferences.likes or preferences.skips:
            scores = moved(similarities, self._leanings(positions, preferences))
            rows = np.argsort(-scores, kind="stable")
            positions, similarities, scores = positions[rows], similarities[rows], scores[rows]
        reasons = self.reasons.between(position, positions)
        found = zip(positions.tolist(), similarities.tolist(), scores.tolist(), reasons, strict=True)
        return [
            Match(at, likeness, reason.sentence, reason.compared, score=score) for at, likeness, score, reason in found
        ]

    def _nearest(self, ranking: Ranking, position: int, count: int, per_artist: int | None) -> tuple[Positions, Floats]:
        if per_artist is None or count == 0:
            return ranking.nearest(position, count)
        artist = self.catalogue.artist
        wanted = 2 * count
        while True:
            positions, similarities = ranking.nearest(position, wanted)
            kept = limit_per_artist(positions.tolist(), artist, per_artist, artist(position))[:count]
            if len(kept) == count or len(positions) < wanted:
                rows = np.flatnonzero(np.isin(positions, kept))
                return positions[rows], similarities[rows]
            wanted *= 4

    def ranked(
        self,
        song_id: str,
        count: int,
        mood: Mood | None = None,
        preferences: Preferences = NO_PREFERENCES,
        history: Iterable[Past] = (),
        learned: Mapping[Mood, Learned] = NOTHING,
        cause_id: str = str(UUID(int=0)),
    ) -> tuple[RankedSong, ...]:
        """As ``similar``, with the songs themselves, and artists mixed; after a history, by what comes next after it.

        A pick without a history is ranked by similarity alone. What the site has ``learned`` of the mood moves songs a
        little, and drops those that visitors say are of another one.
        """
        position = self.catalogue.position(song_id)
        happened = what_counts(history, self.catalogue.positions, mood)
        happened = [one for one in happened if one.position != position]
        of_mood = learned.get(mood, NOTHING_LEARNED) if mood is not None else NOTHING_LEARNED
        wanted = count + min(len(of_mood.songs), MAX_MOVED) if count else 0
        if self.after_history is None or not happened:
            matches = self.similar(song_id, wanted, mood, preferences, MAX_PER_ARTIST)
        else:
            matches = self.after_history.matches(position, happened, self._candidates(mood), wanted, self.song)
        if of_mood.songs and mood is not None:
            matches = self._as_learned(matches, mood, of_mood, cause_id)
        if count:
            matches = matches[:count]
        return tuple(
            RankedSong(
                song=self.song(match.position),
                similarity=match.similarity,
                reason=match.reason,
                compared=match.compared,
                because=match.because,
            )
            for match in matches
        )

    def _as_learned(self, matches: list[Match], mood: Mood, learned: Learned, cause_id: str) -> list[Match]:
        """Moved by what visitors of this site did, and without what they say is of another mood."""
        names = [str(self.catalogue.frame["id"].iat[one.position]) for one in matches]
        wrong, leanings = self.not_of(mood, learned), learned.leanings(names, cause_id)
        moved = np.array([one.score for one in matches]) + LEARNED_SHIFT * leanings
        return [matches[row] for row in np.argsort(-moved, kind="stable").tolist() if names[row] not in wrong]

    def after(self, song_ids: Sequence[str], count: int, mood: Mood | None = None) -> tuple[NextSong, ...]:
        """What comes next after songs that were heard, the oldest first, of a mood or of all; 0 gives them all.

        Raises MoodstreamError for an unknown id, and where the history model is off.
        """
        for song_id in song_ids:
            self.catalogue.position(song_id)
        if self.after_history is None:
            raise MoodstreamError("what comes next is not known: MOODSTREAM_HISTORY_MODEL is off")
        happened = what_counts(in_order(song_ids), self.catalogue.positions, mood)
        return self.after_history.songs(happened, self._candidates(mood), count, self.song)

    def _candidates(self, mood: Mood | None) -> Positions:
        return np.flatnonzero(self.allowed) if mood is None else _among(self.moods.positions(mood), self.allowed)

    def path(self, song_id: str, goal: Goal, start: Mood, count: int, limits: Limits) -> tuple[Song, ...]:
        """Songs that lead from a mood to a goal, in the order to play them, chosen among those most like a song.

        All are of the mood where it starts or of that where it ends.
        """
        position = self.catalogue.position(song_id)
        end = ENDS.get(goal, start)
        found = [self.of_mood[mood].nearest(position, PATH_CANDIDATES) for mood in {start: 0, end: 0}]
        near = np.concatenate([positions for positions, _ in found])
        similarities = np.concatenate([likeness for _, likeness in found])
        arrived = self.moods.codes[near] == MOODS.index(end)
        rows = find_path(goal, start, self.moods.plane[near], similarities, arrived, count, limits)
        return tuple(self.song(at) for at in near[rows].tolist())

    def search(self, text: str, count: int) -> list[tuple[int, bool]]:
        """Positions of the songs that fit a text, best first, and whether each has all its words. May take a second."""
        return self._search.find(text, count)

    @cached_property
    def _search(self) -> SongSearch:
        frame = self.catalogue.frame
        return SongSearch(frame["title"].tolist(), frame["artist"].tolist())

    def _leanings(self, songs: Positions, preferences: Preferences) -> Floats:
        liked = known_positions(preferences.likes, self.catalogue.positions)
        skipped = known_positions(preferences.skips, self.catalogue.positions)
        return measure_leanings(self.points, songs, liked, skipped, self.typical)


def _among(positions: Positions, allowed: Mask) -> Positions:
    return positions[allowed[positions]]

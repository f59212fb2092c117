"""What may be asked of the songs of a site, wherever they are kept: offers, rankings, paths, moods."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np

from moodstream.contracts.events import RankedSong, Song
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.requests import Goal, NextSong
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.songs import Rows, Songs, TextSearch, UnknownSong
from services.recommender.catalogue.table import Floats, Positions
from services.recommender.choice.after_history import MAX_PER_ARTIST, AfterHistory, Match
from services.recommender.choice.events_made import NOTHING
from services.recommender.choice.filters import Mask
from services.recommender.choice.goals import ENDS, Limits, find_path
from services.recommender.choice.history import Past, in_order, what_counts
from services.recommender.choice.learned import MAX_SHIFT as LEARNED_SHIFT
from services.recommender.choice.learned import NOTHING_LEARNED, Learned, chances
from services.recommender.choice.offers import Offers, Order
from services.recommender.choice.preferences import NO_PREFERENCES, Preferences, measure_leanings, moved, reorder
from services.recommender.choice.ranking import Ranking
from services.recommender.choice.reasons import Reasons
from services.recommender.choice.sampling import limit_per_artist
from services.recommender.models.session import Happened
from services.recommender.models.song_moods import SongMoods

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


@dataclass(frozen=True, eq=False, kw_only=True)
class SongLibrary:
    """What the recommender knows; never changed, only replaced by another."""

    songs: Songs
    moods: SongMoods
    whole: Ranking
    """of all songs that may be offered"""
    of_mood: Mapping[Mood, Ranking]
    reasons: Reasons
    allowed: Mask
    offers: Offers
    points: Rows
    """[n, d] in which likes and skips are compared"""
    typical: float
    text_search: TextSearch
    after_history: AfterHistory | None = None
    """None where that is off"""

    def songs_at(self, positions: Sequence[int]) -> tuple[Song, ...]:
        """Songs with their places on the circumplex, in the order of the positions."""
        return tuple(map(self._placed, positions, self.songs.songs(positions)))

    def song(self, position: int) -> Song:
        """A song with its place on the circumplex."""
        (song,) = self.songs_at([position])
        return song

    def _placed(self, position: int, song: Song) -> Song:
        valence, arousal = float(self.moods.valence[position]), float(self.moods.arousal[position])
        return song.model_copy(update={"valence": round(valence, 4), "arousal": round(arousal, 4)})

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
        unwanted = set(self.songs.find(kept_out).values())
        happened = self._happened(history, mood)
        prefer: Order | None = None
        if self.after_history is not None and happened:
            prefer = self.after_history.order(happened)
        elif preferences.likes or preferences.skips:
            prefer = partial(self._order_by_preferences, preferences)
        chosen = self.offers.draw(mood, cause_id, unwanted, prefer, self._chances(of_mood, cause_id))
        filled = {self.moods.mood(at) for at in chosen} - {mood}
        return Offer(self.songs_at(chosen), tuple(one for one in MOODS if one in filled))

    def not_of(self, mood: Mood, learned: Learned) -> set[str]:
        """Songs that visitors say do not have this mood."""
        code, known = MOODS.index(mood), self.songs.find(learned.songs)
        return learned.not_of_the_mood({song: float(self.moods.memberships[at, code]) for song, at in known.items()})

    def _chances(self, learned: Learned, cause_id: str) -> dict[int, float]:
        known = self.songs.find(sorted(learned.songs))
        if not known:
            return {}
        drawn = chances(learned.leanings(known, cause_id)).tolist()
        return dict(zip(known.values(), drawn, strict=True))

    def _happened(self, history: Iterable[Past], mood: Mood | None) -> list[Happened]:
        past = list(history)
        return what_counts(past, self.songs.find(one.song_id for one in past), mood)

    def _order_by_preferences(self, preferences: Preferences, songs: list[int]) -> list[int]:
        leanings = self._leanings(np.array(songs, dtype=np.intp), preferences)
        return [songs[row] for row in reorder(np.zeros(len(songs)), leanings)]

    def known_songs(self, song_ids: Sequence[str]) -> tuple[Song, ...]:
        """Those of these songs that the catalogue has, in their order."""
        known = self.songs.find(song_ids)
        return self.songs_at([known[song] for song in song_ids if song in known])

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
        position = self.songs.position(song_id)
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
        artist = self.songs.artist
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
        position = self.songs.position(song_id)
        happened = [one for one in self._happened(history, mood) if one.position != position]
        of_mood = learned.get(mood, NOTHING_LEARNED) if mood is not None else NOTHING_LEARNED
        wanted = count + min(len(of_mood.songs), MAX_MOVED) if count else 0
        if self.after_history is None or not happened:
            matches = self.similar(song_id, wanted, mood, preferences, MAX_PER_ARTIST)
        else:
            matches = self.after_history.matches(position, happened, mood, wanted, self.songs_at)
        if of_mood.songs and mood is not None:
            matches = self._as_learned(matches, mood, of_mood, cause_id)
        if count:
            matches = matches[:count]
        songs = self.songs_at([match.position for match in matches])
        return tuple(
            RankedSong(
                song=song,
                similarity=match.similarity,
                reason=match.reason,
                compared=match.compared,
                because=match.because,
            )
            for song, match in zip(songs, matches, strict=True)
        )

    def _as_learned(self, matches: list[Match], mood: Mood, learned: Learned, cause_id: str) -> list[Match]:
        """Moved by what visitors of this site did, and without what they say is of another mood."""
        names = self.songs.ids([one.position for one in matches])
        wrong, leanings = self.not_of(mood, learned), learned.leanings(names, cause_id)
        moved = np.array([one.score for one in matches]) + LEARNED_SHIFT * leanings
        return [matches[row] for row in np.argsort(-moved, kind="stable").tolist() if names[row] not in wrong]

    def after(self, song_ids: Sequence[str], count: int, mood: Mood | None = None) -> tuple[NextSong, ...]:
        """What comes next after songs that were heard, the oldest first, of a mood or of all; 0 gives them all.

        Raises MoodstreamError for an unknown id, and where the history model is off.
        """
        known = self.songs.find(song_ids)
        for song_id in song_ids:
            if song_id not in known:
                raise UnknownSong(song_id)
        if self.after_history is None:
            raise MoodstreamError("cannot rank the next songs: MOODSTREAM_HISTORY_MODEL is off")
        happened = what_counts(in_order(song_ids), known, mood)
        return self.after_history.next_songs(happened, mood, count, self.songs_at)

    def path(self, song_id: str, goal: Goal, start: Mood, count: int, limits: Limits) -> tuple[Song, ...]:
        """Songs that lead from a mood to a goal, in the order to play them, chosen among those most like a song.

        All are of the mood where it starts or of that where it ends.
        """
        position = self.songs.position(song_id)
        end = ENDS.get(goal, start)
        found = [self.of_mood[mood].nearest(position, PATH_CANDIDATES) for mood in {start: 0, end: 0}]
        near = np.concatenate([positions for positions, _ in found])
        similarities = np.concatenate([likeness for _, likeness in found])
        arrived = self.moods.codes[near] == MOODS.index(end)
        rows = find_path(goal, start, self.moods.plane[near], similarities, arrived, count, limits)
        return self.songs_at(near[rows].tolist())

    def search(self, text: str, count: int) -> list[tuple[int, bool]]:
        """Positions of the songs that fit a text, best first, and whether each has all its words. May take a second."""
        return self.text_search.find(text, count)

    def _leanings(self, songs: Positions, preferences: Preferences) -> Floats:
        known = self.songs.find([*preferences.likes, *preferences.skips])
        liked, skipped = (
            np.array([known[song] for song in some if song in known], dtype=np.intp)
            for some in (preferences.likes, preferences.skips)
        )
        return measure_leanings(self.points, songs, liked, skipped, self.typical)

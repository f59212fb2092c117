"""Which mood a song has, by any of several methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.table import FEATURES, Catalogue, Floats, Positions
from services.recommender.models import clusters
from services.recommender.models.clusters import MOOD_POINTS, Cluster, Codes
from services.recommender.models.listeners import ListenersModel, softmax

components = clusters.components

Method = Literal["listeners", "article", "dbscan", "birch", "gmm", "quadrant"]


@dataclass(frozen=True, eq=False)
class SongMoods:
    """Moods of all songs of a catalogue, by position."""

    codes: Codes
    """[n] positions in ``MOODS``"""
    valence: Floats
    """[n] -1..1"""
    arousal: Floats
    """[n] -1..1"""
    memberships: Floats
    """[n, 4] how much a song belongs to each mood; rows sum to 1"""
    clusters: tuple[Cluster, ...] = ()
    """where the groups lie, of methods that find groups"""

    def mood(self, position: int) -> Mood:
        return MOODS[int(self.codes[position])]

    def positions(self, mood: Mood) -> Positions:
        """Songs of a mood, ascending; none for what is not one of the four."""
        return np.flatnonzero(self.codes == MOODS.index(mood)) if mood in MOODS else np.array([], dtype=np.intp)

    @cached_property
    def margins(self) -> Floats:
        """[n] how far each song is from the border of its mood: its membership less that of the next mood, 0..1."""
        ordered = np.partition(self.memberships, -2, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])

    def margin(self, position: int) -> float:
        return float(self.margins[position])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the clusters, in words."""
        return clusters.describe_places(self.clusters)

    def describe(self, song_id: str, position: int) -> dict[str, Any]:
        """For people and programs: the mood of a song, its point on the circumplex, and how sure that is."""
        memberships = self.memberships[position].round(4).tolist()
        return {
            "id": song_id,
            "mood": self.mood(position).value,
            "valence": round(float(self.valence[position]), 6),
            "arousal": round(float(self.arousal[position]), 6),
            "memberships": {mood.value: share for mood, share in zip(MOODS, memberships, strict=True)},
            "margin": round(self.margin(position), 4),
        }

    @property
    def plane(self) -> Floats:
        """[n, 2] valence and arousal."""
        return np.stack([self.valence, self.arousal], axis=1)


def fit(catalogue: Catalogue, method: Method = "listeners") -> SongMoods:
    """The moods of a catalogue by one method; the same catalogue gets the same moods.

    Raises MoodstreamError when a method that finds clusters gets fewer than four different songs.
    """
    return METHODS[method](catalogue)


def _listeners(catalogue: Catalogue) -> SongMoods:
    """As listeners name it."""
    texts = (catalogue.frame[name].tolist() for name in ("genre", "artist", "title"))
    memberships = ListenersModel.load().memberships(catalogue.inputs, *texts)
    return place_songs(_heard_first(catalogue, memberships))


def place_songs(memberships: Floats, places: tuple[Cluster, ...] = ()) -> SongMoods:
    """By memberships [n, 4]: the point of a song is the mean of the moods' points, kept in the quadrant of its mood."""
    codes = memberships.argmax(axis=1)
    signs = np.sign(MOOD_POINTS[codes])
    valence, arousal = (signs * (signs * (memberships @ MOOD_POINTS)).clip(0.001)).T
    return SongMoods(codes, valence, arousal, memberships, places)


def _heard_first(catalogue: Catalogue, memberships: Floats) -> Floats:
    """Where `songs scan` listened to a song, what it heard counts: that is right far more often than its numbers."""
    heard = np.asarray(np.isfinite(catalogue.heard).all(axis=1))
    return np.where(heard[:, None], np.nan_to_num(catalogue.heard), memberships)


def _quadrant(catalogue: Catalogue) -> SongMoods:
    """The quadrant of Spotify's own valence and energy, with the axes in the middle of their ranges."""
    plane = 2 * catalogue.features[:, [FEATURES.index("valence"), FEATURES.index("energy")]] - 1
    valence, arousal = plane.T
    codes = np.where(arousal >= 0, np.where(valence >= 0, 1, 0), np.where(valence >= 0, 3, 2)).astype(np.intp)
    memberships = softmax(-2 * ((plane[:, None] - MOOD_POINTS[None]) ** 2).sum(axis=2))
    return SongMoods(codes, valence, arousal, memberships)


def _clustered(catalogue: Catalogue, cluster: Callable[[Floats], Codes]) -> SongMoods:
    """The mood of the quadrant that a song's cluster lies in."""
    found = clusters.find_clusters(catalogue, cluster)
    return place_songs(found.memberships, found.places)


METHODS: Mapping[Method, Callable[[Catalogue], SongMoods]] = {
    "listeners": _listeners,
    "article": partial(_clustered, cluster=clusters.k_means),
    "dbscan": partial(_clustered, cluster=clusters.dbscan),
    "birch": partial(_clustered, cluster=clusters.birch),
    "gmm": partial(_clustered, cluster=clusters.gmm),
    "quadrant": _quadrant,
}
"""By name: ``article`` is the method of the article that Moodstream began with."""

"""Which mood a song has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from services.recommender.catalogue import FEATURES, Catalogue, Floats, Positions
from shared.circumplex import COORDINATES, MOODS, Mood
from shared.errors import MoodstreamError

SEED = 1980


@dataclass(frozen=True, eq=False)
class SongMoods:
    """Moods of all songs of a catalogue, by position."""

    codes: npt.NDArray[np.intp]
    """[n] positions in ``MOODS``"""
    valence: Floats
    """[n] -1..1"""
    arousal: Floats
    """[n] -1..1"""

    def mood(self, position: int) -> Mood:
        return MOODS[int(self.codes[position])]

    def positions(self, mood: Mood) -> Positions:
        """Songs of a mood, ascending; none for what is not one of the four."""
        return np.flatnonzero(self.codes == MOODS.index(mood)) if mood in MOODS else np.array([], dtype=np.intp)


def fit(catalogue: Catalogue, method: str = "article") -> SongMoods:
    """The moods of a catalogue by a method of ``METHODS``; the same catalogue gets the same moods.

    Raises MoodstreamError when the catalogue has fewer than four different songs.
    """
    return METHODS[method](catalogue)


def _article(catalogue: Catalogue) -> SongMoods:
    """Four clusters of the main components of the features; each is the mood whose quadrant it lies in.

    A cluster lies where its songs' mean valence and energy lie, seen from the catalogue's own mean and in its own
    standard deviations. The four clusters are matched with the four places of the circumplex at once, so that each
    mood gets one; cluster numbers mean nothing.
    """
    features = catalogue.features
    if len(np.unique(features, axis=0)) < len(MOODS):
        raise MoodstreamError(f"moods need at least {len(MOODS)} different songs in the catalogue")
    # One thread: with several, k-means adds up in another order each time.
    with threadpool_limits(limits=1):
        pipeline = make_pipeline(
            StandardScaler(), PCA(n_components=4, random_state=SEED), KMeans(len(MOODS), n_init=10, random_state=SEED)
        )
        clusters = pipeline.fit_predict(features)
    plane = catalogue.standardised[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
    centroids = np.array([plane[clusters == cluster].mean(axis=0) for cluster in range(len(MOODS))])
    places = np.array([COORDINATES[mood] for mood in MOODS])
    rows, moods = linear_sum_assignment(((centroids[:, None] - places[None]) ** 2).sum(axis=2))
    code_of_cluster = np.empty(len(MOODS), dtype=np.intp)
    code_of_cluster[rows] = moods
    valence, energy = (features[:, FEATURES.index(name)] for name in ("valence", "energy"))
    return SongMoods(code_of_cluster[clusters], 2 * valence - 1, 2 * energy - 1)


METHODS: Mapping[str, Callable[[Catalogue], SongMoods]] = {"article": _article}
"""By name: ``article`` is the method of the article that Moodstream began with."""

"""Which mood a song has, by any of several methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from moodstream.contracts.moods import COORDINATES, MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue, Floats, Positions
from services.recommender.models.listeners import ListenersModel, softmax

SEED = 1980
COMPONENTS = 4
MOOD_POINTS = np.array([COORDINATES[mood] for mood in MOODS])
"""[4, 2] valence and arousal of the moods"""

Method = Literal["listeners", "article", "dbscan", "birch", "gmm", "quadrant"]
Codes = npt.NDArray[np.intp]


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

    def mood(self, position: int) -> Mood:
        return MOODS[int(self.codes[position])]

    def positions(self, mood: Mood) -> Positions:
        """Songs of a mood, ascending; none for what is not one of the four."""
        return np.flatnonzero(self.codes == MOODS.index(mood)) if mood in MOODS else np.array([], dtype=np.intp)

    def margin(self, position: int) -> float:
        """How far a song is from the border of its mood: its membership less that of the next mood, 0..1."""
        next_best, best = np.sort(self.memberships[position])[-2:]
        return float(best - next_best)

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
    """As listeners name it. The point of a song is the mean of the moods' points, kept in the quadrant of its mood."""
    memberships = ListenersModel.load().memberships(catalogue.inputs, catalogue.frame["genre"].tolist())
    memberships = _heard_first(catalogue, memberships)
    codes = memberships.argmax(axis=1)
    signs = np.sign(MOOD_POINTS[codes])
    valence, arousal = (signs * (signs * (memberships @ MOOD_POINTS)).clip(0.001)).T
    return SongMoods(codes, valence, arousal, memberships)


def _heard_first(catalogue: Catalogue, memberships: Floats) -> Floats:
    """Where `songs scan` listened to a song, what was heard counts: it is right far more often than guesses by numbers."""
    heard = np.isfinite(catalogue.heard).all(axis=1)
    return np.where(heard[:, None], np.nan_to_num(catalogue.heard), memberships)


def _quadrant(catalogue: Catalogue) -> SongMoods:
    """The quadrant of Spotify's own valence and energy, with the axes in the middle of their ranges."""
    valence, arousal = _plane(catalogue).T
    codes = np.where(arousal >= 0, np.where(valence >= 0, 1, 0), np.where(valence >= 0, 3, 2)).astype(np.intp)
    return _with_spotify_plane(catalogue, codes)


def _clustered(catalogue: Catalogue, cluster: Callable[[Floats], Codes]) -> SongMoods:
    """Clusters of the main components of the features; each is the mood whose quadrant it lies in.

    A cluster lies where its songs' mean valence and energy lie, seen from the catalogue's own mean and in its own
    standard deviations. Four clusters are matched with the four moods' points at once, so that each mood
    gets one; of more, each is the nearest mood. Cluster numbers mean nothing.
    """
    # They take a second to import, and the default needs neither.
    from scipy.optimize import linear_sum_assignment
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(np.unique(catalogue.features, axis=0)) < len(MOODS):
        raise MoodstreamError(f"moods need at least {len(MOODS)} different songs in the catalogue")
    # One thread: with several, k-means adds up in another order each time.
    with threadpool_limits(limits=1):
        clusters = cluster(components(catalogue))
    plane = catalogue.standardised[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
    centroids = np.array([plane[clusters == number].mean(axis=0) for number in range(clusters.max() + 1)])
    distances = ((centroids[:, None] - MOOD_POINTS[None]) ** 2).sum(axis=2)
    moods = distances.argmin(axis=1)
    if len(centroids) <= len(MOODS):
        rows, matched = linear_sum_assignment(distances)
        moods[rows] = matched
    return _with_spotify_plane(catalogue, moods[clusters])


def components(catalogue: Catalogue) -> Floats:
    """[n, 4] the first principal components of the standardised features."""
    from sklearn.decomposition import PCA

    return np.asarray(PCA(COMPONENTS, random_state=SEED).fit_transform(catalogue.standardised))


def _k_means(points: Floats) -> Codes:
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(len(MOODS), n_init=10, random_state=SEED).fit_predict(points), dtype=np.intp)


def _birch(points: Floats) -> Codes:
    from sklearn.cluster import AgglomerativeClustering, Birch

    # A small sample keeps the last, agglomerative step within memory, whatever the size of the catalogue.
    tree = Birch(threshold=0.5, n_clusters=None).fit(points[_sample_rows(len(points), 20_000)])
    centres = tree.subcluster_centers_
    if len(centres) < len(MOODS):
        return _k_means(points)
    groups = AgglomerativeClustering(len(MOODS)).fit_predict(centres)
    return np.asarray(groups[_nearest(points, centres)], dtype=np.intp)


def _gmm(points: Floats) -> Codes:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(len(MOODS), random_state=SEED, n_init=2, reg_covar=1e-3)
    return _numbered(mixture.fit(points[_sample_rows(len(points), 20_000)]).predict(points))


def _dbscan(points: Floats) -> Codes:
    """The largest radius that tells four groups apart; songs outside all groups join the nearest centre."""
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    some = points[_sample_rows(len(points), 5_000)]
    near = min(10, len(some) - 1)
    distances = NearestNeighbors(n_neighbors=near).fit(some).kneighbors(some)[0][:, -1]
    for share in np.linspace(0.95, 0.05, 19):
        radius = max(float(np.quantile(distances, share)), 1e-9)
        groups = DBSCAN(eps=radius, min_samples=near).fit_predict(some)
        if groups.max() + 1 >= len(MOODS):
            centres = np.array([some[groups == number].mean(axis=0) for number in range(groups.max() + 1)])
            return _numbered(_nearest(points, centres))
    return _k_means(points)  # one even cloud has no denser parts to tell apart


def _numbered(groups: Any) -> Codes:
    """The groups that have songs, as 0, 1, 2, ..."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], dtype=np.intp)


def _nearest(points: Floats, centres: Floats) -> Codes:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(centres).query(points)[1], dtype=np.intp)


def _sample_rows(count: int, size: int) -> Positions:
    return np.sort(np.random.default_rng(SEED).permutation(count)[:size])


def _plane(catalogue: Catalogue) -> Floats:
    return 2 * catalogue.features[:, [FEATURES.index("valence"), FEATURES.index("energy")]] - 1


def _with_spotify_plane(catalogue: Catalogue, codes: Codes) -> SongMoods:
    """Valence and arousal as Spotify says them; memberships by the distance to the moods' points."""
    plane = _plane(catalogue)
    memberships = softmax(-2 * ((plane[:, None] - MOOD_POINTS[None]) ** 2).sum(axis=2))
    return SongMoods(codes, plane[:, 0], plane[:, 1], memberships)


METHODS: Mapping[Method, Callable[[Catalogue], SongMoods]] = {
    "listeners": _listeners,
    "article": partial(_clustered, cluster=_k_means),
    "dbscan": partial(_clustered, cluster=_dbscan),
    "birch": partial(_clustered, cluster=_birch),
    "gmm": partial(_clustered, cluster=_gmm),
    "quadrant": _quadrant,
}
"""By name: ``article`` is the method of the article that Moodstream began with."""

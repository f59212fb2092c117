"""Groups of songs that sound alike, and the mood that each stands for: the article's way, and others like it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moodstream.contracts.moods import COORDINATES, MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue, Floats, Positions

SEED = 1980
COMPONENTS = 4
NEARLY = 1e-6
"""How far the mood of a song's own group leads where another group's centre is nearer."""

MOOD_POINTS = np.array([COORDINATES[mood] for mood in MOODS])
"""[4, 2] valence and arousal of the moods"""

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cluster:
    """Where a group of songs lies on the circumplex."""

    mood: Mood
    songs: int
    valence: float
    """mean of its songs', 0..1 as Spotify has it"""
    energy: float


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of songs and the mood that each stands for."""

    places: tuple[Cluster, ...]
    memberships: Floats
    """[n, 4] rows sum to 1; the greatest is the mood of a song's own group"""


def describe_places(places: tuple[Cluster, ...]) -> tuple[str, ...]:
    """For people: where groups share a place."""
    count = {mood: sum(place.mood == mood for place in places) for mood in MOODS}
    shared = [f"{count[mood]} clusters lie in {mood.value}" for mood in MOODS if count[mood] > 1]
    empty = [f"no cluster lies in {mood.value}, so no song has this mood" for mood in MOODS if not count[mood]]
    return (*shared, *empty) if places else ()


def find_clusters(catalogue: Catalogue, cluster: Callable[[Floats], Codes]) -> Clusters:
    """Groups among the main components of the features; each stands for the mood in whose quadrant it lies.

    A group lies where its songs' mean valence and energy lie, seen from the catalogue's own mean. Several may lie in
    one quadrant, and then no group stands for another mood. Raises MoodstreamError for fewer than four different songs.
    """
    # It takes a second to import, and the default does not need it.
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(np.unique(catalogue.features, axis=0)) < len(MOODS):
        raise MoodstreamError(f"moods need at least {len(MOODS)} different songs in the catalogue")
    points = components(catalogue)
    # One thread: with several, k-means adds up in another order each time.
    with threadpool_limits(limits=1):
        groups = cluster(points)
    columns = [FEATURES.index("valence"), FEATURES.index("energy")]
    count = int(groups.max()) + 1
    centroids = np.array([catalogue.standardised[groups == at][:, columns].mean(axis=0) for at in range(count)])
    moods = ((centroids[:, None] - MOOD_POINTS[None]) ** 2).sum(axis=2).argmin(axis=1)
    raw = [catalogue.features[groups == at][:, columns].mean(axis=0) for at in range(count)]
    sizes = np.bincount(groups, minlength=count)
    places = tuple(
        Cluster(MOODS[int(mood)], int(size), float(valence), float(energy))
        for mood, size, (valence, energy) in zip(moods, sizes, raw, strict=True)
    )
    return Clusters(places, _memberships(points, groups, moods))


def _memberships(points: Floats, groups: Codes, moods: Codes) -> Floats:
    """[n, 4]: a mood has the share of the best of its groups, by distance in the groups' own spread.

    The best and not the sum, or a song would belong most to a mood that its own group does not stand for.
    """
    count = int(groups.max()) + 1
    centres = np.array([points[groups == at].mean(axis=0) for at in range(count)])
    squares = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    own = np.arange(len(points)), groups
    spread = max(float(squares[own].mean()) / points.shape[1], 1e-12)
    near = np.exp(-(squares - squares.min(axis=1, keepdims=True)) / (2 * spread))
    near[own] = np.maximum(near[own], near.max(axis=1) * (1 + NEARLY))
    shares = np.zeros((len(points), len(MOODS)))
    for at in range(count):
        shares[:, moods[at]] = np.maximum(shares[:, moods[at]], near[:, at])
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def components(catalogue: Catalogue) -> Floats:
    """[n, 4] the first principal components of the standardised features."""
    from sklearn.decomposition import PCA

    return np.asarray(PCA(COMPONENTS, random_state=SEED).fit_transform(catalogue.standardised))


def k_means(points: Floats) -> Codes:
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(len(MOODS), n_init=10, random_state=SEED).fit_predict(points), dtype=np.intp)


def birch(points: Floats) -> Codes:
    from sklearn.cluster import AgglomerativeClustering, Birch

    # A small sample keeps the last, agglomerative step within memory, whatever the size of the catalogue.
    tree = Birch(threshold=0.5, n_clusters=None).fit(points[_sample_rows(len(points), 20_000)])
    centres = tree.subcluster_centers_
    if len(centres) < len(MOODS):
        return k_means(points)
    groups = AgglomerativeClustering(len(MOODS)).fit_predict(centres)
    return np.asarray(groups[_nearest(points, centres)], dtype=np.intp)


def gmm(points: Floats) -> Codes:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(len(MOODS), random_state=SEED, n_init=2, reg_covar=1e-3)
    return _numbered(mixture.fit(points[_sample_rows(len(points), 20_000)]).predict(points))


def dbscan(points: Floats) -> Codes:
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
    return k_means(points)  # one even cloud has no denser parts to tell apart


def _numbered(groups: Any) -> Codes:
    """The groups that have songs, as 0, 1, 2, ..."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], dtype=np.intp)


def _nearest(points: Floats, centres: Floats) -> Codes:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(centres).query(points)[1], dtype=np.intp)


def _sample_rows(count: int, size: int) -> Positions:
    return np.sort(np.random.default_rng(SEED).permutation(count)[:size])

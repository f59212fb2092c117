"""The numbers of the report, as tables: what is drawn is also there to be reckoned with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from moodstream.contracts.moods import COORDINATES, MOODS
from services.recommender.catalogue.table import FEATURES, NUMBERS, Catalogue, Floats, Positions
from services.recommender.dask_work import Each, one_by_one
from services.recommender.models import song_moods
from services.recommender.models.song_moods import SongMoods

SAMPLE_SIZE = 3_000
"""Songs that silhouettes and densities are worked out on: time grows with the square."""
KS = range(2, 11)
"""numbers of clusters that are tried"""
FENCE = 1.5
"""Tukey's: beyond so many interquartile ranges from the quartiles a value is an outlier"""
SHOWN_OUTLIERS = 25
NEIGHBOURS = 10
"""songs within the radius that make a dense place: DBSCAN's min_samples"""
RADII = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
"""of DBSCAN, as shares of songs whose tenth neighbour is within it"""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""of Birch: how wide a subcluster may be"""
NOTABLE = 0.3
"""weight of a feature in a component from which words name it"""

RUSSELL: Mapping[str, float] = {
    "happy": 7.8, "delighted": 24.9, "excited": 48.6, "astonished": 69.8, "aroused": 73.8, "tense": 92.8,
    "alarmed": 96.5, "angry": 99.0, "afraid": 116.0, "annoyed": 123.0, "distressed": 138.0, "frustrated": 141.0,
    "miserable": 188.7, "sad": 207.5, "gloomy": 209.0, "depressed": 210.0, "bored": 242.0, "droopy": 256.7,
    "tired": 267.7, "sleepy": 271.9, "calm": 316.2, "relaxed": 318.0, "satisfied": 319.0, "at ease": 321.0,
    "content": 323.0, "serene": 328.6, "glad": 349.0, "pleased": 353.2,
}  # fmt: skip
"""Russell's 28 words on the circumplex, degrees from pleasant (J. A. Russell, 1980, circular scaling)"""


def distributions(before: pd.DataFrame, after: Catalogue) -> pd.DataFrame:
    """A row for each feature and stage: how many numbers, their mean, deviation, range and quartiles."""
    rows = []
    for stage, frame in (("before", before), ("after", after.frame)):
        for name in NUMBERS:
            values = frame[name].dropna() if name in frame else pd.Series(dtype="float64")
            rows.append({"feature": name, "stage": stage} | values.describe().round(6).to_dict())
    names = {"25%": "quartile_1", "50%": "median", "75%": "quartile_3", "std": "deviation"}
    return pd.DataFrame(rows).rename(columns=names)


def outlier_counts(catalogue: Catalogue) -> pd.DataFrame:
    """By feature, how many songs lie beyond Tukey's fences, and where those stand."""
    values = catalogue.frame.loc[:, list(NUMBERS)].astype("float64")
    low, high = values.quantile(0.25), values.quantile(0.75)
    below, above = low - FENCE * (high - low), high + FENCE * (high - low)
    table = pd.DataFrame({"low_fence": below, "high_fence": above, "below": (values < below).sum()})
    table["above"] = (values > above).sum()
    table["share"] = (table["below"] + table["above"]) / len(values)
    return table.round(4).rename_axis("feature").reset_index()


def farthest_songs(catalogue: Catalogue) -> pd.DataFrame:
    """The songs farthest from the middle of the catalogue, by Mahalanobis distance, and the feature that is oddest."""
    points = catalogue.standardised
    inverse = np.linalg.pinv(np.cov(points.T))
    distances = np.sqrt(np.einsum("ij,jk,ik->i", points, inverse, points).clip(0))
    far = np.argsort(-distances, kind="stable")[:SHOWN_OUTLIERS]
    odd = np.abs(points[far]).argmax(axis=1)
    return pd.DataFrame(
        {
            "id": catalogue.frame["id"].to_numpy()[far],
            "song": [catalogue.labels[at] for at in far],
            "distance": distances[far].round(2),
            "unusual": [FEATURES[at] for at in odd],
            "value": [round(float(catalogue.features[song, at]), 4) for song, at in zip(far, odd, strict=True)],
        }
    )


def correlations(catalogue: Catalogue) -> pd.DataFrame:
    points = catalogue.standardised
    matrix = pd.DataFrame(points.T @ points / len(points), index=FEATURES, columns=FEATURES)
    return matrix.round(4).rename_axis("feature").reset_index()


def explained(catalogue: Catalogue) -> pd.DataFrame:
    """By principal component: its share of the variance, all up to it, the weight of each feature, and words."""
    values, vectors = np.linalg.eigh(np.cov(catalogue.standardised.T))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))])
    shares = values / max(values.sum(), 1e-12)
    table = pd.DataFrame({"component": np.arange(1, len(values) + 1), "share": shares, "cumulated": shares.cumsum()})
    table["words"] = [_words(vector) for vector in vectors.T]
    return pd.concat([table, pd.DataFrame(vectors.T, columns=FEATURES)], axis=1).round(4)


def _words(weights: Floats) -> str:
    """ "energy, loudness against acousticness": the features that make a component, the heaviest first."""
    order = [at for at in np.argsort(-np.abs(weights), kind="stable") if abs(weights[at]) >= NOTABLE]
    one, other = ([FEATURES[at] for at in order if sign * weights[at] > 0] for sign in (1, -1))
    return ", ".join(one) + (f" against {', '.join(other)}" if other else "")


def numbers_of_clusters(catalogue: Catalogue, each: Each = one_by_one) -> pd.DataFrame:
    """By k, for k-means over the article's components: what is left of the spread (elbow) and the silhouette."""
    points = song_moods.components(catalogue)[_sample(len(catalogue))]
    rows = each(_clusters, points, [k for k in KS if k < len(np.unique(points, axis=0))])
    return pd.DataFrame(rows, columns=["k", "inertia", "silhouette"])


def _clusters(points: Floats, k: int) -> dict[str, Any]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    fitted = KMeans(k, n_init=4, random_state=0).fit(points)
    silhouette = silhouette_score(points, fitted.labels_)
    return {"k": k, "inertia": round(float(fitted.inertia_), 2), "silhouette": round(float(silhouette), 4)}


def mood_centres(catalogue: Catalogue, by_method: Mapping[song_moods.Method, SongMoods]) -> pd.DataFrame:
    """By method and mood: how many songs, where they lie on average, and their mean features."""
    rows = []
    for method, moods in by_method.items():
        for code, mood in enumerate(MOODS):
            own = moods.codes == code
            means = catalogue.features[own].mean(axis=0).round(4) if own.any() else np.full(len(FEATURES), np.nan)
            place = moods.plane[own].mean(axis=0).round(4) if own.any() else (np.nan, np.nan)
            row: dict[str, Any] = {"method": method, "mood": mood.value, "songs": int(own.sum())}
            row |= {"place_valence": place[0], "place_arousal": place[1]}
            rows.append(row | dict(zip(FEATURES, means.tolist(), strict=True)))
    return pd.DataFrame(rows)


def densities(catalogue: Catalogue, each: Each = one_by_one) -> pd.DataFrame:
    """DBSCAN by radius and Birch by threshold: how many groups they find, and the share of songs in none of them."""
    from sklearn.neighbors import NearestNeighbors

    points = song_moods.components(catalogue)[_sample(len(catalogue))]
    near = min(NEIGHBOURS, len(points) - 1)
    distances = NearestNeighbors(n_neighbors=near).fit(points).kneighbors(points)[0][:, -1]
    radii = [max(float(np.quantile(distances, share)), 1e-9) for share in RADII]
    rows = each(_dense_groups, points, [(radius, near) for radius in radii])
    return pd.DataFrame([*rows, *each(_subclusters, points, THRESHOLDS)])


def _dense_groups(points: Floats, parameters: tuple[float, int]) -> dict[str, Any]:
    from sklearn.cluster import DBSCAN

    radius, near = parameters
    groups = DBSCAN(eps=radius, min_samples=near).fit_predict(points)
    found = {"groups": int(groups.max()) + 1, "noise": round(float((groups < 0).mean()), 4)}
    return {"method": "dbscan", "parameter": "radius", "value": round(radius, 4), "min_samples": near} | found


def _subclusters(points: Floats, threshold: float) -> dict[str, Any]:
    from sklearn.cluster import Birch

    found = len(Birch(threshold=threshold, n_clusters=None).fit(points).subcluster_centers_)
    row = {"method": "birch", "parameter": "threshold", "value": threshold, "min_samples": None}
    return row | {"groups": found, "noise": 0.0}


def circumplex(by_method: Mapping[song_moods.Method, SongMoods], used: song_moods.Method) -> pd.DataFrame:
    """Russell's words, the moods of faces, and the middles of moods by the method in use and the article's."""
    rows = [
        {"kind": "word", "name": word, "valence": np.cos(np.radians(at)), "arousal": np.sin(np.radians(at))}
        for word, at in RUSSELL.items()
    ]
    for mood in MOODS:
        valence, arousal = COORDINATES[mood]
        rows.append({"kind": "face", "name": mood.value, "valence": valence, "arousal": arousal})
    for kind, method in (("songs", used), ("article's cluster", "article")):
        moods = by_method[method]
        for code, mood in enumerate(MOODS):
            if (own := moods.codes == code).any():
                valence, arousal = moods.plane[own].mean(axis=0)
                rows.append({"kind": kind, "name": mood.value, "valence": valence, "arousal": arousal})
    return pd.DataFrame(rows).round(4)


def songs_per_mood(moods: SongMoods) -> pd.DataFrame:
    counts = np.bincount(moods.codes, minlength=len(MOODS))
    names = [mood.value for mood in MOODS]
    return pd.DataFrame({"mood": names, "songs": counts, "share": (counts / counts.sum()).round(4)})


def genres(catalogue: Catalogue, moods: SongMoods) -> pd.DataFrame:
    """By genre, the commonest first: songs of each mood, the moods' shares in it, and its share in each mood."""
    names = np.array([mood.value for mood in MOODS])[moods.codes]
    genre = catalogue.frame["genre"].str.strip()
    known = (genre != "").to_numpy()
    counts = pd.crosstab(genre[known], names[known]).reindex(columns=[mood.value for mood in MOODS], fill_value=0)
    table = counts.assign(songs=counts.sum(axis=1))
    for mood in counts.columns:
        table[f"{mood}_in_genre"] = (counts[mood] / table["songs"]).round(4)
        table[f"genre_in_{mood}"] = (counts[mood] / max(1, counts[mood].sum())).round(4)
    return table.sort_values("songs", ascending=False, kind="stable").rename_axis("genre").reset_index()


def _sample(count: int) -> Positions:
    return np.sort(np.random.default_rng(0).permutation(count)[:SAMPLE_SIZE])

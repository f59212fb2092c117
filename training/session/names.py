"""Fits how titles and artists become numbers: the directions among runs of their letters that tell playlists apart.

As latent semantic analysis does (S. Deerwester et al., JASIS 1990), but of the playlists' mean names instead of each
name: what is common in names but the same in all playlists is left out.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import randomized_svd

from services.recommender.models.names import Letters, Names, count_runs, first_of, start_of, weighed
from services.recommender.models.vectors import Floats, Positions

DIMENSIONS = 32
DEVIATION = 0.5
"""Of each number: a name tells less than the sound, whose numbers have 1."""
MIN_DEVIATION = 1e-3
"""A direction along which names differ less than this tells nothing."""
MAX_SONGS = 50
"""A longer playlist counts as one of so many."""


def fit(titles: Sequence[str], artists: Sequence[str], members: Sequence[Positions]) -> Names:
    """From the titles and artists of songs, and the positions of those in each playlist."""
    used, rows = np.unique(np.concatenate(members), return_inverse=True)
    ends = np.cumsum([len(one) for one in members])[:-1]
    playlists = np.split(rows, ends)
    return Names(
        _letters([start_of(titles[at]) for at in used], playlists),
        _letters([first_of(artists[at]) for at in used], playlists),
    )


def _letters(names: Sequence[str], playlists: Sequence[Positions]) -> Letters:
    runs = count_runs(names)
    seen = np.bincount(runs.indices, minlength=runs.shape[1])
    weights = (np.log((1 + len(names)) / (1 + seen)) + 1).astype(np.float32)
    runs = weighed(runs, weights)
    directions = _directions(runs, playlists)
    step = np.abs(directions).max(axis=0) / 127
    directed = runs @ directions
    deviations = directed.std(axis=0)
    scale = np.where(deviations > MIN_DEVIATION, DEVIATION * step / np.maximum(deviations, MIN_DEVIATION), 0)
    middle = directed.mean(axis=0) / step
    rounded = np.round(directions / step).astype(np.int8)
    return Letters(weights, rounded, middle.astype(np.float32), scale.astype(np.float32))


def _directions(runs: scipy.sparse.csr_matrix, playlists: Sequence[Positions]) -> Floats:
    """[BUCKETS, k]"""
    means = np.vstack([np.asarray(runs[one].mean(axis=0)) for one in playlists])
    counts = np.array([min(len(one), MAX_SONGS) for one in playlists])
    apart = (means - means.mean(axis=0)) * np.sqrt(counts)[:, None]
    return np.asarray(randomized_svd(apart, DIMENSIONS, n_iter=4, random_state=1)[2].T)

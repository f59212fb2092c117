"""Titles and artists as numbers in which like names are near: runs of letters, hashed, weighed and projected.

Fitted by ``training/session/names.py``, kept in ``models/session.npz``. No name is kept there, and none can be read out
of it: runs of two to four letters fall into 8,192 buckets, each with a weight and a few directions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from services.recommender.models.vectors import Floats, Singles

BUCKETS = 2**13
MAX = 2.0
"""A few names lie far out: as far as this they count."""
_END_OF_TITLE = re.compile(r" [(\[-]")
_END_OF_ARTIST = re.compile(r"[;,&]| feat")


def start_of(title: str) -> str:
    """A title less what stands in brackets or after a dash: which recording it is, or who else sings."""
    return _END_OF_TITLE.split(title.casefold(), maxsplit=1)[0].strip()


def first_of(artists: str) -> str:
    """The first of several artists, without regard to case."""
    return _END_OF_ARTIST.split(artists.casefold(), maxsplit=1)[0].strip()


def count_runs(names: Sequence[str]) -> Any:
    """Sparse [n, BUCKETS]: 1 and the logarithm of how often runs of two to four letters come, within words."""
    from sklearn.feature_extraction.text import HashingVectorizer  # takes a second, for which no other service waits

    # MurmurHash3 of the letters in UTF-8, so the same everywhere
    counted = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        strip_accents="unicode",
        n_features=BUCKETS,
        alternate_sign=False,
        norm=None,
    ).transform(names)
    counted.data = 1 + np.log(counted.data)
    return counted


def weighed(runs: Any, weights: Floats | Singles) -> Any:
    """The same with a weight for each bucket, each row of length 1."""
    runs = runs.copy()
    runs.data *= weights[runs.indices]
    lengths = np.sqrt(np.asarray(runs.power(2).sum(axis=1))).ravel()
    runs.data /= np.repeat(lengths, np.diff(runs.indptr))
    return runs


@dataclass(frozen=True, eq=False)
class Letters:
    """Titles or artists to numbers."""

    weights: Singles
    """[BUCKETS] the rarer a run, the more"""
    directions: npt.NDArray[np.int8]
    """[BUCKETS, k]"""
    middle: Singles
    """[k] what they are on average"""
    scale: Singles
    """[k] by which they are of like size"""

    def numbers(self, names: Sequence[str]) -> Singles:
        """float32 [n, k], each from -2 to 2; zeros for a name that is empty."""
        row_of = {name: row for row, name in enumerate(dict.fromkeys(names))}
        runs = weighed(count_runs(list(row_of)), self.weights)
        directed = (runs @ self.directions.astype(np.float64) - self.middle) * self.scale
        directed[np.diff(runs.indptr) == 0] = 0
        rows = np.array([row_of[name] for name in names], dtype=np.intp)
        return np.asarray(directed.clip(-MAX, MAX)[rows], np.float32)

    @classmethod
    def of(cls, arrays: Mapping[str, Any], kind: str) -> "Letters":
        """Raises KeyError for an array that is missing, ValueError for shapes that do not fit."""
        found = cls(*(arrays[f"{kind}_{one.name}"] for one in fields(cls)))
        size = found.scale.shape
        shapes = (found.weights.shape, found.directions.shape, found.middle.shape)
        if len(size) != 1 or shapes != ((BUCKETS,), (BUCKETS, *size), size):
            raise ValueError("shapes that do not fit")
        return found

    def arrays(self, kind: str) -> dict[str, Any]:
        return {f"{kind}_{one.name}": getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, eq=False)
class Names:
    """What titles and artists tell of songs."""

    titles: Letters
    artists: Letters

    def inputs(self, titles: Sequence[str], artists: Sequence[str]) -> tuple[Singles, Singles]:
        """float32 [n, k] of titles, and of artists, as they stand in a catalogue."""
        of_titles = self.titles.numbers([start_of(one) for one in titles])
        return of_titles, self.artists.numbers([first_of(one) for one in artists])

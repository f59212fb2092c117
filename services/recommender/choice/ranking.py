"""How similar songs are to one that was picked. All rankings are exact; songs of equal similarity stand by id."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, Protocol

import numpy as np

from services.recommender.catalogue.table import FEATURES, Catalogue, Floats, Positions
from services.recommender.models.index import Index, TreeIndex

Similarity = Literal["learned", "standardised", "article"]


class Ranking(Protocol):
    """Ranks a fixed set of candidates by their similarity to any song of the catalogue."""

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        """The ``count`` candidates most similar to the song at ``position``, which is never among them itself.

        Positions [k] in the catalogue and similarities [k], 0..1 and falling; 1 is the same. 0 asks for all.
        """

    def likeness(self, position: int, others: Positions) -> Floats:
        """The similarities [k] of any songs to the one at ``position``."""


class Distance:
    """Euclidean distance between points, as a similarity of 0.5 ** (d² / typical)."""

    def __init__(self, points: Floats, typical: float, candidates: Positions) -> None:
        """``points`` [n, d] of the catalogue; ``typical`` is the d² of two songs that have nothing in common."""
        self._points = points
        self._typical = typical
        self._candidates = candidates
        self._index: Index | None = TreeIndex(points[candidates]) if len(candidates) else None

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        near = self._near(position, count)
        near = near[near != position]
        return first(near, self.likeness(position, near), count)

    def likeness(self, position: int, others: Positions) -> Floats:
        return self.similarity(self._points[others] - self._points[position], self._typical)

    @staticmethod
    def similarity(differences: Floats, typical: float) -> Floats:
        """[k] of differences [k, d] between points."""
        return np.asarray(0.5 ** ((differences**2).sum(axis=1) / typical))

    def _near(self, position: int, count: int) -> Positions:
        if self._index is None or not 0 < count < len(self._candidates) - 1:
            return self._candidates
        return self._candidates[self._index.nearest(self._points[position], count + 1)]  # one may be the song itself


class ArticleCosine:
    """Cosine of the angle between (valence, energy) of two songs, as in the article.

    It compares directions only: a sad song and one twice as lively and bright count as the same. A song with neither
    valence nor energy is similar to none.
    """

    def __init__(self, catalogue: Catalogue, candidates: Positions) -> None:
        plane = catalogue.features[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
        lengths = np.linalg.norm(plane, axis=1, keepdims=True)
        self._directions = np.divide(plane, lengths, out=np.zeros_like(plane), where=lengths > 0)
        self._candidates = candidates

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        others = self._candidates[self._candidates != position]
        return first(others, self.likeness(position, others), count)

    def likeness(self, position: int, others: Positions) -> Floats:
        cosines = self._directions[others] @ self._directions[position]
        # Rounded, since equal directions differ in the last digits and are to stand by id.
        return np.asarray(np.round(cosines.clip(0, 1), 12))


def first(positions: Positions, similarities: Floats, count: int) -> tuple[Positions, Floats]:
    """The ``count`` most similar, 0 for all; of equal ones those of lower positions, in the order of their ids."""
    if 0 < count < len(positions):
        least = np.partition(similarities, -count)[-count]
        enough = similarities >= least
        positions, similarities = positions[enough], similarities[enough]
    order = np.lexsort((positions, -similarities))[: count or None]
    return positions[order], similarities[order]


Maker = Callable[[Positions], Ranking]


def _learned(_: Catalogue, points: Floats, typical: float) -> Maker:
    """Near is what people put into one playlist; two songs drawn at random are typically 0.5 similar."""
    return partial(Distance, points, typical)


def _standardised(catalogue: Catalogue, _: Floats, __: float) -> Maker:
    """All 11 features count alike; 22 is what d² is on average between two songs drawn at random."""
    return partial(Distance, catalogue.standardised, 2.0 * len(FEATURES))


def _article(catalogue: Catalogue, _: Floats, __: float) -> Maker:
    return partial(ArticleCosine, catalogue)


RANKINGS: Mapping[Similarity, Callable[[Catalogue, Floats, float], Maker]] = {
    "learned": _learned,
    "standardised": _standardised,
    "article": _article,
}
"""By name of the setting ``similarity``: what makes the ranking of any part of a catalogue, from the learned points and
their typical squared distance."""

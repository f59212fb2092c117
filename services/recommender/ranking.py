"""How similar songs are to one that was picked. All rankings are exact; songs of equal similarity stand by id."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from services.recommender.catalogue import FEATURES, Catalogue, Floats, Positions


class Ranking(Protocol):
    """Ranks a fixed set of candidates by their similarity to any song of the catalogue."""

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        """The ``count`` candidates most similar to the song at ``position``, which is never among them itself.

        Positions [k] in the catalogue and similarities [k], 0..1 and falling; 1 is the same. 0 asks for all.
        """


class StandardisedDistance:
    """Euclidean distance over the 11 standardised features, as a similarity of exp(-d² / 22).

    22 is what d² is on average between two songs drawn at random, which are therefore about 0.37 similar.
    """

    def __init__(self, catalogue: Catalogue, candidates: Positions) -> None:
        self._points = catalogue.standardised
        self._candidates = candidates
        self._tree = cKDTree(self._points[candidates]) if len(candidates) else None

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        near = self._near(position, count)
        near = near[near != position]
        squares = ((self._points[near] - self._points[position]) ** 2).sum(axis=1)
        return _first(near, np.exp(-squares / (2 * len(FEATURES))), count)

    def _near(self, position: int, count: int) -> Positions:
        """Candidates as near as the ``count``-th, all that are as far as it included, in no order."""
        if self._tree is None or not 0 < count < len(self._candidates):
            return self._candidates
        distances, _ = self._tree.query(self._points[position], k=count + 1)
        radius = distances[-1] * (1 + 1e-9) + 1e-12  # the tree rounds in its own way
        near: Positions = self._candidates[self._tree.query_ball_point(self._points[position], radius)]
        return near


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
        cosines = self._directions[others] @ self._directions[position]
        # Rounded, since equal directions differ in the last digits and are to stand by id.
        return _first(others, np.round(cosines.clip(0, 1), 12), count)


def _first(positions: Positions, similarities: Floats, count: int) -> tuple[Positions, Floats]:
    if 0 < count < len(positions):
        least = np.partition(similarities, -count)[-count]
        enough = similarities >= least
        positions, similarities = positions[enough], similarities[enough]
    order = np.lexsort((positions, -similarities))[: count or None]  # positions are in the order of the ids
    return positions[order], similarities[order]


RANKINGS: Mapping[str, Callable[[Catalogue, Positions], Ranking]] = {
    "standardised": StandardisedDistance,
    "article": ArticleCosine,
}
"""By name of the setting ``similarity``."""

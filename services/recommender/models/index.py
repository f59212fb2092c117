"""Which points lie nearest to one: the only thing that a ranking asks of a search engine.

Exact, in this process; ``docs/catalogue-size.md`` says what else could stand behind it.
"""

from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from services.recommender.models.vectors import Floats, Positions


class Index(Protocol):
    """Finds rows of a fixed table of points."""

    def nearest(self, point: Floats, count: int) -> Positions:
        """Rows at least as near as the ``count``-th nearest, all that are as far as it included, in no order."""


class TreeIndex:
    """A k-d tree: exact, and quick because the axes of the points are few and of falling width."""

    def __init__(self, points: Floats) -> None:
        # Not balanced: splitting in the middle of a box builds five times faster, and asks as fast.
        self._tree = cKDTree(points, leafsize=24, balanced_tree=False, compact_nodes=True)

    def nearest(self, point: Floats, count: int) -> Positions:
        distances, rows = self._tree.query(point, k=count + 1)
        radius = distances[-2] * (1 + 1e-9) + 1e-12  # the tree rounds in its own way
        if distances[-1] > radius:
            return np.asarray(rows[:-1], dtype=np.intp)
        return np.array(self._tree.query_ball_point(point, radius), dtype=np.intp)

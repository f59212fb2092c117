"""Rankings over the tables: the graph of neighbours (HNSW) finds candidates, our own metric puts them in order."""

from dataclasses import dataclass

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.table import Floats, Positions
from services.recommender.choice.ranking import Distance, first
from services.recommender.postgres.conditions import Condition
from services.recommender.postgres.version import StoredPoints, Version

MARGIN = 40
"""Candidates beyond those wanted: the graph may miss one in some hundred, and more often the last ones."""
TIES = 1e-6
"""Relative difference of distances that single precision does not tell apart."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Songs that may be offered, of a mood or of all."""

    version: Version
    allowed: Condition
    of: dict[Mood | None, Positions]

    def nearest(self, point: Floats, mood: Mood | None, limit: int) -> list[tuple[int, bytes, float]]:
        """(position, exact point, distance in single precision) of up to ``limit`` songs, nearest first."""
        where, values = self.allowed
        # The number of the mood is written into the text, by which the server finds the graph of that mood.
        codes = range(len(MOODS)) if mood is None else [MOODS.index(mood)]
        query = " UNION ALL ".join(_NEAREST.replace("MOOD", str(code)) for code in codes)
        values = {**values, "limit": limit, "to": str(point.astype(np.float32).tolist())}
        rows = self.version.ask(query, values, where=where)
        return sorted(rows, key=lambda row: row[2])[:limit]


_NEAREST = """
(SELECT position, point, near <-> %(to)s::vector AS away FROM {table} WHERE mood = MOOD AND ({where})
ORDER BY away LIMIT %(limit)s)
"""


@dataclass(frozen=True, eq=False)
class StoredRanking:
    """The interface ``Ranking`` over the tables."""

    neighbours: Neighbours
    points: StoredPoints
    typical: float
    mood: Mood | None = None

    def nearest(self, position: int, count: int) -> tuple[Positions, Floats]:
        of_all = self.neighbours.of[self.mood]
        [point] = self.points[np.array([position], dtype=np.intp)]
        found = self._near(point, count + 1) if 0 < count < len(of_all) - 1 else None
        near, places = found or (of_all, self.points[of_all])
        others = near != position
        return first(near[others], self._similarity(point, places[others]), count)

    def likeness(self, position: int, others: Positions) -> Floats:
        points = self.points[np.append(position, others)]
        return self._similarity(points[0], points[1:])

    def _similarity(self, point: Floats, others: Floats) -> Floats:
        return Distance.similarity(others - point, self.typical)

    def _near(self, point: Floats, wanted: int) -> tuple[Positions, Floats] | None:
        """Positions and points of at least the ``wanted`` nearest; None where the graph does not find as many."""
        limit = wanted + MARGIN
        while True:
            rows = self.neighbours.nearest(point, self.mood, limit)
            if len(rows) < limit:
                return None
            # all that are as far as the last one wanted have to be among them, so that ties stand by id
            if rows[-1][2] > rows[wanted - 1][2] * (1 + TIES) + TIES:
                positions = np.array([row[0] for row in rows], dtype=np.intp)
                return positions, np.array([np.frombuffer(row[1], "<f8") for row in rows])
            limit *= 4

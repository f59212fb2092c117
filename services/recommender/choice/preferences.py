"""What feedback changes: the order of songs, within bounds; never which songs there are."""

from dataclasses import dataclass

import numpy as np

from moodstream.contracts.moods import Mood
from services.recommender.catalogue.songs import Rows
from services.recommender.models.vectors import Floats, Positions

MAX_SHIFT = 0.1
"""How far likes and skips may move a similarity; so a song that is clearly more alike stays before one that is not."""


@dataclass(frozen=True)
class Preferences:
    """What a visitor said in this session, or ever, where a profile is named."""

    likes: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    wrong: frozenset[tuple[str, Mood]] = frozenset()
    """songs that do not have this mood"""

    def __bool__(self) -> bool:
        return bool(self.likes or self.skips or self.wrong)


NO_PREFERENCES = Preferences()


def measure_leanings(points: Rows, songs: Positions, liked: Positions, skipped: Positions, typical: float) -> Floats:
    """[k] -1..1: how much nearer each song is to what was liked than to what was skipped.

    ``points`` are those of the catalogue, ``typical`` the squared distance of two songs that have nothing in common.
    """
    return _nearness(points, songs, liked, typical) - _nearness(points, songs, skipped, typical)


def _nearness(points: Rows, songs: Positions, others: Positions, typical: float) -> Floats:
    """0..1: mostly the nearest of the others, a little all of them, so that one odd like does not count for much."""
    if not len(others):
        return np.zeros(len(songs))
    squares = ((points[songs][:, None] - points[others][None]) ** 2).sum(axis=2)
    alike = np.asarray(0.5 ** (4 * squares / typical))
    weight = len(others) / (len(others) + 1)
    return np.asarray(weight * (0.5 * alike.max(axis=1) + 0.5 * alike.mean(axis=1)))


def moved(similarities: Floats, leanings: Floats) -> Floats:
    return similarities + MAX_SHIFT * leanings


def reorder(similarities: Floats, leanings: Floats) -> Positions:
    """The new order of a ranking: rows, the same ones, ties as they were."""
    return np.argsort(-moved(similarities, leanings), kind="stable")

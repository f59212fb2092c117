"""Where the music leads: a path on the circumplex from the mood to a goal, song by song.

The iso principle of music therapy: music meets the mood first, then changes it little by little.
Source: I. Altshuler, "Four years' experience with music as a therapeutic agent at Eloise Hospital" (1944).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moodstream.contracts.moods import COORDINATES, Mood
from moodstream.contracts.requests import Goal
from services.recommender.models.vectors import Floats, Positions

ENDS: Mapping[Goal, Mood] = {"lift": Mood.HAPPY, "calm": Mood.CALM}

LIKENESS_WEIGHT = 0.3
"""How much likeness to the pick counts against closeness to the path."""


@dataclass(frozen=True)
class Limits:
    """What an operator allows a path to do."""

    max_arousal: float = 1.0
    """no song above it, -1..1"""
    max_step: float = 0.5
    """largest change to aim for from one song to the next, in units of the circumplex"""


def find_path(
    goal: Goal,
    start: Mood,
    points: Floats,
    similarities: Floats,
    arrived: npt.NDArray[np.bool_],
    count: int,
    limits: Limits,
) -> Positions:
    """Rows of ``count`` candidates in the order to play them, each once; fewer when the limits leave fewer.

    ``points`` [n, 2] are valence and arousal of the candidates, ``similarities`` [n] their likeness to the pick,
    ``arrived`` [n] which of them have the mood where the path ends; once there, it does not go back.
    """
    wanted = waypoints(goal, start, count, limits)
    free = points[:, 1] <= limits.max_arousal
    chosen: list[int] = []
    for point in wanted[: int(free.sum())]:
        if not free.any():
            break
        cost = ((points - point) ** 2).sum(axis=1) + LIKENESS_WEIGHT * (1 - similarities)
        best = int(np.where(free, cost, np.inf).argmin())
        free[best] = False
        if arrived[best]:
            free &= arrived
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def waypoints(goal: Goal, start: Mood, count: int, limits: Limits) -> Floats:
    """[count, 2]: from the mood towards the goal in equal steps, none longer than allowed."""
    begin = np.array(COORDINATES[start]) * 0.5  # songs seldom lie as far out as the mood itself
    end = np.array(COORDINATES[ENDS[goal]]) * 0.5 if goal in ENDS else begin
    end[1] = min(end[1], limits.max_arousal)
    length = float(np.linalg.norm(end - begin))
    step = min(length / max(count - 1, 1), limits.max_step)
    walked = np.minimum(np.arange(count) * step, length)
    direction = (end - begin) / length if length else np.zeros(2)
    return np.asarray(begin + walked[:, None] * direction)

"""Where the music leads: a path on the circumplex from the mood to a goal, song by song.

The iso principle of music therapy: music meets the mood first, then changes it little by little.
Source: I. Altshuler, "Four years' experience with music as a therapeutic agent at Eloise Hospital" (1944).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from moodstream.contracts.moods import COORDINATES, Mood
from services.recommender.models.vectors import Floats, Positions

Goal = Literal["match", "lift", "calm"]

ENDS: Mapping[Goal, Mood] = {"lift": Mood.HAPPY, "calm": Mood.CALM}

STRAYING = 0.3
"""How much likeness to the pick counts against closeness to the path."""


@dataclass(frozen=True)
class Limits:
    """What an operator allows a path to do."""

    arousal_most: float = 1.0
    """no song above it, -1..1"""
    step_most: float = 0.5
    """greatest wanted change from one song to the next, in units of the circumplex"""


def path(
    goal: Goal,
    start: Mood,
    places: Floats,
    similarities: Floats,
    count: int,
    limits: Limits,
) -> Positions:
    """Rows of ``count`` candidates in the order to play them, each once; fewer when the limits leave fewer.

    ``places`` [n, 2] are valence and arousal of the candidates, ``similarities`` [n] their likeness to the pick.
    """
    wanted = waypoints(goal, start, count, limits)
    free = places[:, 1] <= limits.arousal_most
    chosen = []
    for place in wanted[: int(free.sum())]:
        cost = ((places - place) ** 2).sum(axis=1) + STRAYING * (1 - similarities)
        best = int(np.where(free, cost, np.inf).argmin())
        free[best] = False
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def waypoints(goal: Goal, start: Mood, count: int, limits: Limits) -> Floats:
    """[count, 2]: from the mood towards the goal in equal steps, none longer than allowed."""
    begin = np.array(COORDINATES[start]) * 0.5  # songs seldom lie as far out as the mood itself
    end = np.array(COORDINATES[ENDS[goal]]) * 0.5 if goal in ENDS else begin
    end[1] = min(end[1], limits.arousal_most)
    length = float(np.linalg.norm(end - begin))
    step = min(length / max(count - 1, 1), limits.step_most)
    walked = np.minimum(np.arange(count) * step, length)
    direction = (end - begin) / length if length else np.zeros(2)
    return np.asarray(begin + walked[:, None] * direction)

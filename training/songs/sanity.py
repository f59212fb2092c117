"""Whether moods make sense to people who see them: what they rise with, and how lively calm and sad songs are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.models.listeners import ENERGY, ListenersModel, bend, combine
from services.recommender.models.vectors import Floats, Positions

TOO_LIVELY = {Mood.CALM: 0.6, Mood.SAD: 0.7}
"""Energy above which a song is lively for its mood."""

MAX_LIVELY = 0.1
"""Of the songs of such a mood, the share that may be."""


def lively_shares(codes: Positions, energy: Floats) -> dict[Mood, float]:
    """Of the songs of each mood, the share with more energy than fits it."""
    return {mood: float((energy[codes == MOODS.index(mood)] > most).mean()) for mood, most in TOO_LIVELY.items()}


SLOPES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 22.0, 26.0, 30.0, 40.0)
"""How steeply songs may be pushed away from calm and sad, tried from the gentlest on."""

SAFE_LIVELY = 0.85 * MAX_LIVELY
CROWD = 15_000
"""Songs of a table on which the slope is chosen."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Many songs without labels."""

    numbers: Floats
    texts: tuple[list[str], list[str], list[str]]
    """genres, artists, titles"""

    @classmethod
    def of(cls, table: pd.DataFrame, numbers: Floats) -> "Crowd":
        """Some of a table, the same each time."""
        rows = np.sort(np.random.default_rng(0).permutation(len(table))[:CROWD])
        genres, artists, titles = (table[name].iloc[rows].tolist() for name in ("genre", "artist", "title"))
        return cls(numbers[rows], (genres, artists, titles))


def limits_of(slope: float) -> Floats:
    """From an energy of 0.55 on songs are livelier than the regression says, from 0.6 on they are less calm."""
    return np.array([(0.55, slope), (1.0, 0.0), (0.6, -slope)])


def restrain(model: ListenersModel, crowds: Sequence[Crowd]) -> ListenersModel:
    """The model with the gentlest limits by which few calm and sad songs of every crowd are lively."""
    scores = [model.scores(crowd.numbers, *crowd.texts) for crowd in crowds]
    for slope in SLOPES:
        limits = limits_of(slope)
        found = [combine(rows + bend(limits, crowd.numbers)) for rows, crowd in zip(scores, crowds, strict=True)]
        worst = max(
            share
            for memberships, crowd in zip(found, crowds, strict=True)
            for share in lively_shares(memberships.argmax(axis=1), crowd.numbers[:, ENERGY]).values()
        )
        if worst <= SAFE_LIVELY:
            break
    return replace(model, limits=limits)


def describe_sanity(model: ListenersModel, table: pd.DataFrame, numbers: Floats) -> str:
    texts = (table[name].tolist() for name in ("genre", "artist", "title"))
    codes = model.memberships(numbers, *texts).argmax(axis=1)
    shares = lively_shares(codes, numbers[:, ENERGY])
    lively = ", ".join(f"{mood.value} above {TOO_LIVELY[mood]}: {share:.3f}" for mood, share in shares.items())
    counts = ", ".join(f"{mood.value} {(codes == code).mean():.2f}" for code, mood in enumerate(MOODS))
    return f"{len(codes):,} songs: {counts}; {lively} (at most {MAX_LIVELY})"

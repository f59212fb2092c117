"""How well moods and arousal are read, with intervals by drawing speakers again."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from training.voice.corpora import Ints, Voices

Probabilities = NDArray[np.float64]
HIGH = 2
"""The first two moods of ``MOODS``, angry and happy, are of high arousal."""


def uar(moods: Ints, likeliest: Ints) -> float:
    """Unweighted average recall: the mean of the shares of each mood that are right, over the moods there are."""
    return float(np.mean([(likeliest[moods == mood] == mood).mean() for mood in np.unique(moods)]))


def arousal_right(moods: Ints, high: NDArray[np.bool_]) -> float:
    """Share of files whose arousal, high or low, is right."""
    return float((high == (moods < HIGH)).mean())


def interval(
    speakers: NDArray[np.str_], measure: Callable[[Ints], float], rounds: int = 500, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of a measure of rows, drawing speakers again."""
    draw = np.random.default_rng(seed)
    rows = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]
    found = [
        measure(np.concatenate([rows[at] for at in draw.integers(len(rows), size=len(rows))])) for _ in range(rounds)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def rows_of(voices: Voices, name: str, probabilities: Probabilities, arousal: NDArray[np.float64]) -> list[str]:
    """Lines of a table: a way, and by corpus and pooled its UAR and how often arousal is right, with intervals."""
    lines = []
    for corpus in [*np.unique(voices.corpus), "pooled"]:
        files = np.flatnonzero(((voices.corpus == corpus) | (corpus == "pooled")) & ~np.isnan(arousal))
        if not len(files):
            continue
        moods, likeliest = voices.mood[files], probabilities[files].argmax(axis=1)
        high, speakers = arousal[files] > 0, voices.speaker[files]
        measures = (
            partial(_uar_of, moods, likeliest),
            partial(_arousal_right_of, moods, high),
        )
        told = [(one(np.arange(len(files))), *interval(speakers, one)) for one in measures]
        cells = " | ".join(f"{value:.3f} [{low:.3f}, {high_:.3f}]" for value, low, high_ in told)
        lines.append(f"| {name} | {corpus} | {len(files)} | {len(np.unique(speakers))} | {cells} |")
    return lines


def _uar_of(moods: Ints, likeliest: Ints, rows: Ints) -> float:
    return uar(moods[rows], likeliest[rows])


def _arousal_right_of(moods: Ints, high: NDArray[np.bool_], rows: Ints) -> float:
    return arousal_right(moods[rows], high[rows])


def confusion(moods: Ints, likeliest: Ints) -> NDArray[np.int64]:
    """Counts [4, 4]: rows are what was meant, columns what was read."""
    table = np.zeros((len(MOODS), len(MOODS)), np.int64)
    np.add.at(table, (moods, likeliest), 1)
    return table

"""Fits the model of how listeners name the mood of a song.

``python -m training.song_moods --labels LABELS.csv --catalogue SONGS.csv --out models/song_moods.npz``: the labels have
the columns of a catalogue and ``label_quadrant``, ``label_valence``, ``label_arousal``; the catalogue says how features
are distributed. Prints balanced accuracy by repeated five-fold cross-validation, paired with a ridge regression of
valence and arousal.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

from moodstream.contracts.moods import MOODS, quadrant
from services.recommender.models.listeners import LISTENERS, ListenersModel, inputs
from services.recommender.models.vectors import INPUTS, Floats, Scales

STRENGTH = 0.3
"""Of the regression: the inverse of the penalty."""

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Labels:
    numbers: Floats
    genres: list[str]
    artists: list[str]
    codes: Codes
    """positions in ``MOODS``"""
    plane: Floats
    """[n, 2] valence and arousal"""

    def take(self, rows: Codes) -> "Labels":
        genres, artists = ([names[row] for row in rows] for names in (self.genres, self.artists))
        return Labels(self.numbers[rows], genres, artists, self.codes[rows], self.plane[rows])


def read(path: Path) -> Labels:
    table = pd.read_csv(path, keep_default_na=False)
    numbers = table[list(INPUTS)].astype(float).to_numpy()
    codes = np.array([MOODS.index(name.lower()) for name in table["label_quadrant"]])
    plane = table[["label_valence", "label_arousal"]].astype(float).to_numpy()
    return Labels(numbers, table["genre"].tolist(), table["artist"].tolist(), codes, plane)


def fit(labels: Labels, scales: Scales) -> ListenersModel:
    """Moods count alike, however many songs they have."""
    words = pd.Series(labels.genres).str.casefold().value_counts()
    genres = tuple(sorted(words[words >= 4].index))
    named = inputs(scales, labels.numbers, labels.genres, genres, np.full(len(genres), np.nan))[:, -len(genres) :]
    shares = np.nanmean(named, axis=0)
    values = inputs(scales, labels.numbers, labels.genres, genres, shares)
    fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000).fit(values, labels.codes)
    return ListenersModel(scales, genres, shares, fitted.coef_.T, fitted.intercept_)


Method = Callable[[Labels, Labels], Codes]


def methods(scales: Scales) -> dict[str, Method]:
    """From songs to fit on and new songs, the moods of the latter."""

    def ours(known: Labels, new: Labels) -> Codes:
        return np.asarray(fit(known, scales).memberships(new.numbers, new.genres).argmax(axis=1))

    def ridge(known: Labels, new: Labels) -> Codes:
        genres = tuple(sorted({genre.casefold() for genre in known.genres}))
        values, others = (
            inputs(scales, some.numbers, some.genres, genres, np.zeros(len(genres))) for some in (known, new)
        )
        points = Ridge(3.0).fit(values, known.plane).predict(others)
        return np.array([MOODS.index(quadrant(*point)) for point in points])

    def rule(_: Labels, new: Labels) -> Codes:
        plane = 2 * new.numbers[:, [INPUTS.index("valence"), INPUTS.index("energy")]] - 1
        return np.array([MOODS.index(quadrant(*point)) for point in plane])

    return {"quadrant": rule, "ridge": ridge, "listeners": ours}


def cross_validate(labels: Labels, scales: Scales, repeats: int) -> None:
    """Prints mean, spread between repeats, and the interval of the difference to ridge over songs drawn again."""
    predicted = {name: np.empty((repeats, len(labels.codes)), dtype=int) for name in methods(scales)}
    for repeat in range(repeats):
        folds = StratifiedKFold(5, shuffle=True, random_state=repeat).split(labels.numbers, labels.codes)
        for known, new in folds:
            for name, predict in methods(scales).items():
                predicted[name][repeat, new] = predict(labels.take(known), labels.take(new))
    print(f"{len(labels.codes)} songs, {repeats} x five-fold cross-validation, 95 % intervals over songs")
    for name, rows in predicted.items():
        score, drawn = _scores(labels.codes, rows), _drawn(labels.codes, rows)
        gain = drawn - _drawn(labels.codes, predicted["ridge"])
        low, high = np.quantile(drawn, [0.025, 0.975])
        worse, better = np.quantile(gain, [0.025, 0.975])
        print(
            f"{name:<24} {score:.3f} [{low:.3f}, {high:.3f}]; against ridge {worse:+.3f} .. {better:+.3f}", flush=True
        )
    groups = [artist.partition(";")[0].casefold() for artist in labels.artists]
    unseen = np.empty(len(labels.codes), dtype=int)
    for known, new in GroupKFold(5).split(labels.numbers, groups=groups):
        unseen[new] = methods(scales)["listeners"](labels.take(known), labels.take(new))
    print(f"listeners, artists never seen before: {balanced_accuracy_score(labels.codes, unseen):.3f}")


def _scores(codes: Codes, rows: Codes) -> float:
    return float(np.mean([balanced_accuracy_score(codes, row) for row in rows]))


def _drawn(codes: Codes, rows: Codes, rounds: int = 1000) -> Floats:
    right = (rows == codes).mean(axis=0)
    random = np.random.default_rng(0)
    scores = np.zeros(rounds)
    for code in range(len(MOODS)):
        of_mood = right[codes == code]
        scores += of_mood[random.integers(0, len(of_mood), (rounds, len(of_mood)))].mean(axis=1) / len(MOODS)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--catalogue", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=LISTENERS)
    parser.add_argument("--repeats", type=int, default=10)
    given = parser.parse_args()
    labels = read(given.labels)
    scales = Scales.fit(pd.read_csv(given.catalogue)[list(INPUTS)].to_numpy(float))
    cross_validate(labels, scales, given.repeats)
    fit(labels, scales).save(given.out)


if __name__ == "__main__":
    main()

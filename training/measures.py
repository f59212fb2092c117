"""How well probabilities agree with labels: accuracy and its interval, calibration, risk and coverage. Pure."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from moodstream.contracts.moods import MOODS

BINS = 15
FOLDS = 5
NEARLY = 0.0025
"""Share of the faces that is less than what another draw of them would change."""
_Z95 = 1.96
_NAMES = [str(mood) for mood in MOODS]

Numbers = NDArray[np.floating]
Labels = NDArray[np.int64]


class Calibration(NamedTuple):
    """What is done with logits before the softmax: each mood's, less the mean of all four, is scaled and shifted.

    Vector scaling (Guo et al., ICML 2017).
    """

    scales: tuple[float, ...]
    shifts: tuple[float, ...]

    def apply(self, logits: Numbers) -> Numbers:
        """Calibrated logits [N, 4]."""
        whole = np.asarray(logits, np.float64)
        centred = whole - whole.mean(axis=1, keepdims=True)
        return np.asarray(centred * np.array(self.scales) + np.array(self.shifts))


PLAIN = Calibration((1.0,) * len(MOODS), (0.0,) * len(MOODS))


def probabilities_of(logits: Numbers) -> NDArray[np.float64]:
    """Softmax of logits [N, 4]."""
    whole = np.asarray(logits, np.float64)
    shares = np.exp(whole - whole.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def likelihood_loss(probabilities: Numbers, labels: Labels) -> float:
    """Mean negative logarithm of the share given to the label."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels].clip(1e-12)).mean())


def fit_calibration(logits: Numbers, labels: Labels) -> Calibration:
    """The calibration with the least negative log-likelihood; logits [N, 4], labels [N]. The last shift is 0."""
    moods = len(MOODS)

    def of(values: Numbers) -> Calibration:
        return Calibration(tuple(np.exp(values[:moods]).tolist()), (*values[moods:].tolist(), 0.0))

    def loss(values: Numbers) -> float:
        return likelihood_loss(probabilities_of(of(values).apply(logits)), labels)

    bounds = [(-2.0, 2.0)] * moods + [(-3.0, 3.0)] * (moods - 1)
    return of(minimize(loss, np.zeros(2 * moods - 1), method="L-BFGS-B", bounds=bounds).x)


def cross_fitted(logits: Numbers, labels: Labels, seed: int = 1) -> NDArray[np.float64]:
    """Probabilities of each face with a calibration fitted on the other four fifths."""
    fold = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    result = np.zeros((len(labels), len(MOODS)))
    for one in range(FOLDS):
        own = fold == one
        result[own] = probabilities_of(fit_calibration(logits[~own], labels[~own]).apply(logits[own]))
    return result


class Bin(NamedTuple):
    share: float
    """of the faces"""
    confidence: float
    accuracy: float


def reliability(probabilities: Numbers, labels: Labels, bins: int = BINS) -> list[Bin]:
    """Mean confidence and accuracy in bins of equal width; empty ones are left out."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    chosen = (slot == one for one in range(bins))
    return [
        Bin(float(one.mean()), float(confidence[one].mean()), float(right[one].mean())) for one in chosen if one.any()
    ]


def expected_calibration_error(probabilities: Numbers, labels: Labels, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over the bins (Guo et al., ICML 2017)."""
    return sum(one.share * abs(one.confidence - one.accuracy) for one in reliability(probabilities, labels, bins))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, 1927)."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, _Z95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = _Z95 * np.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return float(middle - reach), float(middle + reach)


def _f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    both = confusion.sum(axis=1) + confusion.sum(axis=0)
    return np.asarray(2 * np.diag(confusion) / np.maximum(both, 1))


def _confusion(predicted: Labels, labels: Labels) -> NDArray[np.int64]:
    counts = np.zeros((len(MOODS), len(MOODS)), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def measure(probabilities: Numbers, labels: Labels) -> dict[str, Any]:
    """Accuracy, macro F1, recall and F1 per mood, confusion matrix (rows are labels) and calibration error."""
    confusion = _confusion(probabilities.argmax(axis=1), labels)
    hits, f1 = np.diag(confusion), _f1(confusion)
    recall = hits / np.maximum(confusion.sum(axis=1), 1)
    return {
        "faces": len(labels),
        "accuracy": round(float(hits.sum() / len(labels)), 4),
        "macro_f1": round(float(f1.mean()), 4),
        "recall": _by_mood(recall),
        "f1": _by_mood(f1),
        "calibration_error": round(expected_calibration_error(probabilities, labels), 4),
        "confusion": confusion.tolist(),
    }


def _by_mood(values: Numbers) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(_NAMES, values, strict=True)}


def intervals(probabilities: Numbers, labels: Labels, draws: int = 1000, seed: int = 1) -> dict[str, Any]:
    """95 % intervals: Wilson's of accuracy and recalls, the bootstrap's of macro F1 and of the F1 of each mood."""
    predicted = probabilities.argmax(axis=1)
    confusion = _confusion(predicted, labels)
    hits, counts = np.diag(confusion), confusion.sum(axis=1)
    random = np.random.default_rng(seed)
    picks = (random.integers(0, len(labels), len(labels)) for _ in range(draws))
    bounds = [_rounded(*wilson(int(one), int(count))) for one, count in zip(hits, counts, strict=True)]
    drawn = np.stack([_f1(_confusion(predicted[pick], labels[pick])) for pick in picks])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {
        "accuracy": _rounded(*wilson(int(hits.sum()), len(labels))),
        "macro_f1": _rounded(*np.percentile(drawn.mean(axis=1), [2.5, 97.5])),
        "recall": dict(zip(_NAMES, bounds, strict=True)),
        "f1": dict(zip(_NAMES, map(_rounded, low, high), strict=True)),
    }


def _rounded(low: float, high: float) -> list[float]:
    return [round(float(low), 4), round(float(high), 4)]


class Abstention(NamedTuple):
    threshold: float
    """least confidence of a reading that is believed"""
    coverage: float
    """share of the faces that are read with at least that"""
    risk: float
    """share of those that are read wrongly"""


def risk_coverage(probabilities: Numbers, labels: Labels) -> list[Abstention]:
    """Risk and coverage at thresholds from 0.25 to 0.95 (R. El-Yaniv, Y. Wiener, JMLR 2010)."""
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != labels
    curve = []
    for percent in range(25, 96):
        read = confidence >= percent / 100
        curve.append(Abstention(percent / 100, float(read.mean()), float(wrong[read].mean()) if read.any() else 0.0))
    return curve


def abstention(curve: list[Abstention]) -> Abstention:
    """The point with the most right readings left after each wrong one has cancelled a right one.

    Below its threshold a reading is wrong at least as often as right. Around the best the curve is flat, and a few
    faces decide which point is it: of those within ``NEARLY`` of it, the middle one.
    """
    left = [point.coverage * (1 - 2 * point.risk) for point in curve]
    near = [point for point, value in zip(curve, left, strict=True) if value >= max(left) - NEARLY]
    return near[len(near) // 2]

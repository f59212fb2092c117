"""The third reader: how alike a summary is to those of some voices that were met (C. Williams, M. Seeger, "Using the
Nystroem method to speed up kernel machines", 2001), and a logistic regression on that."""

from dataclasses import dataclass

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression

from services.voice.log_mel import Floats
from services.voice.normalise import NUMBERS_IN, OWN_S, Statistics, Usual, numbers_in
from training.backends import Tensor, keras, layers, ops
from training.voice.corpora import Ints, Voices
from training.voice.lesson import chances, others_of
from training.voice.measures import HIGH

LANDMARKS = 400
WIDTH = 0.5 / NUMBERS_IN
"""likeness is exp(-WIDTH d^2)"""
PENALTY = 0.3
"""C of the logistic regression"""
SHARE = 0.5
"""of the kernel in what it and the networks say together"""
LIKENESS = "likeness"
"""name of the layer, whose products must not be rounded to int8: its weights are large and cancel each other"""


@dataclass(frozen=True, eq=False)
class Kernel:
    """exp(-WIDTH |numbers - landmarks|^2) @ weights + biases: logits of the moods."""

    landmarks: Floats
    """[n, NUMBERS_IN]"""
    weights: Floats
    """[n, 4]"""
    biases: Floats
    """[4]"""


def fit_kernel(voices: Voices, pieces: Ints, usual: Usual, evenness: float, seed: int) -> Kernel:
    """Fitted on all copies of some pieces, each without and with statistics of the speaker's other speech; moods and
    corpora count as the batches of the networks have them."""
    copies = range(len(voices.copies))
    rows = np.concatenate([_rows(voices, pieces, usual, own, copy) for own in (False, True) for copy in copies])
    times = len(rows) // len(pieces)
    likeness = Nystroem(kernel="rbf", gamma=WIDTH, n_components=min(LANDMARKS, len(pieces)), random_state=seed).fit(
        rows
    )
    chance = chances(voices, pieces, evenness)
    machine = LogisticRegression(C=PENALTY, max_iter=300, tol=1e-3)
    machine.fit(
        likeness.transform(rows).astype(np.float32),
        np.tile(voices.mood[pieces], times),
        sample_weight=np.tile(chance * len(pieces), times),
    )
    weights = likeness.normalization_.T @ machine.coef_.T
    return Kernel(
        likeness.components_.astype(np.float32), weights.astype(np.float32), machine.intercept_.astype(np.float32)
    )


class _Likeness(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A ``Kernel`` as a layer: summaries [N, NUMBERS_IN] in, logits of the moods [N, 4] out."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(name=LIKENESS)
        self._fitted = kernel

    def call(self, numbers: Tensor) -> Tensor:
        fitted = self._fitted
        squares = ops.sum(ops.square(numbers), axis=1, keepdims=True) + np.square(fitted.landmarks).sum(axis=1)
        apart = squares - 2 * ops.matmul(numbers, fitted.landmarks.T)
        return ops.matmul(ops.exp(-WIDTH * apart), fitted.weights) + fitted.biases


def with_kernel(network: keras.Model, kernel: Kernel) -> keras.Model:
    """The network and the kernel together: the weighted mean of their logits [N, ANSWERS]."""
    speech, numbers = (layers.Input(one.shape[1:], name=one.name) for one in network.inputs)
    moods = _Likeness(kernel)(numbers)
    high, low = (ops.logsumexp(some, axis=1, keepdims=True) for some in (moods[:, :HIGH], moods[:, HIGH:]))
    alike = layers.Concatenate()([moods, high - low])
    return keras.Model([speech, numbers], (1 - SHARE) * network([speech, numbers]) + SHARE * alike)


def _rows(voices: Voices, pieces: Ints, usual: Usual, own: bool, copy: int) -> Floats:
    draw = np.random.default_rng([copy, int(own)])
    same = {name: np.flatnonzero(voices.speaker == name) for name in np.unique(voices.speaker[pieces])}
    met = {name: np.intersect1d(rows, pieces) for name, rows in same.items()}
    out = np.empty((len(pieces), NUMBERS_IN), np.float32)
    for at, piece in enumerate(pieces):
        some = others_of(voices, piece, met[voices.speaker[piece]], OWN_S, draw) if own else ()
        statistics = Statistics(voices.sums[copy, some].sum(axis=0)) if len(some) else None
        out[at] = numbers_in(voices.numbers[copy, piece], usual, statistics)
    return out

"""The third reader: how alike a summary is to those of some voices that were met (C. Williams, M. Seeger, "Using the
Nystroem method to speed up kernel machines", 2001), and a logistic regression on that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression

from services.voice.log_mel import Floats
from services.voice.normalise import NUMBERS_IN
from training.backends import Tensor, keras, layers, ops
from training.voice.corpora import Ints
from training.voice.measures import HIGH

LANDMARKS = 400
WIDTH = 0.5 / NUMBERS_IN
"""likeness is exp(-WIDTH d^2)"""
PENALTY = 0.3
"""C of the logistic regression"""
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


def fit_kernel(rows: Floats, moods: Ints, chance: NDArray[np.float64], seed: int) -> Kernel:
    """Fitted on summaries [copies, pieces, NUMBERS_IN] of pieces that count by their ``chance``."""
    every = rows.reshape(-1, rows.shape[-1])
    likeness = Nystroem(kernel="rbf", gamma=WIDTH, n_components=min(LANDMARKS, len(moods)), random_state=seed)
    likeness.fit(every)
    machine = LogisticRegression(C=PENALTY, max_iter=300, tol=1e-3)
    machine.fit(
        likeness.transform(every).astype(np.float32),
        np.tile(moods, len(rows)),
        sample_weight=np.tile(chance * len(moods), len(rows)),
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


def of_kernel(kernel: Kernel) -> keras.Model:
    """Logits [N, ANSWERS] of summaries float32 [N, NUMBERS_IN]."""
    numbers = layers.Input((NUMBERS_IN,))
    moods = _Likeness(kernel)(numbers)
    high, low = (ops.logsumexp(some, axis=1, keepdims=True) for some in (moods[:, :HIGH], moods[:, HIGH:]))
    return keras.Model(numbers, layers.Concatenate()([moods, high - low]))

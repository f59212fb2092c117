"""Fits tables of weights to labelled texts, and makes them small."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from shared.words.features import features
from shared.words.reader import Table

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

STRENGTH = 2.0
"""Inverse of the regularisation; chosen on comments that no fit saw."""
PRIOR = 0.5
"""How much of the share of each mood among the texts is taken out of the bias: half of all comments are neutral, half
of the people before a screen are not. Chosen for the macro F1 of comments that no fit saw."""
ASIDE = 0.2
"""Share of the texts that a table is calibrated on, by a fit of the others."""
MIN_TEXTS = 2
"""Features of fewer texts weigh nothing."""


def counts(texts: Sequence[str], bits: int) -> sparse.csr_matrix:
    """[texts, 2 ** bits] 1 where a feature is in a text."""
    found = [features(text, bits) for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    places = np.concatenate([np.asarray(one, np.int64) for one in found]) if found else np.zeros(0, np.int64)
    return sparse.csr_matrix((np.ones(len(places)), places, ends), (len(texts), 1 << bits))


def rarity_of(met: sparse.csr_matrix) -> npt.NDArray[np.uint8]:
    """[2 ** bits] inverse document frequency in 16ths; 0 for what is too rare to weigh."""
    times = np.asarray(met.sum(axis=0)).ravel()
    inverse = np.log((1 + met.shape[0]) / (1 + times)) + 1
    return np.where(times >= MIN_TEXTS, np.round(16 * inverse), 0).clip(0, 255).astype(np.uint8)


def weighed(met: sparse.csr_matrix, rarity: npt.NDArray[np.uint8]) -> sparse.csr_matrix:
    """Each feature by its rarity, each text of length 1."""
    rows = met.multiply(rarity[None] / 16).tocsr()
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.diags(1 / lengths.clip(1e-9)) @ rows


def fit_table(
    texts: Sequence[str],
    labels: Labels,
    weights: Floats,
    classes: int,
    bits: int,
    prior: float,
    calibrated: bool = True,
) -> Table:
    """A table that tells labels 0 to ``classes`` - 1; its shares may be calibrated on a part of the texts.

    ``prior`` is how much of each label's share among the texts is taken out.
    """
    met = counts(texts, bits)
    rarity = rarity_of(met)
    known = np.flatnonzero(rarity)
    rows = weighed(met, rarity)[:, known]
    shares = np.bincount(labels, weights, minlength=classes) / weights.sum()
    correction = -prior * np.log(shares)
    sharpness = 1.0
    if calibrated:
        aside = np.random.default_rng(0).random(len(labels)) < ASIDE
        fitted = _fit(rows[~aside], labels[~aside], weights[~aside])
        importance = weights * np.exp(correction)[labels]
        sharpness = _sharpness(_logits(*fitted, rows[aside]) + correction, labels[aside], importance[aside])
    found, bias = _fit(rows, labels, weights)
    coefficients = np.zeros((classes, len(rarity)))
    coefficients[:, known] = found
    return packed(sharpness * coefficients, rarity, sharpness * (bias + correction))


def _fit(rows: sparse.csr_matrix, labels: Labels, weights: Floats) -> tuple[Floats, Floats]:
    model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-5).fit(rows, labels, sample_weight=weights)
    return model.coef_, model.intercept_


def _logits(coefficients: Floats, bias: Floats, rows: sparse.csr_matrix) -> Floats:
    return np.asarray(rows @ coefficients.T) + bias


def _sharpness(logits: Floats, labels: Labels, importance: Floats) -> float:
    """What logits are multiplied by so that their shares are as likely as can be."""

    def loss(log_sharpness: float) -> float:
        scaled = np.exp(log_sharpness) * logits
        top = scaled.max(axis=1)
        own = scaled[np.arange(len(labels)), labels]
        return float(importance @ (np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top - own))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def packed(coefficients: Floats, rarity: npt.NDArray[np.uint8], bias: Floats) -> Table:
    """Weights in 8 bits, from [classes, 2 ** bits]."""
    step = float(np.abs(coefficients).max()) / 127 or 1.0
    weights = np.round(coefficients.T / step).astype(np.int8)
    weights[rarity == 0] = 0
    return Table(np.ascontiguousarray(weights), step, rarity, np.asarray(bias, np.float64))

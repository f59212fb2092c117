"""The pool of many cases is that of one, and exponents follow how much a source tells."""

import warnings

import numpy as np
import pytest

from moodstream.contracts.events import Probabilities, Source
from moodstream.contracts.moods import MOODS
from services.emotion.visits.fusion import pooled
from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training.fusion import Shares, fit_weights, paired, pool
except ImportError:
    missing("pandas and scikit-learn (make setup-train)")

KINDS = ["face", "words", "voice"]


def readings(
    sharpness: float, seed: int, count: int = 400
) -> tuple[Shares, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """A source that tells the label the better, the sharper it is; 0 tells nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(MOODS), count)
    logits = rng.normal(size=(count, len(MOODS)))
    logits[np.arange(count), labels] += sharpness
    likely = np.exp(logits)
    return likely / likely.sum(axis=1, keepdims=True), labels


def test_many_cases_are_pooled_as_one_is() -> None:
    shares, weights = [readings(1.0, seed, 20)[0] for seed in range(3)], [1.0, 0.7, 0.4]
    many = pool(KINDS, shares, weights)
    for case in range(20):
        one = [
            Source(
                kind=kind,
                probabilities=Probabilities(**dict(zip(MOODS, own[case].tolist(), strict=True))),
                weight=weight,
            )
            for kind, own, weight in zip(KINDS, shares, weights, strict=True)
        ]
        assert pooled(one) == pytest.approx(many[case].tolist())


def test_pairs_have_the_same_label_and_what_tells_nothing_weighs_little() -> None:
    shares, labels = paired([readings(2.0, 1), readings(2.0, 2), readings(0.0, 3)], seed=1)
    assert [len(one) for one in shares] == [len(labels)] * 3
    assert (shares[1].argmax(axis=1) == labels).mean() > 0.6, "drawn by label"
    face, words, voice = fit_weights(KINDS, shares, labels)
    assert face == 1.0
    assert voice < 0.2 < words

"""The measures, against cases worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.measures import (
    Abstention,
    abstention,
    cross_fitted,
    expected_calibration_error,
    fit_calibration,
    intervals,
    likelihood_loss,
    measure,
    probabilities_of,
    risk_coverage,
    wilson,
)


def test_measures_of_a_known_confusion() -> None:
    labels = np.array([0, 0, 1, 1, 2, 3])
    predicted = np.array([0, 1, 1, 1, 2, 0])
    result = measure(np.eye(4)[predicted], labels)
    assert result["accuracy"] == pytest.approx(4 / 6, abs=1e-4)
    assert result["confusion"] == [[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
    assert result["recall"] == {"angry": 0.5, "happy": 1.0, "sad": 1.0, "calm": 0.0}
    assert result["f1"] == {"angry": 0.5, "happy": 0.8, "sad": 1.0, "calm": 0.0}
    assert result["macro_f1"] == pytest.approx((0.5 + 0.8 + 1 + 0) / 4)


def test_calibration_of_the_honest_and_of_the_boastful() -> None:
    labels = np.array([0] * 7 + [1] * 3)
    honest = np.tile([0.7, 0.1, 0.1, 0.1], (10, 1))
    boastful = np.tile([0.97, 0.01, 0.01, 0.01], (10, 1))
    assert expected_calibration_error(honest, labels) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(boastful, labels) == pytest.approx(0.27)


def test_a_confidence_of_one_is_counted() -> None:
    assert expected_calibration_error(np.eye(4), np.arange(4)) == 0


def boasting(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits three times as large as their labels allow, and the labels."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (count, 4))
    shares = probabilities_of(logits)
    labels = (random.random((count, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(max=3)
    return 3 * logits, labels


def test_the_calibration_undoes_boasting_and_partiality() -> None:
    logits, labels = boasting(8000, seed=1)
    partial = np.array([0.0, 1.2, 0.0, 0.0])
    found = fit_calibration(logits + partial, labels)
    assert found.scales == pytest.approx([1 / 3] * 4, rel=0.1)
    # a shift of one mood moves the mean of all by a quarter of it, and the last mood's own stays 0
    undone = np.array(found.shifts) + (partial - partial.mean()) * found.scales
    assert undone - undone[3] == pytest.approx([0] * 4, abs=0.1)


def test_cross_fitting_judges_faces_that_the_calibration_has_not_seen() -> None:
    logits, labels = boasting(3000, seed=2)
    fitted = cross_fitted(logits, labels)
    assert fitted.sum(axis=1) == pytest.approx(1)
    known = probabilities_of(fit_calibration(logits, labels).apply(logits))
    assert 0 < np.abs(fitted - known).max() < 0.05
    assert likelihood_loss(fitted, labels) > likelihood_loss(known, labels)
    assert (
        expected_calibration_error(fitted, labels) < 0.04 < expected_calibration_error(probabilities_of(logits), labels)
    )


def test_the_loss_is_the_label_s_surprise() -> None:
    assert likelihood_loss(np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]]), np.array([0, 3])) == pytest.approx(
        (np.log(2) + np.log(4)) / 2
    )


def test_intervals_hold_the_value_and_narrow_with_more_faces() -> None:
    logits, labels = boasting(2000, seed=3)
    few, many = (intervals(logits[:count], labels[:count], draws=200) for count in (200, 2000))
    result = measure(probabilities_of(logits), labels)
    assert many["accuracy"][0] < result["accuracy"] < many["accuracy"][1]
    assert many["macro_f1"][0] < result["macro_f1"] < many["macro_f1"][1]
    assert all(many["recall"][mood][0] < recall < many["recall"][mood][1] for mood, recall in result["recall"].items())
    assert np.diff(many["accuracy"]) < np.diff(few["accuracy"])


def test_wilson_s_interval_of_a_known_case() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert wilson(0, 0) == (0, 1)


def test_the_threshold_leaves_out_what_is_more_often_wrong_than_right() -> None:
    """Confidence 0.4 is right in one of four, 0.6 in three of four, 0.9 always."""
    confidence = np.repeat([0.4, 0.6, 0.9], 100)
    shares = np.stack([confidence, *[(1 - confidence) / 3] * 3], axis=1)
    labels = np.concatenate([[0] * 25 + [1] * 75, [0] * 75 + [1] * 25, [0] * 100])
    curve = risk_coverage(shares, labels)
    assert curve[0] == pytest.approx(Abstention(0.25, 1.0, 1 / 3))
    chosen = abstention(curve)
    assert 0.4 < chosen.threshold <= 0.6
    assert chosen[1:] == pytest.approx((2 / 3, 1 / 8))


def test_of_nearly_equal_thresholds_the_middle_one_is_chosen() -> None:
    flat = [Abstention(0.4, 1.0, 0.25), Abstention(0.5, 0.9, 0.2225), Abstention(0.6, 0.8, 0.1875)]
    assert [point.coverage * (1 - 2 * point.risk) for point in flat] == pytest.approx([0.5, 0.4995, 0.5])
    assert abstention(flat).threshold == 0.5
    assert abstention([*flat, Abstention(0.7, 0.7, 0.14)]).threshold == 0.7

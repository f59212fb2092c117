"""The measures, against cases worked out by hand."""

import numpy as np
import pytest

from training.evaluate import expected_calibration_error, measure


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

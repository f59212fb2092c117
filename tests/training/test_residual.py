"""Soft targets, augmentation and the seven-expression network: shapes, sums, and the right four of seven."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from shared.circumplex import MOODS
from tests.conftest import missing
from training.data import DataError
from training.expressions import EXPRESSIONS, FOUR, load_training

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf

        from training.augment import Augmentation, augment
        from training.networks import residual, with_temperature
except ImportError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")

COLUMNS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
FACES = np.random.default_rng(7).integers(0, 256, (32, 48, 48, 1)).astype(np.float32)


def archive(path: Path, votes: list[list[int]], labels: list[int], usage: list[int]) -> Path:
    images = np.zeros((len(labels), 48, 48), np.uint8)
    np.savez(
        path,
        images=images,
        labels=labels,
        usage=usage,
        ferplus_votes=np.array(votes),
        ferplus_columns=np.array(COLUMNS),
    )
    return path


def test_targets_mix_the_label_with_the_votes(tmp_path: Path) -> None:
    votes = [[0, 0, 0, 5, 5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 1, 8, 0], [-1] * 10, [10] + [0] * 9]
    faces = load_training(archive(tmp_path / "fer.npz", votes, [0, 1, 3, 6], [0, 0, 0, 1]), share_of_votes=0.5)
    assert faces.targets.shape == (3, 7)
    assert faces.targets.sum(axis=1) == pytest.approx(1)
    angry, sad = EXPRESSIONS.index("angry"), EXPRESSIONS.index("sad")
    assert faces.targets[0, [angry, sad]] == pytest.approx([0.75, 0.25])
    assert faces.targets[1, EXPRESSIONS.index("disgust")] == pytest.approx(1)
    assert faces.targets[2, EXPRESSIONS.index("happy")] == pytest.approx(1)


def test_data_without_votes_is_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "fer.npz", images=np.zeros((1, 48, 48)), labels=[0], usage=[0])
    with pytest.raises(DataError, match="votes"):
        load_training(tmp_path / "fer.npz", 0.5)


def test_augmented_faces_are_faces_and_targets_stay_probabilities() -> None:
    targets = np.eye(7, dtype=np.float32)[np.arange(32) % 7]
    faces, mixed = augment(tf.constant(FACES), tf.constant(targets), Augmentation())
    assert faces.shape == FACES.shape
    assert float(tf.reduce_min(faces)) >= 0
    assert float(tf.reduce_max(faces)) <= 255
    assert np.asarray(tf.reduce_sum(mixed, axis=1)) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(faces, FACES)


def test_no_augmentation_at_all_changes_nothing_but_the_side() -> None:
    still = Augmentation(0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    faces, _ = augment(tf.constant(FACES), tf.zeros((32, 7)), still)
    for before, after in zip(FACES, np.asarray(faces), strict=True):
        assert np.allclose(after, before, atol=0.01) or np.allclose(after, before[:, ::-1], atol=0.01)


def test_the_four_moods_are_taken_from_the_seven_expressions_in_order() -> None:
    assert [EXPRESSIONS[index] for index in FOUR] == ["angry", "happy", "sad", "neutral"]
    network = residual()
    seven = np.asarray(network(FACES, training=False))
    four = np.asarray(with_temperature(network, 1.0)(FACES))
    wanted = np.exp(seven[:, FOUR]) / np.exp(seven[:, FOUR]).sum(axis=1, keepdims=True)
    assert four.shape == (32, len(MOODS))
    assert four == pytest.approx(wanted, abs=1e-5)
    assert network.count_params() < 1_300_000

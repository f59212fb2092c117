"""The networks: sizes, and the right four of seven."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moodstream.contracts.moods import MOODS
from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training.augment import Augmentation
        from training.config import CONFIGS, load_config
        from training.data import FOUR
        from training.measures import Calibration, probabilities_of
        from training.networks import NETWORKS, article, calibrated, middle, residual
except ImportError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")

FACES = np.random.default_rng(7).integers(0, 256, (32, 48, 48, 1), dtype=np.uint8)


def test_four_of_seven_expressions_in_the_order_of_the_moods() -> None:
    network = residual()
    seven = np.asarray(network(FACES, training=False))
    four = np.asarray(calibrated(network)(FACES))
    wanted = np.exp(seven[:, FOUR]) / np.exp(seven[:, FOUR]).sum(axis=1, keepdims=True)
    assert four.shape == (32, len(MOODS))
    assert four == pytest.approx(wanted, abs=1e-5)


def test_the_sizes_are_as_the_cards_say() -> None:
    assert article().count_params() == 2_342_532
    assert 1_000_000 < residual().count_params() < 1_200_000
    assert 1_050_000 < middle().count_params() < residual().count_params() - 29_000
    assert residual()(FACES[:, :36, :36], training=False).shape == (32, 7)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_graph_calibrates_as_the_measures_do(name: str) -> None:
    network = NETWORKS[name]()
    logits = np.log(np.asarray(calibrated(network)(FACES)))
    calibration = Calibration((0.5, 1.0, 2.0, 1.5), (0.3, -0.2, 0.1, 0.0))
    shares = np.asarray(calibrated(network, calibration)(FACES))
    assert shares == pytest.approx(probabilities_of(calibration.apply(logits)), abs=1e-5)
    assert np.abs(shares - np.exp(logits)).max() > 0.01


def test_a_mirrored_graph_answers_with_the_mean_of_the_logits_of_both_views() -> None:
    network = middle()
    one, other = (np.asarray(network(view, training=False))[:, FOUR] for view in (FACES, FACES[:, :, ::-1]))
    both = np.asarray(calibrated(network, mirrored=True)(FACES))
    assert both == pytest.approx(probabilities_of((one + other) / 2), abs=1e-5)
    assert np.abs(both - probabilities_of(one)).max() > 1e-4


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_configuration_is_one_that_can_be_trained(path: Path) -> None:
    config = load_config(path)
    assert config.network in NETWORKS
    network = NETWORKS[config.network]()
    for phase in config.phases:
        assert network(FACES[:1, : phase.size, : phase.size], training=False).shape[0] == 1
    replace(Augmentation(), **(config.augmentation or {}))

"""The folder of a run: its configuration, history, best weights and checkpoint."""

import json
from pathlib import Path
from typing import Any

from training.backends import keras
from training.config import Config
from training.data import DataError
from training.networks import NETWORKS

BEST = "best.weights.h5"
CONFIG = "config.json"
HISTORY = "history.jsonl"
CHECKPOINT = "checkpoint.npz"


def config_of(run: Path) -> Config:
    """The configuration of a run; raises DataError when there is none."""
    try:
        return Config.model_validate_json((run / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"not the folder of a run: {run} ({type(error).__name__})") from None


def history_of(run: Path) -> list[dict[str, Any]]:
    """What each epoch of a run gave, by epoch; raises DataError when there is none."""
    try:
        return [json.loads(line) for line in (run / HISTORY).read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"{run} has no history of a training ({type(error).__name__})") from None


def best_of(run: Path) -> keras.Model:
    """The network of a run with its best weights; raises DataError when there are none."""
    config = config_of(run)
    network = NETWORKS[config.network](config.share)
    if not (run / BEST).is_file():
        raise DataError(f"{run} has no weights yet")
    network.load_weights(run / BEST)
    return network

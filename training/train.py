"""Fit a network: ``python -m training.train --data FER2013 --network article --out runs/article``.

Only Training fits weights; PublicTest chooses the epoch (best by validation loss). The run folder holds the
configuration, the history and the best weights; a run that was stopped goes on from its last epoch.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.data import PUBLIC_TEST, TRAINING, DataError, Faces, load
from training.networks import NETWORKS

BEST = "best.weights.h5"
CONFIG = "config.json"
HISTORY = "history.json"


@dataclass(frozen=True)
class Config:
    """Everything that decides the outcome of a run."""

    network: str
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    flip: bool
    data_digest: str


def batches(faces: Faces, config: Config) -> tf.data.Dataset:
    """Shuffled batches of (faces [B, 48, 48, 1] float 0-255, one-hot moods [B, 4]), mirrored at random."""
    images = faces.images[..., None]
    moods = np.eye(4, dtype=np.float32)[faces.labels]

    def prepare(image: tf.Tensor, mood: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.cast(image, tf.float32)
        return (tf.image.random_flip_left_right(image) if config.flip else image), mood

    data = tf.data.Dataset.from_tensor_slices((images, moods)).shuffle(len(faces), seed=config.seed)
    return data.map(prepare, num_parallel_calls=1, deterministic=True).batch(config.batch).prefetch(2)


def train(config: Config, training: Faces, validation: Faces, out: Path) -> dict[str, Any]:
    """Train into the folder ``out`` and return the history; resumes what is there with the same configuration."""
    out.mkdir(parents=True, exist_ok=True)
    saved = out / CONFIG
    if saved.exists() and json.loads(saved.read_text()) != asdict(config):
        raise DataError(f"{out} holds a run with another configuration; give another folder")
    saved.write_text(json.dumps(asdict(config), indent=2) + "\n")

    keras.utils.set_random_seed(config.seed)
    network = NETWORKS[config.network]()
    steps = config.epochs * -(-len(training) // config.batch)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = network.fit(
        batches(training, config),
        validation_data=(validation.images[..., None].astype(np.float32), np.eye(4)[validation.labels]),
        epochs=config.epochs,
        verbose=2,
        callbacks=[
            keras.callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False),
            keras.callbacks.ModelCheckpoint(
                out / BEST, monitor="val_loss", save_best_only=True, save_weights_only=True
            ),
            keras.callbacks.CSVLogger(out / "history.csv", append=True),
        ],
    )
    (out / HISTORY).write_text(json.dumps(history.history, indent=2) + "\n")
    result: dict[str, Any] = history.history
    return result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; checkpoints go there")
    parser.add_argument("--network", choices=sorted(NETWORKS), default="article")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-flip", action="store_true", help="train without mirrored faces, as the article did")
    given = parser.parse_args(arguments)
    try:
        faces = load(given.data)
        config = Config(
            network=given.network,
            epochs=given.epochs,
            batch=given.batch,
            learning_rate=given.learning_rate,
            seed=given.seed,
            flip=not given.no_flip,
            data_digest=faces[TRAINING].digest(),
        )
        train(config, faces[TRAINING], faces[PUBLIC_TEST], given.out)
    except DataError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fit the residual network on all seven expressions with soft targets.

``python -m training.train_residual --data fer2013.npz --out runs/residual``; stopped and started again, it goes on
from its last epoch. PublicTest's four moods are read after each epoch with the averaged weights, which are what is
kept; only Training fits weights.
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

from training.augment import Augmentation, augment
from training.data import PUBLIC_TEST, DataError, Faces, load
from training.expressions import FOUR, SoftFaces, load_training
from training.networks import NETWORKS
from training.train import BEST, CONFIG


@dataclass(frozen=True)
class Config:
    """Everything that decides the outcome of a run."""

    network: str
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    share_of_votes: float
    label_smoothing: float
    seed: int
    data_digest: str
    augmentation: dict[str, float]


class ReadMoods(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Accuracy on the four moods of PublicTest after each epoch; keeps the weights that read best."""

    def __init__(self, faces: Faces, out: Path) -> None:
        super().__init__()
        self._faces, self._out = faces, out
        self._log = out / "history.jsonl"
        kept = (
            [json.loads(line)["accuracy"] for line in self._log.read_text().splitlines()] if self._log.exists() else []
        )
        self._best = max(kept, default=0.0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        images = self._faces.images[..., None].astype(np.float32)
        logits = self.model.predict(images, batch_size=256, verbose=0)[:, FOUR]
        accuracy = float((logits.argmax(axis=1) == self._faces.labels).mean())
        row = {"epoch": epoch + 1, "accuracy": round(accuracy, 4), "loss": round((logs or {}).get("loss", 0.0), 4)}
        with self._log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"PublicTest, four moods: {accuracy:.4f} (best before {self._best:.4f})", flush=True)
        if accuracy > self._best:
            self._best = accuracy
            self.model.save_weights(self._out / BEST)


def batches(faces: SoftFaces, config: Config) -> tf.data.Dataset:
    """Shuffled and augmented batches of (faces [B, 48, 48, 1] float 0-255, targets [B, 7]), without end."""
    how = Augmentation(**config.augmentation)
    smooth = config.label_smoothing
    targets = faces.targets * (1 - smooth) + smooth / faces.targets.shape[1]

    def prepare(images: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return augment(tf.cast(images, tf.float32), wanted, how)

    data = tf.data.Dataset.from_tensor_slices((faces.images[..., None], targets))
    data = data.shuffle(len(faces.images), seed=config.seed).repeat().batch(config.batch, drop_remainder=True)
    return data.map(prepare, num_parallel_calls=1).prefetch(2)


def train(config: Config, faces: SoftFaces, public: Faces, out: Path) -> None:
    """Train into the folder ``out``; resumes what is there with the same configuration. Raises DataError."""
    out.mkdir(parents=True, exist_ok=True)
    saved = out / CONFIG
    if saved.exists() and json.loads(saved.read_text()) != asdict(config):
        raise DataError(f"{out} holds a run with another configuration; give another folder")
    saved.write_text(json.dumps(asdict(config), indent=2) + "\n")
    keras.utils.set_random_seed(config.seed)
    network = NETWORKS[config.network]()
    steps = len(faces.images) // config.batch
    network.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0, config.epochs * steps, warmup_target=config.learning_rate, warmup_steps=2 * steps
            ),
            weight_decay=config.weight_decay,
            use_ema=True,
            ema_momentum=0.998,
        ),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    callbacks: list[Any] = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        ReadMoods(public, out),
        keras.callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False),
    ]
    network.fit(batches(faces, config), epochs=config.epochs, steps_per_epoch=steps, verbose=2, callbacks=callbacks)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.train_residual", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013 with FER+ votes, .npz")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; checkpoints go there")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=5e-3)
    parser.add_argument("--votes", type=float, default=0.4, help="share of FER+'s votes in the targets")
    parser.add_argument("--label-smoothing", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    try:
        faces, public = load_training(given.data, given.votes), load(given.data)
        config = Config(
            network="residual",
            epochs=given.epochs,
            batch=given.batch,
            learning_rate=given.learning_rate,
            weight_decay=given.weight_decay,
            share_of_votes=given.votes,
            label_smoothing=given.label_smoothing,
            seed=given.seed,
            data_digest=public[PUBLIC_TEST].digest(),
            augmentation=asdict(Augmentation()),
        )
        train(config, faces, public[PUBLIC_TEST], given.out)
    except DataError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fit a network: ``python -m training.train --data FER2013 --network middle --out runs/middle``.

Only Training fits weights; PublicTest chooses the epoch. The run folder holds the configuration, the history, the
best weights and a checkpoint; a run that was stopped goes on from its last epoch. With ``--teacher FILE`` (any
number) the network also learns from the mean answer of exported ones to each face as it was changed (L. Beyer et
al., "Knowledge distillation: a good teacher is patient and consistent", CVPR 2022).
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from math import cos, pi
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.augment import MIRRORED_ONLY, Augmentation, augment, mix
from training.config import CONFIGS, Config, Phase, load_config
from training.data import EXPRESSIONS, FOUR, PUBLIC_TEST, DataError, Faces, SoftFaces, load
from training.measures import likelihood_loss, measure, probabilities_of
from training.networks import NETWORKS, four_of
from training.runs import BEST, CHECKPOINT, CONFIG, HISTORY, config_of
from training.teachers import Teachers


def batches(faces: SoftFaces, config: Config, phase: Phase, seed: int, teachers: Teachers) -> tf.data.Dataset:
    """One epoch of changed batches (faces [B, size, size, 1], targets [B, 7]), in an order that the seed decides.

    The teachers have their share in the targets of a phase that learns the four moods; they know no others.
    """
    keep = np.flatnonzero(faces.moods) if phase.faces == "moods" else np.arange(len(faces.images))
    steps = len(keep) // config.batch
    order = np.random.default_rng(seed).permutation(keep)[: steps * config.batch].reshape(steps, config.batch)
    targets: NDArray[np.floating] = faces.targets
    if phase.faces == "moods":
        targets = targets * np.isin(np.arange(len(EXPRESSIONS)), FOUR)
        targets = targets / targets.sum(axis=1, keepdims=True).clip(1e-9)
    classes = np.count_nonzero(targets.any(axis=0))
    targets = targets * (1 - config.label_smoothing) + (targets.any(axis=0) / classes) * config.label_smoothing
    how = MIRRORED_ONLY if config.augmentation is None else replace(Augmentation(), **config.augmentation)

    def prepare(images: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        changed = augment(images, how, phase.size)
        if phase.mixup:
            changed, wanted = mix(changed, wanted, phase.mixup)
        if teachers and phase.faces == "moods":
            wanted = (1 - config.share_of_teachers) * wanted + config.share_of_teachers * teachers.answers(changed)
        return changed, wanted

    tf.random.set_seed(seed)
    data = tf.data.Dataset.from_tensor_slices((faces.images[order][..., None], targets[order].astype(np.float32)))
    return data.map(prepare, num_parallel_calls=1).prefetch(2)


class Schedule:
    """How far a run has come: by its steps, or by the clock where the configuration limits its minutes."""

    def __init__(self, config: Config, lengths: dict[str, int]) -> None:
        self._phases, self._seconds = config.phases, config.minutes * 60
        self._all_steps = sum(phase.epochs * lengths[phase.faces] for phase in config.phases)
        self.steps, self.spent_s = 0, 0.0
        self._last = time.monotonic()

    @property
    def progress(self) -> float:
        return min(1.0, self.spent_s / self._seconds if self._seconds else self.steps / self._all_steps)

    def step(self) -> float:
        """Count one step and the time since the last call."""
        now = time.monotonic()
        self.steps, self.spent_s, self._last = self.steps + 1, self.spent_s + now - self._last, now
        return self.progress

    def phase(self, epoch: int) -> Phase:
        """The phase of this epoch (from 1): in its turn, or the one that has the time of now."""
        epochs = [phase for phase in self._phases for _ in range(phase.epochs)]
        place = int(self.progress * len(epochs)) if self._seconds else epoch - 1
        return epochs[min(place, len(epochs) - 1)]


class Trainer:
    """One network with its optimiser and the running average of its weights."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.network, self.average = NETWORKS[config.network](), NETWORKS[config.network]()
        if config.start:
            _begin_with(self.network, Path(config.start))
        self.average.set_weights(self.network.get_weights())
        self._optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
        self._optimizer.build(self.network.trainable_variables)
        self._step = tf.function(self._step_eagerly, reduce_retracing=False)

    def _step_eagerly(self, faces: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = _seven(self.network(faces, training=True))
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        variables = self.network.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        keep = tf.minimum(self._config.averaging, tf.cast(self._optimizer.iterations, tf.float32) / 100)
        for average, own in zip(self.average.weights, self.network.weights, strict=True):
            average.assign(average * keep + own * (1 - keep))
        return loss

    def learning_rate(self, progress: float) -> float:
        """A rise, then half a cosine down to nothing; ``progress`` from 0 to 1."""
        warm = max(self._config.warmup_epochs / sum(one.epochs for one in self._config.phases), 1e-9)
        if progress < warm:
            return self._config.learning_rate * progress / warm
        return self._config.learning_rate * (1 + cos(pi * (progress - warm) / (1 - warm))) / 2

    def epoch(self, data: tf.data.Dataset, schedule: "Schedule") -> float:
        """Train on all batches, or until the schedule is over; returns the mean loss."""
        losses: list[tf.Tensor] = []
        for faces, targets in data:
            self._optimizer.learning_rate.assign(self.learning_rate(schedule.progress))
            losses.append(self._step(faces, targets))
            if schedule.step() >= 1:
                break
        return float(tf.reduce_mean(losses))

    def _variables(self) -> list[keras.Variable]:
        return [*self.network.variables, *self.average.variables, *self._optimizer.variables]

    def save(self, path: Path, epoch: int, schedule: Schedule) -> None:
        draft = path.with_name("draft-" + path.name)
        np.savez(draft, epoch, schedule.steps, schedule.spent_s, *(np.asarray(one) for one in self._variables()))
        draft.replace(path)

    def restore(self, path: Path, schedule: Schedule) -> int:
        """The epoch that was finished; the schedule goes on from there."""
        with np.load(path) as saved:
            epoch, steps, spent_s, *values = (saved[name] for name in saved.files)
        for variable, value in zip(self._variables(), values, strict=True):
            variable.assign(value)
        schedule.steps, schedule.spent_s = int(steps), float(spent_s)
        return int(epoch)


def _begin_with(network: keras.Model, start: Path) -> None:
    try:
        network.load_weights(start / BEST if start.is_dir() else start)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot begin with {start}: {str(error).splitlines()[0]}") from None


def _seven(logits: tf.Tensor) -> tf.Tensor:
    """Logits of a network of four moods among the seven expressions, the others next to impossible."""
    if logits.shape[-1] == len(EXPRESSIONS):
        return logits
    spread = np.eye(len(EXPRESSIONS), dtype=np.float32)[FOUR]
    return logits @ spread - 30 * (1 - spread.sum(axis=0))


def read(network: keras.Model, faces: Faces) -> dict[str, Any]:
    """Measures of the network on PublicTest's faces, with the mean negative log-likelihood as ``loss``."""
    logits = four_of(network.predict(faces.images[..., None].astype(np.float32), batch_size=256, verbose=0))
    probabilities = probabilities_of(logits)
    return measure(probabilities, faces.labels) | {"loss": round(likelihood_loss(probabilities, faces.labels), 4)}


def train(config: Config, faces: SoftFaces, public: Faces, out: Path, until: int | None = None) -> dict[str, Any]:
    """Train into the folder ``out`` and return the best epoch's row; resumes what is there. Raises DataError.

    ``until`` stops after this many epochs; started again, the run resumes as if it had never stopped.
    """
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(config.seed)
    lengths = {"all": len(faces.images) // config.batch, "moods": int(faces.moods.sum()) // config.batch}
    teachers = Teachers([Path(one) for one in config.teachers], config.teacher_temperature)
    trainer, schedule = Trainer(config), Schedule(config, lengths)
    _keep(config, out / CONFIG)
    epoch = trainer.restore(out / CHECKPOINT, schedule) if (out / CHECKPOINT).exists() else 0
    rows = [json.loads(line) for line in (out / HISTORY).read_text().splitlines()][:epoch] if epoch else []
    (out / HISTORY).write_text("".join(json.dumps(row) + "\n" for row in rows))
    while schedule.progress < 1 and (until is None or epoch < until):
        epoch += 1
        phase, began = schedule.phase(epoch), time.monotonic()
        loss = trainer.epoch(batches(faces, config, phase, config.seed * 1000 + epoch, teachers), schedule)
        row = {"epoch": epoch, "size": phase.size, "learns": phase.faces, "training_loss": round(loss, 4)}
        row |= {"seconds": round(time.monotonic() - began, 1)} | read(trainer.average, public)
        better = all(_goodness(row, config) > _goodness(other, config) for other in rows)
        rows.append(row)
        if better:
            trainer.average.save_weights(out / BEST)
        with (out / HISTORY).open("a") as file:
            file.write(json.dumps(row) + "\n")
        trainer.save(out / CHECKPOINT, epoch, schedule)
        print(_line(row, schedule.progress, better), flush=True)
    return max(rows, key=lambda row: _goodness(row, config))


def _keep(config: Config, saved: Path) -> None:
    if saved.exists() and config_of(saved.parent) != config:
        raise DataError(f"{saved.parent} holds a run with another configuration; give another folder")
    saved.write_text(config.model_dump_json(indent=2) + "\n")


def _goodness(row: dict[str, Any], config: Config) -> float:
    return float(row["accuracy"] if config.select == "accuracy" else -row["loss"])


def _line(row: dict[str, Any], progress: float, better: bool) -> str:
    return (
        f"epoch {row['epoch']}, {progress:.0%}: {row['seconds']:.0f} s, training loss {row['training_loss']:.3f}, "
        f"PublicTest {row['accuracy']:.4f}, F1 {row['macro_f1']:.4f}, loss {row['loss']:.4f}"
        + (", kept" if better else "")
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; checkpoints go there")
    parser.add_argument("--network", default="middle", help="a configuration of training/configs, by its name")
    parser.add_argument("--config", type=Path, help="a configuration of your own, instead")
    parser.add_argument("--seed", type=int, help="another seed than the configuration's")
    parser.add_argument("--start", type=Path, help="begin with these weights: a file, or the folder of a run")
    parser.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="learn from this exported network too; repeatable",
    )
    parser.add_argument("--minutes", type=float, help="fit the whole schedule into this many minutes on this machine")
    parser.add_argument("--until", type=int, metavar="EPOCH", help="stop there for now; start again to go on")
    given = parser.parse_args(arguments)
    try:
        config = load_config(given.config or CONFIGS / f"{given.network}.toml")
        data = load(given.data)
        faces, public = data.training(config.share_of_votes), data.moods()[PUBLIC_TEST]
        changes: dict[str, Any] = {"data_digest": faces.digest()}
        if given.seed is not None:
            changes["seed"] = given.seed
        if given.minutes is not None:
            changes["minutes"] = given.minutes
        if given.start:
            changes["start"] = str(given.start)
        if given.teacher:
            changes["teachers"] = tuple(str(one) for one in given.teacher)
        train(config.model_copy(update=changes), faces, public, given.out, given.until)
    except DataError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

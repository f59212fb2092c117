"""Fit a network: ``python -m training.train --data FER2013 --network middle --out runs/middle``.

Only Training fits weights; PublicTest chooses the epoch. The run folder holds the configuration, the history, the
best weights and a checkpoint; a run that was stopped goes on from its last epoch, also on another backend of Keras
(``KERAS_BACKEND``). With ``--teacher`` (any number) the network also learns from the mean answer of finished ones to
each face as it was changed (L. Beyer et al., "Knowledge distillation: a good teacher is patient and consistent",
CVPR 2022).
"""

import argparse
import json
import random
import sys
import time
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np

from training.accelerator.packed import unpack_weights
from training.backends import Reader, Steps, flat, keras, steps
from training.config import CONFIGS, Config, Phase, load_config
from training.data import PUBLIC_TEST, DataError, Faces, SoftFaces, in_one_line, load
from training.lesson import Lesson, faces_of, targets_of
from training.measures import likelihood_loss, measure, probabilities_of
from training.networks import NETWORKS, efficientnet_lite0, four_of
from training.runs import BEST, CHECKPOINT, CONFIG, HISTORY, config_of, history_of
from training.teachers import Teachers

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
STEPS_AHEAD = 8
"""Steps that may be under way at once; a device that computes beside the processor is never idle then."""


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
        """Count one step and the time since the last call; the first step's, which compiles, only shortens the run."""
        took, self._last = time.monotonic() - self._last, time.monotonic()
        if self._seconds and not self.steps:
            self._seconds = max(self._seconds - took, 1.0)
        else:
            self.spent_s += took
        self.steps += 1
        return self.progress

    def phase(self, epoch: int) -> Phase:
        """The phase of this epoch (from 1): in its turn, or the one that has the time of now."""
        epochs = [phase for phase in self._phases for _ in range(phase.epochs)]
        place = int(self.progress * len(epochs)) if self._seconds else epoch - 1
        return epochs[min(place, len(epochs) - 1)]


class Trainer:
    """One network with its optimiser and the running average of its weights."""

    def __init__(self, config: Config, faces: SoftFaces) -> None:
        self._config, self._faces = config, faces
        keras.config.set_dtype_policy(POLICIES[config.precision])
        build = NETWORKS[config.network]
        self.network, self.average = build(config.share), build(config.share)
        if config.start:
            _begin_with(self.network, Path(config.start))
        self.average.set_weights(self.network.get_weights())
        self._flat_average = keras.Variable(flat(self.average.weights), trainable=False)
        places = [Path(one) for one in config.teachers]
        self._teachers = Teachers(places, config.teacher_temperature, config.teachers_mirrored)
        self._optimizer = keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, clipnorm=config.clip or None
        )
        self._optimizer.build(self.network.trainable_variables)
        self._lessons: dict[Phase, tuple[Lesson, Steps]] = {}

    def _lesson(self, phase: Phase) -> tuple[Lesson, Steps]:
        """Made once for a phase, because it is compiled."""
        if phase not in self._lessons:
            lesson = Lesson(self.network, self._config, phase, self._teachers)
            images, targets = (
                self._faces.images[..., None],
                targets_of(self._faces, phase, self._config.label_smoothing),
            )
            averaging = self.network.weights, self._flat_average, self._config.averaging
            made = steps(lesson, self._optimizer, *averaging, images, targets)
            self._lessons[phase] = lesson, made
        return self._lessons[phase]

    def learning_rate(self, progress: float) -> float:
        """A rise, then half a cosine down to nothing; ``progress`` from 0 to 1."""
        warm = max(self._config.warmup_epochs / sum(one.epochs for one in self._config.phases), 1e-9)
        if progress < warm:
            return self._config.learning_rate * progress / warm
        return self._config.learning_rate * (1 + cos(pi * (progress - warm) / (1 - warm))) / 2

    def epoch(self, phase: Phase, seed: int, schedule: Schedule) -> tuple[float, float]:
        """Train on all faces of a phase, in an order that the seed decides, or until the schedule is over.

        Returns the mean loss and accuracy, on the changed faces and what they should be read as.
        """
        lesson, steps = self._lesson(phase)
        lesson.begin(seed)
        batch, order = self._config.batch, np.random.default_rng(seed).permutation(faces_of(self._faces, phase))
        measured: list[Any] = []
        for start in range(0, len(order) - batch + 1, batch):
            measured.append(steps.step(order[start : start + batch], self.learning_rate(schedule.progress)))
            if len(measured) % STEPS_AHEAD == 0:
                float(measured[-1][0])  # wait for it: the schedule may go by the clock
            if schedule.step() >= 1:
                break
        steps.finish()
        self._unroll_average()
        loss, accuracy = np.mean([[float(one) for one in both] for both in measured], axis=0)
        return float(loss), float(accuracy)

    def _unroll_average(self) -> None:
        shapes = [tuple(one.shape) for one in self.average.weights]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = np.split(np.asarray(self._flat_average), ends[:-1])
        self.average.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])

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
        self._flat_average.assign(flat(self.average.weights))
        schedule.steps, schedule.spent_s = int(steps), float(spent_s)
        return int(epoch)


def _begin_with(network: keras.Model, start: Path) -> None:
    try:
        if start.suffix == ".npz":
            network.set_weights(unpack_weights(start))
            return
        network.load_weights(start / BEST if start.is_dir() else start)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot begin with {start}: {str(error).splitlines()[0]}") from None


def read(network: Reader, faces: Faces) -> dict[str, Any]:
    """Measures of the network on PublicTest's faces, with the mean negative log-likelihood as ``loss``."""
    probabilities = probabilities_of(four_of(network.logits(faces.images)))
    return measure(probabilities, faces.labels) | {"loss": round(likelihood_loss(probabilities, faces.labels), 4)}


def train(config: Config, faces: SoftFaces, public: Faces, out: Path, until: int | None = None) -> dict[str, Any]:
    """Train into the folder ``out`` and return the best epoch's row; resumes what is there. Raises DataError.

    ``until`` stops after this many epochs; started again, the run resumes as if it had never stopped.
    """
    out.mkdir(parents=True, exist_ok=True)
    random.seed(config.seed)  # from which Keras draws the seeds of all layers
    lengths = {phase.faces: len(faces_of(faces, phase)) // config.batch for phase in config.phases}
    if not all(lengths.values()):
        raise DataError(f"fewer Training faces than the {config.batch} of one batch")
    if not config.teachers and any(phase.faces == "taught" for phase in config.phases):
        raise DataError("a phase whose faces are taught needs a teacher (--teacher)")
    schedule, trainer = Schedule(config, lengths), Trainer(config, faces)
    reader = Reader(trainer.average)
    _keep(config, out / CONFIG)
    epoch = trainer.restore(out / CHECKPOINT, schedule) if (out / CHECKPOINT).exists() else 0
    rows = history_of(out)[:epoch] if epoch else []
    (out / HISTORY).write_text("".join(json.dumps(row) + "\n" for row in rows))
    while schedule.progress < 1 and (until is None or epoch < until):
        epoch += 1
        phase, began = schedule.phase(epoch), time.monotonic()
        loss, accuracy = trainer.epoch(phase, config.seed * 1000 + epoch, schedule)
        row = {"epoch": epoch, "size": phase.size, "learns": phase.faces}
        row |= {"training_loss": round(loss, 4), "training_accuracy": round(accuracy, 4)}
        row |= {"seconds": round(time.monotonic() - began, 1)} | read(reader, public)
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
        f"accuracy {row['training_accuracy']:.3f}, "
        f"PublicTest {row['accuracy']:.4f}, F1 {row['macro_f1']:.4f}, loss {row['loss']:.4f}"
        + (", kept" if better else "")
    )


def positive(text: str) -> float:
    """A number above 0, for ``argparse``."""
    if (number := float(text)) > 0:
        return number
    raise ValueError(text)


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; checkpoints go there")
    parser.add_argument("--network", default="middle", help="a configuration of training/configs, by its name")
    parser.add_argument("--config", type=Path, help="a configuration of your own, instead")
    parser.add_argument("--seed", type=int, help="another seed than the configuration's")
    parser.add_argument("--start", type=Path, help="begin with these weights: a file, or the folder of a run")
    parser.add_argument("--imagenet", type=Path, metavar="FILE", help="what a network that knows ImageNet begins with")
    parser.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="learn from this exported file or folder of a run too; repeatable",
    )
    parser.add_argument(
        "--minutes", type=positive, help="fit the whole schedule into this many minutes on this machine"
    )
    parser.add_argument("--until", type=int, metavar="EPOCH", help="stop there for now; start again to go on")
    given = parser.parse_args(arguments)
    config = load_config(given.config or CONFIGS / f"{given.network}.toml")
    data = load(given.data)
    faces, public = data.training(config.share_of_votes), data.moods()[PUBLIC_TEST]
    changes: dict[str, Any] = {"data_digest": faces.digest()}
    if given.seed is not None:
        changes["seed"] = given.seed
    if given.minutes is not None:
        changes["minutes"] = given.minutes
    if given.start or (given.imagenet and config.network == efficientnet_lite0.__name__):
        changes["start"] = str(given.start or given.imagenet)
    if given.teacher:
        changes["teachers"] = tuple(str(one) for one in given.teacher)
    train(config.model_copy(update=changes), faces, public, given.out, given.until)
    return 0


if __name__ == "__main__":
    sys.exit(main())

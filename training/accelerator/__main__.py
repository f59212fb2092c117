"""Train teachers and then their pupils, in minutes: ``python -m training.accelerator --packed FOLDER --out OUT``.

Keras computes with JAX, unless ``KERAS_BACKEND`` says otherwise. Every run is a process of its own on the one
device, so that the device is never idle while one of them compiles, and goes by the clock. The teachers come first;
then the pupils learn from the best two of them. OUT gets, in few and small files, what each run answers to every
face, its weights and its history. Nothing is fetched, and it stops in time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the runs share the device's memory

import numpy as np
from numpy.typing import NDArray

from training.accelerator.packed import FACES, START, expand
from training.backends import Reader
from training.data import PUBLIC_TEST, TRAINING, DataError, Fer2013, in_one_line
from training.runs import BEST, best_of, history_of

HERE = Path(__file__).parent
TEACHERS, PUPILS = "teachers", "pupils"
"""Folders of configurations in a plan."""
TAUGHT_BY = 2
"""Teachers of each pupil: one more is compiled into every step of it, and adds little."""
GRACE_S = 15
"""For a run to begin and to end."""
COLLECT_S = 25
"""For what the last runs answer to all faces."""
LARGEST_FILE = 15_000_000
"""bytes"""


class Runs:
    """Trainings beside each other, each in its folder."""

    def __init__(self, configs: Sequence[Path], more: Sequence[str], out: Path, data: Path, ends_at: float) -> None:
        minutes = (ends_at - time.monotonic() - GRACE_S) / 60
        if not configs:
            raise DataError("the plan has no configurations of teachers, or none of pupils")
        if minutes <= 0:
            raise DataError("too little time is left to train: give more --minutes")
        self.folders = [out / config.stem for config in configs]
        self._ends_at = ends_at
        self._processes = []
        for config, folder in zip(configs, self.folders, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "training.train", "--data", data, "--config", config, "--out", folder]
            with (folder / "log").open("w") as log:
                self._processes.append(
                    subprocess.Popen(
                        [*map(str, command), "--minutes", f"{minutes:.2f}", *more],
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env=os.environ | {"PYTHONUNBUFFERED": "1"},
                    )
                )

    def wait(self) -> list[Path]:
        """The folders of the runs that have weights, when all have ended or their time is over."""
        for process in self._processes:
            try:
                process.wait(max(0.1, self._ends_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for folder in self.folders:
            print(f"{folder.name}: {(folder / 'log').read_text().splitlines()[-1:]}", flush=True)
        return [folder for folder in self.folders if (folder / BEST).is_file()]


def answers(folder: Path, data: Fer2013) -> dict[str, NDArray[np.float16]]:
    """The mean logits of both views of every Training and PublicTest face, [N, 7] or [N, 4]."""
    network = Reader(best_of(folder))
    found = {}
    for name, part in (("training", TRAINING), ("public", PUBLIC_TEST)):
        faces = data.images[data.usage == part]
        views = [network.logits(view, batch=1024) for view in (faces, faces[:, :, ::-1])]
        found[f"{folder.name}/{name}"] = np.mean(views, axis=0).astype(np.float16)
    return found


def save_weights(folders: Sequence[Path], out: Path, name: str) -> None:
    """Best weights by run, as float16, in as few files as may be."""
    bins: list[dict[str, NDArray[np.float16]]] = []
    for folder in folders:
        arrays = {
            f"{folder.name}/{place:03}": one.astype(np.float16)
            for place, one in enumerate(best_of(folder).get_weights())
        }
        size = sum(one.nbytes for one in arrays.values())
        for one in bins:
            if size + sum(array.nbytes for array in one.values()) < LARGEST_FILE:
                one.update(arrays)
                break
        else:
            bins.append(arrays)
    for place, one in enumerate(bins):
        np.savez(out / f"{name}-{place}.npz", **one)  # type: ignore[arg-type]


def run(plan: Path, packed: Path, work: Path, out: Path, ends_at: float, teachers_end_at: float) -> None:
    """Teachers, then pupils; the ends are moments of the monotonic clock."""
    work.mkdir(parents=True, exist_ok=True)
    faces = work / "faces.npz"
    data = expand(packed / FACES, faces)
    first = Runs(
        sorted((plan / TEACHERS).glob("*.toml")), ["--imagenet", str(packed / START)], work, faces, teachers_end_at
    )
    teachers = first.wait()
    if not teachers:
        raise DataError(f"no teacher went through one epoch; see the logs in {work}")
    best = sorted(teachers, key=lambda one: min(row["loss"] for row in history_of(one)))[:TAUGHT_BY]
    taught = [part for teacher in best for part in ("--teacher", str(teacher))]
    second = Runs(sorted((plan / PUPILS).glob("*.toml")), taught, work, faces, ends_at - COLLECT_S)
    targets = {}
    for teacher in teachers:
        targets.update(answers(teacher, data))
    save_weights(teachers, out, "teachers")
    for pupil in (pupils := second.wait()):
        targets.update(answers(pupil, data))
    save_weights(pupils, out, "pupils")
    np.savez(out / "answers.npz", **targets)  # type: ignore[arg-type]
    histories = {one.name: history_of(one) for one in [*teachers, *pupils]}
    (out / "histories.json").write_text(json.dumps(histories))


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="training.accelerator", description=__doc__)
    parser.add_argument("--packed", type=Path, required=True, help="folder of training.accelerator.packed")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--work", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--plan", type=Path, default=HERE, help="folder with configurations of teachers and pupils")
    parser.add_argument("--minutes", type=float, default=9.5, help="all together")
    parser.add_argument("--teachers", type=float, default=0.6, help="the teachers' share of the time")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    seconds = given.minutes * 60
    run(given.plan, given.packed, given.work, given.out, began + seconds, began + seconds * given.teachers)
    return 0


if __name__ == "__main__":
    sys.exit(main())

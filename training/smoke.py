"""The whole way in two minutes, without FER2013: ``python -m training.smoke [--out FOLDER]``.

Draws gratings that stand for expressions, trains the tiny network on them as a teacher and then as its pupil, exports
and evaluates it. A small network of each family begins on JAX, goes on on TensorFlow and is exported. Shows that the
parts fit together, and nothing about faces.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from training import train
from training.config import Config, Phase
from training.data import EXPRESSIONS, PUBLIC_TEST, SIZE, load

_COLUMNS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
_VOTED = [4, 5, 6, 1, 3, 2, 0]
"""The column of each expression."""
_LEANS_DEG = [0, 10, 20, 30, 60, 45, 90]
"""How far the lines of each expression lean; the moods stay apart when mirrored and turned."""
MIN_ACCURACY = 0.9
BEGUN = "begun: "
MAX_DIFFERENCE = 0.15
"""Between a probability of an int8 file and of its network, which has hardly learnt anything."""
GRATINGS, FEW = "gratings.npz", "few.npz"


def draw(path: Path, count: int = 1400, seed: int = 1) -> Path:
    """Write ``count`` gratings, a direction for each expression, in the npz form; a fifth is PublicTest."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(EXPRESSIONS)
    angle = np.radians(_LEANS_DEG)[labels]
    y, x = np.mgrid[:SIZE, :SIZE]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    waves = np.sin(along * 0.8 + random.uniform(0, 6, (count, 1, 1)))
    images = (128 + 70 * waves + random.normal(0, 12, waves.shape)).clip(0, 255).astype(np.uint8)
    votes = random.multinomial(2, [0.1] * 10, count)
    votes[np.arange(count), np.array(_VOTED)[labels]] += 8
    usage = (np.arange(count) >= count * 4 // 5).astype(np.uint8)
    np.savez(path, images=images, labels=labels, usage=usage, ferplus_votes=votes, ferplus_columns=_COLUMNS)
    return path


FAMILIES = ("article", "inception", "densenet", "residual", "efficientnet_lite0")
SHARE = 0.1
"""Of each family's channels and blocks."""


def train_family(name: str, folder: Path, epochs: int) -> None:
    """A run on the backend of this process, up to so many epochs of two."""
    data = load(folder / FEW)
    config = Config(network=name, share=SHARE, phases=(Phase(epochs=2),), batch=32, learning_rate=3e-3, averaging=0.5)
    train.train(config, data.training(0), data.moods()[PUBLIC_TEST], folder / name, epochs)


def _export_family(run: Path, faces: NDArray[np.uint8]) -> None:
    """Float and int8 files; raises RuntimeError when one does not answer as the network does."""
    import onnx

    from training import export  # with TensorFlow, which the process of JAX has no use for
    from training.networks import calibrated
    from training.quantise import quantise
    from training.runs import best_of

    network = calibrated(best_of(run))
    onnx.save(export.to_onnx(network, {"labels": json.dumps([str(mood) for mood in MOODS])}), run / export.FLOAT)
    quantise(run / export.FLOAT, run / export.INT8, faces)
    for file, allowed in ((export.FLOAT, export.PARITY), (export.INT8, MAX_DIFFERENCE)):
        if (difference := export.largest_difference(network, run / file, faces[:64])) > allowed:
            raise RuntimeError(f"{run / file} differs from Keras by {difference:.2g}")


def smoke(folder: Path) -> float:
    """``tiny``, and a small network of each family on both backends and in its files."""
    few = draw(folder / FEW, count=350)
    on_jax = subprocess.Popen(
        [sys.executable, "-m", "training.smoke", "--families", str(folder)],
        env=os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with on_jax:
        accuracy = tiny(folder)
        assert on_jax.stdout is not None
        begun = []
        for line in on_jax.stdout:
            if line.startswith(BEGUN):
                begun.append(line.removeprefix(BEGUN).strip())
                train_family(begun[-1], folder, epochs=2)
                _export_family(folder / begun[-1], load(few).images[:96])
    if on_jax.returncode or begun != list(FAMILIES):
        raise RuntimeError("a family does not train on JAX")
    return accuracy


def tiny(folder: Path) -> float:
    """Accuracy of the exported pupil on the gratings of the four moods; raises RuntimeError when a step fails."""
    from training import evaluate, export, report

    data = draw(folder / GRATINGS)
    teacher, teaching, pupil, model = (folder / one for one in ("teacher", "teacher.onnx", "pupil", "mood_cnn.onnx"))
    given = ["--data", str(data)]
    steps = [
        (report.main, [*given, "--out", str(folder / "data")]),
        (train.main, [*given, "--network", "tiny", "--out", str(teacher)]),
        (export.main, [*given, "--run", str(teacher), "--out", str(teaching), "--version", "0"]),
        (train.main, [*given, "--network", "tiny", "--out", str(pupil), "--teacher", str(teaching), "--seed", "2"]),
        (export.main, [*given, "--run", str(pupil), "--out", str(model), "--version", "0"]),
        (evaluate.main, [*given, "--run", str(pupil)]),
    ]
    for main, arguments in steps:
        if main(arguments):
            raise RuntimeError(f"{main.__module__} failed")
    accuracy: float = json.loads((pupil / "report" / "report.json").read_text())["PublicTest"]["accuracy"]
    return accuracy


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.smoke", description=__doc__)
    parser.add_argument("--out", type=Path, help="keep what was made in this folder")
    parser.add_argument("--tiny", action="store_true", help="the tiny network alone, in a minute")
    parser.add_argument("--families", type=Path, metavar="FOLDER", help="only one epoch of each family, in there")
    given = parser.parse_args(arguments)
    if given.families:
        for name in FAMILIES:
            train_family(name, given.families, epochs=1)
            print(BEGUN + name, flush=True)
        return 0
    began, way = time.monotonic(), tiny if given.tiny else smoke
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        accuracy = way(given.out)
    else:
        with tempfile.TemporaryDirectory(prefix="moodstream-smoke-") as folder:
            accuracy = way(Path(folder))
    print(f"training: {accuracy:.1%} of the gratings read rightly, {time.monotonic() - began:.0f} s")
    return 0 if accuracy >= MIN_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())

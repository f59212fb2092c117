"""The whole way in a minute, without FER2013: ``python -m training.smoke [--out FOLDER]``.

Draws gratings that stand for expressions, trains the tiny network on them as a teacher and then as its pupil, exports
and evaluates it. Shows that the parts fit together, and nothing about faces.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from training import evaluate, export, report, train
from training.data import EXPRESSIONS, SIZE

_COLUMNS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
_VOTED = [4, 5, 6, 1, 3, 2, 0]
"""The column of each expression."""
_LEANS_DEG = [0, 10, 20, 30, 60, 45, 90]
"""How far the lines of each expression lean; the moods stay apart when mirrored and turned."""
MIN_ACCURACY = 0.9


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


def smoke(folder: Path) -> float:
    """Accuracy of the exported pupil on the gratings of the four moods; raises RuntimeError when a step fails."""
    data = draw(folder / "gratings.npz")
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
    given = parser.parse_args(arguments)
    began = time.monotonic()
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        accuracy = smoke(given.out)
    else:
        with tempfile.TemporaryDirectory(prefix="moodstream-smoke-") as folder:
            accuracy = smoke(Path(folder))
    print(f"training: {accuracy:.1%} of the gratings read rightly, {time.monotonic() - began:.0f} s")
    return 0 if accuracy >= MIN_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())

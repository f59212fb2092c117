"""Milliseconds per face of the shipped model, of its float form, and of the article's CNN, in one run, on one core.

    python -m benchmarks.classifier [--run RUN] [--rounds N] [--json]

The time does not depend on the weights, so the forms that are not shipped are built here with fresh ones (TensorFlow is
needed); ``--run`` adds the files of a training run. The models take turns, face by face, so that a busy machine slows
all of them alike; each reads its face twice, first with the others' weights in the caches, as after other work, then
with its own. Processor time is shown beside the median and the best time.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx

from moodstream.contracts.moods import MOODS
from services.emotion.faces.classifier import MODEL, Classifier

FACES = np.random.default_rng(1).integers(0, 256, (64, 48, 48), dtype=np.uint8)


def built(folder: Path) -> dict[str, Path]:
    """Float and int8 files of the shipped model's kind and of the article's, with fresh weights."""
    from training.export import to_onnx
    from training.networks import NETWORKS, calibrated
    from training.quantise import quantise

    shipped = Classifier(MODEL).metadata
    kind, mirrored = shipped["network"], json.loads(shipped["training"]).get("mirrored", False)
    labels = {"labels": json.dumps([str(mood) for mood in MOODS])}
    files = {}
    for name in dict.fromkeys((kind, "article")):
        files[f"{name}, float"] = folder / f"{name}.onnx"
        model = calibrated(NETWORKS[name](), mirrored=mirrored and name == kind)
        onnx.save(to_onnx(model, labels), files[f"{name}, float"])
        files[f"{name}, int8"] = folder / f"{name}.int8.onnx"
        quantise(files[f"{name}, float"], files[f"{name}, int8"], FACES)
    return files


AFTER, AGAIN = "after other work", "again"


def measure(files: dict[str, Path], rounds: int, batch: int = 1) -> dict[tuple[str, str], dict[str, float]]:
    """Median, best and processor milliseconds of a face, and megabytes, by name and by what the caches hold."""
    models = {name: Classifier(path) for name, path in files.items()}
    took: dict[tuple[str, str], list[float]] = {(name, when): [] for name in models for when in (AFTER, AGAIN)}
    busy = dict.fromkeys(took, 0.0)
    for index in range(-5, rounds):
        start = index * batch % (len(FACES) - batch + 1)
        for one in took:
            began, began_cpu = time.perf_counter(), time.process_time()
            models[one[0]].probabilities(FACES[start : start + batch])
            if index >= 0:
                busy[one] += time.process_time() - began_cpu
                took[one].append(time.perf_counter() - began)
    return {
        (name, when): {
            "median_ms": 1000 * float(np.median(took[name, when])) / batch,
            "best_ms": 1000 * min(took[name, when]) / batch,
            "processor_ms": 1000 * busy[name, when] / rounds / batch,
            "megabytes": files[name].stat().st_size / 1e6,
        }
        for name, when in took
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of an exported run of training; its files are measured too")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moodstream-classifier-") as folder:
        files = {"shipped": MODEL} | built(Path(folder))
        if given.run:
            files |= {path.stem: path for path in sorted(given.run.glob("mood_cnn.*.onnx"))}
        result = {f"{name}, {when}": row for (name, when), row in measure(files, given.rounds).items()}
        eight = measure(files, given.rounds // 8, 8)
        result |= {f"{name}, 8 at once": row for (name, when), row in eight.items() if when == AGAIN}
    if given.json:
        print(json.dumps({"load": os.getloadavg(), "models": result}, indent=1))
        return
    print(f"{'a face':36}{'median ms':>11}{'best ms':>9}{'cpu ms':>8}{'MB':>7}   load {os.getloadavg()[0]:.1f}")
    for name, row in result.items():
        print(
            f"{name:36}{row['median_ms']:11.2f}{row['best_ms']:9.2f}{row['processor_ms']:8.2f}{row['megabytes']:7.2f}"
        )


if __name__ == "__main__":
    main()

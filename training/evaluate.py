"""How well a network reads: ``python -m training.evaluate --data FER2013 [--model FILE] [--run RUN] [--out FOLDER]``.

Reads an ONNX file through the classifier of the emotion service, so what is measured is what runs. The accuracy is
taken from predictions and labels in the same order; the article shuffled one of them.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.emotion.faces.classifier import MODEL, Classifier
from training.data import PARTS, PUBLIC_TEST, TRAINING, Faces, in_one_line, load
from training.measures import (
    abstention,
    cross_fitted,
    expected_calibration_error,
    intervals,
    measure,
    risk_coverage,
    wilson,
)
from training.runs import history_of
from training.wear import WEAR, worn


def read(classifier: Classifier, faces: Faces) -> NDArray[np.float32]:
    """Probabilities [N, 4]."""
    parts = (faces.images[start : start + 256] for start in range(0, len(faces), 256))
    return np.concatenate([classifier.probabilities(part) for part in parts])


LIGHT: dict[str, Callable[[Faces], NDArray[np.float64]]] = {
    "mean grey level": lambda faces: faces.images.mean(axis=(1, 2)),
    "deviation of the grey levels": lambda faces: faces.images.std(axis=(1, 2)),
}
"""What can be seen in a picture of the light that a face was in; of its skin, of age and of sex nothing is known."""


def right(faces: Faces, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(probabilities.argmax(axis=1) == faces.labels)


def by_quarter(hits: NDArray[np.bool_], values: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Accuracy, with its interval, on the quarter of the faces with the lowest values, the next one, and so on."""
    rows = []
    for quarter in np.array_split(np.argsort(values, kind="stable"), 4):
        if len(quarter):
            low, high = wilson(int(hits[quarter].sum()), len(quarter))
            rows.append(
                {
                    "from": round(float(values[quarter].min()), 1),
                    "to": round(float(values[quarter].max()), 1),
                    "accuracy": round(float(hits[quarter].mean()), 4),
                    "interval_95": [round(low, 4), round(high, 4)],
                }
            )
    return rows


def evaluate(classifier: Classifier, faces: Faces) -> dict[str, Any]:
    """Measures on all faces, and without those that are pixel-identical to a Training face."""
    probabilities = read(classifier, faces)
    result = measure(probabilities, faces.labels) | {"intervals_95": intervals(probabilities, faces.labels)}
    curve = risk_coverage(probabilities, faces.labels)
    result["abstention"] = abstention(curve)._asdict()
    result["risk_coverage"] = [[round(float(value), 4) for value in point] for point in curve]
    result["by_light"] = {name: by_quarter(right(faces, probabilities), how(faces)) for name, how in LIGHT.items()}
    if faces.copies.any():
        own = ~faces.copies
        result["without_copies"] = measure(probabilities[own], faces.labels[own])
    return result


def accuracy_when_worn(classifier: Classifier, faces: Faces) -> dict[str, float]:
    """Accuracy on the same faces blurred, dark, covered and so on, by kind of wear."""
    shares = {wear: read(classifier, replace(faces, images=worn(faces.images, wear))) for wear in WEAR}
    return {wear: round(float(right(faces, one).mean()), 4) for wear, one in shares.items()}


def report(classifier: Classifier, splits: dict[int, Faces], out: Path, run: Path | None = None) -> dict[str, Any]:
    """Measure all parts but Training; write them and their pictures into the folder ``out``."""
    from training import plots  # matplotlib is slow to load

    out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"model": classifier.name}
    for part, faces in splits.items():
        if part == TRAINING:
            continue
        name = PARTS[part]
        result[name] = evaluate(classifier, faces)
        probabilities = read(classifier, faces)
        if part == PUBLIC_TEST:  # it fitted the calibration, so it judges the calibration only when fitted anew
            fitted = cross_fitted(np.log(probabilities.clip(1e-9)), faces.labels)
            result[name]["calibration_error_cross_fitted"] = round(expected_calibration_error(fitted, faces.labels), 4)
        result[name]["accuracy_when_worn"] = accuracy_when_worn(classifier, faces)
        plots.confusion(result[name], out / f"{name}-confusion.png")
        plots.classes(result[name], out / f"{name}-classes.png")
        plots.reliability(probabilities, faces.labels, out / f"{name}-reliability.png")
        plots.risk_coverage(result[name], out / f"{name}-risk-coverage.png")
    if run is not None:
        plots.curves(history_of(run), out / "curves.png")
    (out / "report.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--model", type=Path, help="an ONNX file; when not given, the run's, or the one that ships")
    parser.add_argument("--run", type=Path, help="folder of a run that was exported; the report goes there")
    parser.add_argument("--out", type=Path, help="folder for measures and pictures; else they are only printed")
    given = parser.parse_args(arguments)
    model = given.model or (given.run / "mood_cnn.onnx" if given.run else MODEL)
    out = given.out or (given.run / "report" if given.run else None)
    splits, classifier = load(given.data).moods(), Classifier(model)
    if out:
        result = report(classifier, splits, out, given.run)
    else:
        parts = {PARTS[part]: evaluate(classifier, faces) for part, faces in splits.items() if part != TRAINING}
        result = {"model": classifier.name} | parts
    for part in PARTS.values():
        if part in result:
            result[part].pop("risk_coverage")
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How well a network reads: accuracy, per class, calibration. ``python -m training.evaluate --data FER2013``.

Reads an ONNX file through the classifier of the emotion service, so what is measured is what runs. The accuracy is
taken from predictions and labels in the same order; the article shuffled one of them.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.emotion.classifier import MODEL, Classifier
from shared.circumplex import MOODS
from shared.errors import MoodstreamError
from training.data import PRIVATE_TEST, PUBLIC_TEST, DataError, Faces, load

BINS = 15


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = BINS
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins (Guo et al., ICML 2017).

    ``probabilities`` [N, 4], ``labels`` [N].
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[slot == one].mean() - right[slot == one].mean()) * (slot == one).mean()
        for one in range(bins)
        if (slot == one).any()
    ]
    return float(sum(gaps))


def measure(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, macro F1, recall and F1 per mood, confusion matrix (rows are labels) and calibration error."""
    confusion = np.zeros((len(MOODS), len(MOODS)), dtype=int)
    np.add.at(confusion, (labels, probabilities.argmax(axis=1)), 1)
    hits = np.diag(confusion)
    recall = hits / np.maximum(confusion.sum(axis=1), 1)
    f1 = 2 * hits / np.maximum(confusion.sum(axis=1) + confusion.sum(axis=0), 1)
    return {
        "faces": len(labels),
        "accuracy": round(float(hits.sum() / len(labels)), 4),
        "macro_f1": round(float(f1.mean()), 4),
        "recall": {str(mood): round(float(value), 4) for mood, value in zip(MOODS, recall, strict=True)},
        "f1": {str(mood): round(float(value), 4) for mood, value in zip(MOODS, f1, strict=True)},
        "calibration_error": round(expected_calibration_error(probabilities, labels), 4),
        "confusion": confusion.tolist(),
    }


def evaluate(classifier: Classifier, faces: Faces) -> dict[str, Any]:
    """Measures on all faces, and without those that are pixel-identical to a Training face."""
    probabilities = np.concatenate(
        [classifier.probabilities(faces.images[start : start + 256]) for start in range(0, len(faces), 256)]
    )
    result = measure(probabilities, faces.labels)
    if faces.copies.any():
        own = ~faces.copies
        result["without_copies"] = measure(probabilities[own], faces.labels[own])
    return result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--model", type=Path, default=MODEL)
    given = parser.parse_args(arguments)
    try:
        splits, classifier = load(given.data), Classifier(given.model)
        names = {PUBLIC_TEST: "PublicTest", PRIVATE_TEST: "PrivateTest"}
        report = {name: evaluate(classifier, splits[usage]) for usage, name in names.items() if usage in splits}
    except (DataError, MoodstreamError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"model": classifier.name} | report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Faces in single photographs."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.emotion.table import Row
from services.emotion.faces.detection import Detector


def photographs(detector: Detector, data: Path, name: str) -> Iterator[Row]:
    """The reference photographs; then mirrored and a tenth smaller, as the settings were never tuned on them."""
    found, twice, false = _counts(detector, data, held_out=False)
    yield Row(f"{name}: single faces found in 124 photographs", found, at_least=123)
    yield Row(f"{name}: of them with a second box", twice, at_most=2)
    yield Row(f"{name}: faces in the 27 photographs without one", false, at_most=0)
    found, twice, false = _counts(detector, data, held_out=True)
    note = f"{twice} with a second box, {false} false"
    yield Row(f"{name}: found when mirrored and smaller (not tuned on)", found, note=note)


def _counts(detector: Detector, data: Path, held_out: bool) -> tuple[int, int, int]:
    """Single faces found, single faces found twice, and faces found where there is none."""
    found = twice = false = 0
    with (data / "frames" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            if not row["faces"] or float(row["faces"]) > 1:
                continue
            picture = cv2.imread(str(data / "frames" / row["file"]), cv2.IMREAD_GRAYSCALE)
            assert picture is not None, row["file"]
            if held_out:
                picture = cv2.resize(cv2.flip(picture, 1), None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
            boxes = len(detector.find_faces(np.asarray(picture, np.uint8)))
            single = float(row["faces"]) == 1
            found, twice = found + (single and boxes > 0), twice + (single and boxes > 1)
            false += not single and boxes > 0
    return found, twice, false

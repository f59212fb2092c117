"""Photographs made worse: small, dark, lit from one side, blurred, leaning, half covered. What is found and read right?

Right means: as the same detector lets the untouched photograph be read, where that is sure of it.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.emotion.detection import Photograph
from benchmarks.emotion.table import Row
from services.emotion.faces.boxes import Box, same
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import Detector
from services.emotion.faces.reader import MoodModel, Reader

SURE = 0.5
SMALL_PX, DARK, NOISE = 32, 0.15, 3.0

Change = Callable[[Grey, Box], tuple[Grey, Box]]
"""A picture and the box of its face to a worse picture, and where the face is in it."""


def _levels(picture: NDArray[np.floating] | object) -> Grey:
    levels: Grey = np.clip(np.asarray(picture, float), 0, 255).astype(np.uint8)
    return levels


def small(grey: Grey, box: Box) -> tuple[Grey, Box]:
    scale = min(1.0, SMALL_PX / box.width)
    less = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _levels(less), _moved(box, np.array([[scale, 0, 0], [0, scale, 0]]), scale)


def dark(grey: Grey, box: Box) -> tuple[Grey, Box]:
    noise = np.random.default_rng(0).normal(0, NOISE, grey.shape)
    return _levels(grey * DARK + 8 + noise), box


def side_light(grey: Grey, box: Box) -> tuple[Grey, Box]:
    across = (np.arange(grey.shape[1]) - box.x) / box.width
    return _levels(grey * np.clip(0.15 + 1.05 * across, 0.15, 1.2)), box


def blurred(grey: Grey, box: Box) -> tuple[Grey, Box]:
    return _levels(cv2.GaussianBlur(grey, (0, 0), box.width / 24)), box


def leaning(degrees: float) -> Change:
    def change(grey: Grey, box: Box) -> tuple[Grey, Box]:
        turn = cv2.getRotationMatrix2D(box.centre, degrees, 1)
        height, width = grey.shape
        turned = cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return _levels(turned), _moved(box, np.asarray(turn), 1)

    return change


def masked(grey: Grey, box: Box) -> tuple[Grey, Box]:
    """The lower half of the face, as by a mask."""
    return _covered(grey, box, slice(box.y + box.height // 2, box.y + box.height), slice(box.x, box.x + box.width))


def halved(grey: Grey, box: Box) -> tuple[Grey, Box]:
    """One side of the face, as by a door."""
    return _covered(grey, box, slice(0, grey.shape[0]), slice(0, box.x + box.width // 2))


CHANGES: Mapping[str, Change] = {
    "untouched": lambda grey, box: (grey, box),
    f"small ({SMALL_PX} pixels)": small,
    f"dark (to {DARK:.0%})": dark,
    "light from one side": side_light,
    "blurred (a 24th of the face)": blurred,
    "leaning by 15 degrees": leaning(15),
    "leaning by 30 degrees": leaning(-30),
    "leaning by 45 degrees": leaning(45),
    "mouth covered": masked,
    "one side covered": halved,
}


def degraded(detector: Detector, model: MoodModel, pictures: list[Photograph], name: str) -> Iterator[Row]:
    """Of single faces: how many are found, and how many of all are read right, for each change."""
    reader = Reader(detector, model)
    known = [(grey, box, _read(reader, grey, box)) for grey, box in _with_boxes(detector, pictures)]
    for what, change in CHANGES.items():
        found = right = sure = 0
        for grey, box, first in known:
            again = _read(reader, *change(grey, box))
            found += again is not None
            if first is not None and first[1] >= SURE:
                sure, right = sure + 1, right + (again is not None and again[0] == first[0])
        note = f"read alike {right / max(1, sure):.0%} of {sure}"
        yield Row(f"{name}: found of {len(pictures)}, {what}", 100 * found / max(1, len(pictures)), "%", note=note)


def _with_boxes(detector: Detector, pictures: list[Photograph]) -> Iterator[tuple[Grey, Box]]:
    for one in pictures:
        if boxes := detector.find_faces(one.grey):
            yield one.grey, boxes[0]


def _read(reader: Reader, grey: Grey, box: Box) -> tuple[str, float] | None:
    """Mood and confidence of the face in a box; None when it is not found there."""
    for face in reader.read_picture(grey):
        if same(Box(*face.box), box):
            return str(face.mood), face.confidence
    return None


def _moved(box: Box, matrix: NDArray[np.floating], scale: float) -> Box:
    x, y = matrix @ (*box.centre, 1)
    side = max(1, round(box.width * scale))
    return Box(round(x - side / 2), round(y - side / 2), side, side)


def _covered(grey: Grey, box: Box, rows: slice, columns: slice) -> tuple[Grey, Box]:
    covered = grey.copy()
    covered[max(0, rows.start) : rows.stop, max(0, columns.start) : columns.stop] = 128
    return covered, box

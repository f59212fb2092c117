"""Faces in single photographs."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.emotion.parts import Part, part_of
from benchmarks.emotion.table import Row
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import Detector

BEHIND = frozenset({"images/deepface_img54.jpg", "images/deepface_img62.jpg"})
"""Labelled with one face, but somebody else stands behind and is found: no second box of the same face."""


class Photograph(NamedTuple):
    name: str
    grey: Grey
    faces: int
    """how many people count in it"""
    part: Part


class Counts(NamedTuple):
    singles: int
    empty: int
    found: int
    """single faces that are found"""
    twice: int
    """of them those with a second box"""
    false: int
    """pictures without a face in which one is found"""

    @property
    def found_percent(self) -> float:
        return 100 * self.found / self.singles

    @property
    def twice_percent(self) -> float:
        return 100 * self.twice / self.singles


def photographs(data: Path) -> list[Photograph]:
    """The reference photographs with one face or none."""
    with (data / "frames" / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["faces"] and float(row["faces"]) <= 1]
    return [_photograph(data / "frames" / row["file"], row["file"], round(float(row["faces"]))) for row in rows]


def _photograph(path: Path, name: str, faces: int) -> Photograph:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, name
    return Photograph(name, np.asarray(picture, np.uint8), faces, part_of(name))


def other_view(one: Photograph) -> Photograph:
    """Mirrored and a tenth smaller."""
    flipped = cv2.resize(cv2.flip(one.grey, 1), None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    return one._replace(grey=np.asarray(flipped, np.uint8))


def counts(detector: Detector, pictures: list[Photograph]) -> Counts:
    boxes = [(one.faces, _boxes(detector, one)) for one in pictures]
    singles = [found for faces, found in boxes if faces == 1]
    empty = [found for faces, found in boxes if faces == 0]
    twice = sum(found > 1 for found in singles)
    return Counts(len(singles), len(empty), sum(found > 0 for found in singles), twice, sum(map(bool, empty)))


def _boxes(detector: Detector, one: Photograph) -> int:
    """How many faces are found, without somebody who stands behind."""
    boxes = len(detector.find_faces(one.grey))
    return min(boxes, max(1, boxes - 1)) if one.name in BEHIND else boxes


def found(detector: Detector, pictures: list[Photograph], name: str, *, bound: bool) -> Iterator[Row]:
    """Of the part kept aside, with that of the part for choosing beside it; ``bound`` says whether targets count."""
    chosen, told = (counts(detector, [one for one in pictures if one.part == part]) for part in ("choosing", "report"))
    seen = counts(detector, [other_view(one) for one in pictures if one.part == "report"])
    least, most, none = (98, 2, 1) if bound else (None, None, None)
    yield Row(
        f"{name}: single faces found, {told.singles} photographs kept aside", told.found_percent, "%", least,
        note=f"{chosen.found_percent:.1f} % of {chosen.singles} for choosing; mirrored {seen.found_percent:.1f} %",
    )  # fmt: skip
    yield Row(
        f"{name}: of them with a second box", told.twice_percent, "%", at_most=most,
        note=f"{chosen.twice_percent:.1f} % for choosing",
    )  # fmt: skip
    yield Row(
        f"{name}: faces in the {told.empty} photographs without one", told.false, at_most=none,
        note=f"{chosen.false} in {chosen.empty} for choosing; mirrored {seen.false}",
    )  # fmt: skip

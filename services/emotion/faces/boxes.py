"""Boxes around faces: how they overlap, and which of them belong to the same face. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

SAME_OVERLAP = 0.35
"""Two boxes whose intersection over union is larger belong to one face."""
SAME_INSIDE = 0.7
"""A box of which a larger fraction lies inside another one is a part of that face."""


@dataclass(frozen=True)
class Box:
    """A square around a face, in pixels of the frame; it may reach over the frame's border."""

    x: int
    y: int
    width: int
    height: int
    tilt_deg: int = 0
    """rotation of the picture, anticlockwise, that sets the face upright"""
    turned: bool = False
    """whether the face looks to the side"""

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


def scaled(box: Box, factor: float) -> Box:
    """The same box after the picture was scaled by a factor."""
    x, y, width, height = (round(value * factor) for value in (box.x, box.y, box.width, box.height))
    return replace(box, x=x, y=y, width=width, height=height)


def shared_area(one: Box, other: Box) -> int:
    """Area of the intersection, square pixels."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0, width) * max(0, height)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    common = shared_area(one, other)
    return common / (one.area + other.area - common)


def same(one: Box, other: Box) -> bool:
    """Whether both belong to one face."""
    inside = shared_area(one, other) / min(one.area, other.area)
    return overlap(one, other) > SAME_OVERLAP or inside > SAME_INSIDE


def distinct(boxes: Iterable[Box]) -> list[Box]:
    """One box per face, in order; of several for the same face the first is kept."""
    kept: list[Box] = []
    for box in boxes:
        if not any(same(box, other) for other in kept):
            kept.append(box)
    return kept


def largest_first(boxes: Iterable[Box]) -> list[Box]:
    return sorted(boxes, key=lambda box: (-box.area, box.x, box.y))

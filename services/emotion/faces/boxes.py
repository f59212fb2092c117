"""Boxes around faces: how they overlap, and which of several stand for the same face. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

SAME_OVERLAP = 0.35
"""Boxes that share more of their union are of one face."""
SAME_INSIDE = 0.7
"""A box with more of itself inside a larger one is a part of that face."""


@dataclass(frozen=True)
class Box:
    """A square around a face, in pixels of the frame; it may reach over the frame's border."""

    x: int
    y: int
    width: int
    height: int
    tilt_deg: int = 0
    """the turn of the picture, anticlockwise, that sets the face upright"""
    turned: bool = False
    """whether it looks to the side"""

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


def scaled(box: Box, factor: float) -> Box:
    """The box in a picture that is larger by a factor."""
    x, y, width, height = (round(value * factor) for value in (box.x, box.y, box.width, box.height))
    return replace(box, x=x, y=y, width=width, height=height)


def shared_area(one: Box, other: Box) -> int:
    """Pixels that lie in both boxes."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0, width) * max(0, height)


def overlap(one: Box, other: Box) -> float:
    """Shared area as a part of the union, 0-1."""
    common = shared_area(one, other)
    return common / (one.area + other.area - common)


def same(one: Box, other: Box) -> bool:
    """Whether they stand for one face."""
    inside = shared_area(one, other) / min(one.area, other.area)
    return overlap(one, other) > SAME_OVERLAP or inside > SAME_INSIDE


def distinct(boxes: Iterable[Box]) -> list[Box]:
    """One box per face, earlier ones winning, in their order."""
    kept: list[Box] = []
    for box in boxes:
        if not any(same(box, other) for other in kept):
            kept.append(box)
    return kept


def largest_first(boxes: Iterable[Box]) -> list[Box]:
    return sorted(boxes, key=lambda box: (-box.area, box.x, box.y))

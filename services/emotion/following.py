"""Find once, then follow: where to look in a frame, from what the last frames of that camera showed. Pure.

A worker's memory of a camera makes it faster and nothing else: another worker, or the same one without it, finds the
same faces. Frames of one camera may alternate between workers and come late, so the search grows with the time between.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.emotion.boxes import Box, distinct, largest_first
from services.emotion.decode import Grey

REACH, REACH_PER_S = 0.18, 1.0
"""How far from the last box a face is searched, in its sides."""
SPREAD, SPREAD_PER_S = 1.13, 0.8
"""How much larger or smaller it may have become."""
STALE_S = 1.0
"""Older boxes help no more."""
WHOLE_EVERY_S = 1.5
"""The whole frame is searched again so often, for newcomers."""
THOROUGH_EVERY_S = 1.0
"""While nobody is found, small, leaning and halved faces are looked for so often."""
MOST_FOLLOWED = 6
"""With more faces, one search of the whole frame costs less."""
MOST_CAMERAS = 64

Search = Literal["near", "glance", "whole"]


class Finder(Protocol):
    def find(self, grey: Grey) -> list[Box]: ...
    def glance(self, grey: Grey) -> list[Box]: ...
    def near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None: ...


@dataclass
class _Memory:
    boxes: list[Box]
    shape: tuple[int, ...]
    at: datetime
    glanced: datetime
    searched: datetime


class Follower:
    """The faces of the frames of any cameras."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._memory: dict[str, _Memory] = {}

    def find(self, grey: Grey, camera_id: str, at: datetime) -> tuple[list[Box], Search]:
        """Boxes of the faces, largest first, and how they were found; ``at`` is the moment of capture."""
        memory = self._memory.get(camera_id)
        if memory is None or memory.shape != grey.shape:
            memory = _Memory([], grey.shape, at, at, datetime.min.replace(tzinfo=at.tzinfo))
        boxes = self._near(grey, memory, at)
        search: Search = "near"
        if boxes is None:
            boxes, search = self._glance(grey, memory, at)
        self._keep(camera_id, memory, boxes, at)
        return boxes, search

    def _near(self, grey: Grey, memory: _Memory, at: datetime) -> list[Box] | None:
        """None where the whole frame has to be searched: for newcomers, or because somebody was lost."""
        away_s = abs((at - memory.at).total_seconds())
        due = abs((at - memory.glanced).total_seconds()) >= WHOLE_EVERY_S
        if due or not 0 < len(memory.boxes) <= MOST_FOLLOWED or away_s > STALE_S:
            return None
        reach, spread = REACH + REACH_PER_S * away_s, SPREAD + SPREAD_PER_S * away_s
        found = [self._finder.near(grey, box, reach, spread) for box in memory.boxes]
        boxes = distinct(box for box in found if box is not None)
        return largest_first(boxes) if len(boxes) == len(memory.boxes) else None

    def _glance(self, grey: Grey, memory: _Memory, at: datetime) -> tuple[list[Box], Search]:
        """The whole frame coarsely, with the followed faces that a coarse look passes over."""
        memory.glanced = at
        boxes = self._finder.glance(grey)
        if abs((at - memory.at).total_seconds()) <= STALE_S:
            kept = (self._finder.near(grey, box, REACH, SPREAD) for box in memory.boxes[:MOST_FOLLOWED])
            boxes = distinct([*boxes, *(box for box in kept if box is not None)])
        if not boxes and abs((at - memory.searched).total_seconds()) >= THOROUGH_EVERY_S:
            memory.searched = at
            return self._finder.find(grey), "whole"
        return largest_first(boxes), "glance"

    def _keep(self, camera_id: str, memory: _Memory, boxes: list[Box], at: datetime) -> None:
        if at >= memory.at or abs((at - memory.at).total_seconds()) > STALE_S:
            memory.boxes, memory.at = boxes, at
        self._memory.pop(camera_id, None)
        self._memory[camera_id] = memory
        if len(self._memory) > MOST_CAMERAS:
            self._memory.pop(next(iter(self._memory)))

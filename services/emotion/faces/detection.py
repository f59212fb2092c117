"""Find once, then follow: where to look in a frame, from what the last frames of that camera showed.

A worker's memory of a camera makes it faster and nothing else: another worker, or the same one without it, finds the
same faces. Frames of one camera may alternate between workers and come late, so the search grows with the time between,
and what one of them found in a whole frame is told to the others (``hear``).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from services.emotion.faces.appearance import Look
from services.emotion.faces.boxes import Box, distinct, largest_first, same
from services.emotion.faces.decode import Grey

REACH, REACH_PER_S = 0.18, 1.0
"""How far from the last box a face is searched, in its sides."""
SPREAD, SPREAD_PER_S = 1.13, 0.8
"""How much larger or smaller it may have become."""
STALE_S = 1.0
"""Older boxes help no more."""
SEARCH_EVERY_S = 0.2
"""Between two searches around the last box, a face that looks the same is taken to be the same."""
WHOLE_EVERY_S = 2.0
"""The whole frame is searched again so often, for newcomers."""
OTHERS_FIRST_S = 0.5
"""So much later where another worker did it the last time, so that one of them does it for all."""
THOROUGH_EVERY_S = 1.0
"""While nobody is found, small, leaning and halved faces are looked for so often."""
MAX_FOLLOWED = 6
"""With more faces, one search of the whole frame costs less."""
MAX_CAMERAS = 64

Search = Literal["near", "glance", "whole"]


class Finder(Protocol):
    def find(self, grey: Grey) -> list[Box]: ...
    def glance(self, grey: Grey) -> list[Box]: ...
    def near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None: ...


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Memory:
    """What is known of a camera's faces; the times are of the frames."""

    shape: tuple[int, ...]
    boxes: list[Box] = field(default_factory=list)
    at: datetime = NEVER
    looks: list[Look] = field(default_factory=list)
    found: datetime = NEVER
    """when the finder saw the faces; the looks are of then"""
    glanced: datetime = NEVER
    glance_after_s: float = WHOLE_EVERY_S
    searched: datetime = NEVER


class Follower:
    """The faces of the frames of any cameras."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._memory: dict[str, _Memory] = {}
        self._heard: deque[tuple[str, list[Box], datetime]] = deque(maxlen=MAX_CAMERAS)

    def hear(self, camera_id: str, boxes: list[Box], at: datetime) -> None:
        """What a search of a whole frame gave, here or in another worker; may be called from another thread."""
        self._heard.append((camera_id, boxes, at))

    def find(self, grey: Grey, camera_id: str, at: datetime) -> tuple[list[Box], Search]:
        """Boxes of the faces, largest first, and how they were found; ``at`` is the moment of capture."""
        while self._heard:
            self._learn(*self._heard.popleft())
        memory = self._recall(grey, camera_id)
        followed = 0 < len(memory.boxes) <= MAX_FOLLOWED and _apart_s(at, memory.glanced) < memory.glance_after_s
        search: Search = "near"
        boxes = self._alike(grey, memory, at) if followed else None
        if boxes is not None:
            self._keep(memory, boxes, at)
            return boxes, search
        boxes = self._near(grey, memory, at) if followed else None
        if boxes is None:
            boxes, search = self._glance(grey, memory, at)
        if self._keep(memory, boxes, at):
            memory.looks, memory.found = [Look(grey, box) for box in boxes[:MAX_FOLLOWED]], at
        return boxes, search

    def _learn(self, camera_id: str, boxes: list[Box], at: datetime) -> None:
        """One search of the whole frame serves all workers; who is new in it is searched for in the next frame."""
        memory = self._memory.get(camera_id)
        if memory is None or at <= memory.glanced:
            return
        memory.glanced, memory.glance_after_s = at, WHOLE_EVERY_S + OTHERS_FIRST_S
        new = [box for box in boxes if not any(same(box, other) for other in memory.boxes)]
        if new and memory.boxes and _apart_s(at, memory.at) <= STALE_S:
            memory.boxes, memory.found = [*memory.boxes, *new], NEVER

    def _recall(self, grey: Grey, camera_id: str) -> _Memory:
        memory = self._memory.pop(camera_id, None)
        if memory is None or memory.shape != grey.shape:
            memory = _Memory(grey.shape)
        self._memory[camera_id] = memory
        if len(self._memory) > MAX_CAMERAS:
            self._memory.pop(next(iter(self._memory)))
        return memory

    def _alike(self, grey: Grey, memory: _Memory, at: datetime) -> list[Box] | None:
        """None where a face has to be searched: some time has passed, or it does not look as it did."""
        if _apart_s(at, memory.found) >= SEARCH_EVERY_S:
            return None
        return _all_of([look.again(grey) for look in memory.looks], grey)

    def _near(self, grey: Grey, memory: _Memory, at: datetime) -> list[Box] | None:
        """None where the whole frame has to be searched, because somebody was lost."""
        away_s = _apart_s(at, memory.at)
        if away_s > STALE_S:
            return None
        reach, spread = REACH + REACH_PER_S * away_s, SPREAD + SPREAD_PER_S * away_s
        return _all_of([self._finder.near(grey, box, reach, spread) for box in memory.boxes], grey)

    def _glance(self, grey: Grey, memory: _Memory, at: datetime) -> tuple[list[Box], Search]:
        """The whole frame coarsely, with the followed faces that a coarse look passes over."""
        memory.glanced, memory.glance_after_s = at, WHOLE_EVERY_S
        boxes = self._finder.glance(grey)
        if _apart_s(at, memory.at) <= STALE_S:
            missed = [box for box in memory.boxes[:MAX_FOLLOWED] if not any(same(box, other) for other in boxes)]
            kept = (self._finder.near(grey, box, REACH, SPREAD) for box in missed)
            boxes = distinct([*boxes, *(box for box in kept if box is not None and _in_frame(box, grey))])
        if not boxes and _apart_s(at, memory.searched) >= THOROUGH_EVERY_S:
            memory.searched = at
            return self._finder.find(grey), "whole"
        return largest_first(boxes), "glance"

    def _keep(self, memory: _Memory, boxes: list[Box], at: datetime) -> bool:
        """Remember the boxes, unless the frame is one that comes late."""
        newest = at >= memory.at or _apart_s(at, memory.at) > STALE_S
        if newest:
            memory.boxes, memory.at = boxes, at
        return newest


def _all_of(found: Sequence[Box | None], grey: Grey) -> list[Box] | None:
    """The boxes where every face was found again and none twice, else None."""
    boxes = distinct(box for box in found if box is not None and _in_frame(box, grey))
    return largest_first(boxes) if len(boxes) == len(found) else None


def _in_frame(box: Box, grey: Grey) -> bool:
    """Whether the middle of a face is; beyond the border there are mirrored faces, which can be followed for ever."""
    x, y = box.centre
    return bool(0 <= x < grey.shape[1] and 0 <= y < grey.shape[0])


def _apart_s(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds())

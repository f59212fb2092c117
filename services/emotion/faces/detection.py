"""Detect once, then follow: where to look for faces in a frame, given what the camera's last frames showed.

A worker's memory of a camera only makes it faster: without it, the same faces are found. Frames of one camera may
alternate between workers and arrive late, so the searched area grows with the time since the last frame, and what one
worker found in a whole frame is made known to the others (``note_search``).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from services.emotion.faces.appearance import Appearance
from services.emotion.faces.boxes import Box, distinct, largest_first, same
from services.emotion.faces.decode import Grey
from shared.bounded import Bounded

REACH, REACH_PER_S = 0.18, 1.0
"""How far from its last box a face is searched, in its sides; and more for each second."""
SPREAD, SPREAD_PER_S = 1.13, 0.8
"""The factor by which its size may have changed; and more for each second."""
STALE_S = 1.0
"""Boxes older than this are not used."""
SEARCH_EVERY_S = 0.2
"""A face is searched this often; in between it is recognised by its appearance."""
WHOLE_EVERY_S = 2.0
"""The whole frame is searched this often, for newcomers."""
OTHERS_FIRST_S = 0.5
"""Added to that when another worker did it the last time, so that one of them does it for all."""
THOROUGH_EVERY_S = 1.0
"""While nobody is found, small, leaning and halved faces are searched this often."""
MAX_FOLLOWED = 6
"""With more faces, searching the whole frame once costs less than following each."""
MAX_CAMERAS = 64

Search = Literal["near", "glance", "whole"]
"""How faces were found: near their last boxes, in a fast search of the whole frame, or in a thorough one."""


class Detector(Protocol):
    """Finds faces in a picture uint8[H, W]."""

    def find_faces(self, grey: Grey) -> list[Box]:
        """All faces, largest first."""
        ...

    def find_faces_fast(self, grey: Grey) -> list[Box]:
        """The faces that a faster search finds, largest first."""
        ...

    def find_face_near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        """The face that was in a box: moved by up to ``reach`` sides, its size changed by up to ``spread``."""
        ...


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class _CameraMemory:
    """What is known of a camera's faces. All times are capture times of frames."""

    shape: tuple[int, ...]
    boxes: list[Box] = field(default_factory=list)
    at: datetime = NEVER
    appearances: list[Appearance] = field(default_factory=list)
    detected: datetime = NEVER
    """when the detector last found the faces; the appearances are from then"""
    whole: datetime = NEVER
    """when a whole frame was last searched"""
    whole_after_s: float = WHOLE_EVERY_S
    thorough: datetime = NEVER
    """when a whole frame was last searched thoroughly"""


class FaceDetection:
    """The faces in the frames of any number of cameras."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._memory: Bounded[str, _CameraMemory] = Bounded(MAX_CAMERAS)
        self._searches: deque[tuple[str, list[Box], datetime]] = deque(maxlen=MAX_CAMERAS)

    def note_search(self, camera_id: str, boxes: list[Box], at: datetime) -> None:
        """Learn what a search of a whole frame found, here or in another worker. Thread-safe."""
        self._searches.append((camera_id, boxes, at))

    def find_faces(self, grey: Grey, camera_id: str, at: datetime) -> tuple[list[Box], Search]:
        """Boxes of the faces, largest first, and how they were found; ``at`` is the frame's capture time."""
        while self._searches:
            self._apply_search(*self._searches.popleft())
        memory = self._memory_of(camera_id, grey)
        following = 0 < len(memory.boxes) <= MAX_FOLLOWED and _apart_s(at, memory.whole) < memory.whole_after_s
        search: Search = "near"
        boxes = self._recognise(grey, memory, at) if following else None
        if boxes is not None:
            self._remember(memory, boxes, at)
            return boxes, search
        boxes = self._search_near(grey, memory, at) if following else None
        if boxes is None:
            boxes, search = self._search_whole(grey, memory, at)
        if self._remember(memory, boxes, at):
            memory.appearances, memory.detected = [Appearance(grey, box) for box in boxes[:MAX_FOLLOWED]], at
        return boxes, search

    def _apply_search(self, camera_id: str, boxes: list[Box], at: datetime) -> None:
        """Postpone our own search of the whole frame; newcomers are searched near their boxes in the next frame."""
        memory = self._memory.get(camera_id)
        if memory is None or at <= memory.whole:
            return
        memory.whole, memory.whole_after_s = at, WHOLE_EVERY_S + OTHERS_FIRST_S
        new = [box for box in boxes if not any(same(box, other) for other in memory.boxes)]
        if new and memory.boxes and _apart_s(at, memory.at) <= STALE_S:
            memory.boxes, memory.detected = [*memory.boxes, *new], NEVER

    def _memory_of(self, camera_id: str, grey: Grey) -> _CameraMemory:
        memory = self._memory.get(camera_id)
        if memory is None or memory.shape != grey.shape:
            memory = _CameraMemory(grey.shape)
        self._memory[camera_id] = memory  # also to mark it as used most recently
        return memory

    def _recognise(self, grey: Grey, memory: _CameraMemory, at: datetime) -> list[Box] | None:
        """The faces by their appearance; None when they must be searched: it is time, or one looks different."""
        if _apart_s(at, memory.detected) >= SEARCH_EVERY_S:
            return None
        return _all_of([appearance.find_again(grey) for appearance in memory.appearances], grey)

    def _search_near(self, grey: Grey, memory: _CameraMemory, at: datetime) -> list[Box] | None:
        """The faces near their last boxes; None when one is not there, so that the whole frame must be searched."""
        away_s = _apart_s(at, memory.at)
        if away_s > STALE_S:
            return None
        reach, spread = REACH + REACH_PER_S * away_s, SPREAD + SPREAD_PER_S * away_s
        return _all_of([self._detector.find_face_near(grey, box, reach, spread) for box in memory.boxes], grey)

    def _search_whole(self, grey: Grey, memory: _CameraMemory, at: datetime) -> tuple[list[Box], Search]:
        """The faces of the whole frame by a fast search, with the followed ones that it misses."""
        memory.whole, memory.whole_after_s = at, WHOLE_EVERY_S
        boxes = self._detector.find_faces_fast(grey)
        if _apart_s(at, memory.at) <= STALE_S:
            missed = [box for box in memory.boxes[:MAX_FOLLOWED] if not any(same(box, other) for other in boxes)]
            kept = (self._detector.find_face_near(grey, box, REACH, SPREAD) for box in missed)
            boxes = distinct([*boxes, *(box for box in kept if box is not None and _in_frame(box, grey))])
        if not boxes and _apart_s(at, memory.thorough) >= THOROUGH_EVERY_S:
            memory.thorough = at
            return self._detector.find_faces(grey), "whole"
        return largest_first(boxes), "glance"

    def _remember(self, memory: _CameraMemory, boxes: list[Box], at: datetime) -> bool:
        """Keep the boxes, unless a newer frame came first. Returns whether they were kept."""
        newest = at >= memory.at or _apart_s(at, memory.at) > STALE_S
        if newest:
            memory.boxes, memory.at = boxes, at
        return newest


def _all_of(found: Sequence[Box | None], grey: Grey) -> list[Box] | None:
    """The boxes if every face was found and none twice, else None."""
    boxes = distinct(box for box in found if box is not None and _in_frame(box, grey))
    return largest_first(boxes) if len(boxes) == len(found) else None


def _in_frame(box: Box, grey: Grey) -> bool:
    """Whether the box's centre is; beyond the border frames are mirrored, and a mirrored face could be followed."""
    x, y = box.centre
    return bool(0 <= x < grey.shape[1] and 0 <= y < grey.shape[0])


def _apart_s(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds())

"""Several faces over time: which face of a frame is which of the last one, who came, who left. Pure.

Faces are matched by place and size alone; nothing is kept by which somebody could be known again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

from moodstream.contracts.events import FaceRead
from services.emotion.visits.smoothing import Steadiness, SteadyMood

FARTHEST = 0.7
"""A face moves less than this between two frames, in its sides; more after it was missed."""
FARTHEST_PER_S = 1.0
MAX_GROWTH = 1.8
"""Nor does it become larger or smaller by more than this factor."""

Square = tuple[int, int, int, int]


@dataclass
class Track:
    """One face for as long as it can be followed. Times are seconds of the tracker's clock."""

    number: int
    box: Square
    face: SteadyMood
    first_s: float
    seen_s: float
    read_s: float | None = None
    entered: bool = False
    """whether it has stayed long enough to count as somebody"""

    @property
    def area(self) -> int:
        return self.box[2] * self.box[3]


class Tracks:
    """The faces before one camera."""

    def __init__(self, steadiness: Steadiness, arrival_s: float, lost_s: float, unread_s: float) -> None:
        self._steadiness = steadiness
        self._arrive_s, self._lost_s, self._unread_s = arrival_s, lost_s, unread_s
        self._tracks: list[Track] = []
        self._count = 0

    def observe(self, faces: Sequence[FaceRead], at_s: float) -> tuple[int, int]:
        """Take in the faces of one frame; returns how many people have entered and left by it."""
        free = list(range(len(faces)))
        for track, index in self._matches(faces, at_s):
            free.remove(index)
            self._see(track, faces[index], at_s)
        for index in free:
            self._count += 1
            track = Track(self._count, faces[index].box, SteadyMood(self._steadiness), at_s, at_s)
            self._tracks.append(track)
            self._see(track, faces[index], at_s)
        return self._enter(), self._leave(at_s)

    def people(self) -> list[Track]:
        """Those who have stayed, the one seen longest first."""
        return [track for track in self._tracks if track.entered]

    def readable(self, at_s: float) -> list[Track]:
        """Faces read within the time after which an unread one counts for nothing."""
        return [track for track in self._tracks if self._is_readable(track, at_s)]

    def _is_readable(self, track: Track, at_s: float) -> bool:
        return track.read_s is not None and at_s - track.read_s < self._unread_s

    def _see(self, track: Track, face: FaceRead, at_s: float) -> None:
        track.box, track.seen_s = face.box, at_s
        if face.refused is None:
            track.read_s = at_s
            track.face.read(face.probabilities.in_order(), at_s)
        elif not self._is_readable(track, at_s):
            track.face.unread(at_s)

    def _enter(self) -> int:
        new = [one for one in self._tracks if not one.entered and one.seen_s - one.first_s >= self._arrive_s]
        for track in new:
            track.entered = True
        return len(new)

    def _leave(self, at_s: float) -> int:
        gone = [track for track in self._tracks if at_s - track.seen_s >= self._lost_s]
        self._tracks = [track for track in self._tracks if at_s - track.seen_s < self._lost_s]
        return sum(track.entered for track in gone)

    def _matches(self, faces: Sequence[FaceRead], at_s: float) -> Iterator[tuple[Track, int]]:
        """Pairs of a track and the index of its face, the nearest first."""
        pairs = sorted(
            (_distance(track.box, face.box), track.number, index, track)
            for track in self._tracks
            for index, face in enumerate(faces)
            if _may_be(track, face.box, at_s)
        )
        taken_tracks: set[int] = set()
        taken_faces: set[int] = set()
        for _, number, index, track in pairs:
            if number not in taken_tracks and index not in taken_faces:
                taken_tracks.add(number)
                taken_faces.add(index)
                yield track, index


def _may_be(track: Track, box: Square, at_s: float) -> bool:
    farthest = FARTHEST + FARTHEST_PER_S * (at_s - track.seen_s)
    growth = max(box[2], 1) / max(track.box[2], 1)
    return _distance(track.box, box) < farthest and 1 / MAX_GROWTH < growth < MAX_GROWTH


def _distance(one: Square, other: Square) -> float:
    """Between the centres, in sides of the larger box, and what the sizes differ by."""
    dx = (one[0] + one[2] / 2) - (other[0] + other[2] / 2)
    dy = (one[1] + one[3] / 2) - (other[1] + other[3] / 2)
    return (hypot(dx, dy) + abs(one[2] - other[2]) / 2) / max(one[2], other[2], 1)

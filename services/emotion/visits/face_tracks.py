"""Several faces over time: which face of a frame is which of the last one, who came, who left. Pure.

Faces are matched by position and size alone; nothing is kept that could identify a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

from moodstream.contracts.events import FaceRead
from services.emotion.visits.smoothing import Steadiness, SteadyMood
from services.emotion.visits.stillness import Stillness, StillPlaces

MAX_DISTANCE = 0.7
"""How far a face may move between two frames, in multiples of its side."""
MAX_DISTANCE_PER_S = 1.0
"""How much farther for each second since it was last seen."""
MAX_GROWTH = 1.8
"""The factor by which it may become larger or smaller."""


Square = tuple[int, int, int, int]
"""x, y, width, height in pixels"""


class Seen(NamedTuple):
    """What one frame has changed: how many people have entered and left, and how many faces in it are alive."""

    entered: int
    left: int
    alive: int


@dataclass
class Track:
    """One face for as long as it can be followed. Times are seconds of the camera's clock."""

    number: int
    box: Square
    face: SteadyMood
    first_s: float
    seen_s: float
    stillness: Stillness
    read_s: float | None = None
    entered: bool = False
    """whether it has stayed long enough to count as a person"""

    @property
    def still(self) -> bool:
        """Whether it is taken for a picture."""
        return self.stillness.still

    @property
    def area(self) -> int:
        return self.box[2] * self.box[3]


class FaceTracks:
    """The faces in front of one camera."""

    def __init__(
        self, steadiness: Steadiness, arrival_s: float, lost_s: float, unread_s: float, places: StillPlaces
    ) -> None:
        self._steadiness, self._places = steadiness, places
        self._arrival_s, self._lost_s, self._unread_s = arrival_s, lost_s, unread_s
        self._tracks: list[Track] = []
        self._count = 0

    def observe(self, faces: Sequence[FaceRead], at_s: float) -> Seen:
        """Match the faces of one frame to the tracks."""
        free = list(range(len(faces)))
        for track, index in self._matches(faces, at_s):
            free.remove(index)
            self._update(track, faces[index], at_s)
        for index in free:
            self._count += 1
            box = faces[index].box
            stillness = self._places.first_seen(box, at_s)
            track = Track(self._count, box, SteadyMood(self._steadiness), at_s, at_s, stillness)
            self._tracks.append(track)
            self._update(track, faces[index], at_s)
        stopped = self._drop_still()
        alive = sum(track.seen_s == at_s and not track.still for track in self._tracks)
        return Seen(self._mark_entered(), stopped + self._drop_lost(at_s), alive)

    def forget_people(self) -> None:
        """Nobody is there any more. Pictures on a wall stay: they are followed on, since one may turn out to live."""
        self._tracks = [track for track in self._tracks if track.still]
        self._count = len(self._tracks)
        for number, track in enumerate(self._tracks, 1):
            track.number = number

    def people(self) -> list[Track]:
        """Tracks of those who have entered, in the order in which they came."""
        return [track for track in self._tracks if track.entered]

    def readable(self, at_s: float) -> list[Track]:
        """Tracks of living faces that were read within the last ``unread_s`` seconds."""
        return [track for track in self._tracks if self._is_readable(track, at_s) and not track.still]

    def _is_readable(self, track: Track, at_s: float) -> bool:
        return track.read_s is not None and at_s - track.read_s < self._unread_s

    def _update(self, track: Track, face: FaceRead, at_s: float) -> None:
        track.box, track.seen_s = face.box, at_s
        if self._places.see(track.stillness, face.box, at_s):
            track.first_s = at_s  # it comes anew
        if face.refused is None:
            track.read_s = at_s
            track.face.add_reading(face.probabilities.in_order(), at_s)
        elif not self._is_readable(track, at_s):
            track.face.add_unread(at_s)

    def _drop_still(self) -> int:
        """How many people turn out to be pictures."""
        stopped = [track for track in self._tracks if track.still and track.entered]
        for track in stopped:
            track.entered = False
        return len(stopped)

    def _mark_entered(self) -> int:
        waiting = [one for one in self._tracks if not one.entered and not one.still]
        new = [one for one in waiting if one.seen_s - one.first_s >= self._arrival_s]
        for track in new:
            track.entered = True
        return len(new)

    def _drop_lost(self, at_s: float) -> int:
        gone = [track for track in self._tracks if at_s - track.seen_s >= self._lost_s]
        self._tracks = [track for track in self._tracks if at_s - track.seen_s < self._lost_s]
        return sum(track.entered for track in gone)

    def _matches(self, faces: Sequence[FaceRead], at_s: float) -> Iterator[tuple[Track, int]]:
        """Pairs of a track and the index of its face, the nearest first."""
        pairs = sorted(
            (_distance(track.box, face.box), track.number, index, track)
            for track in self._tracks
            for index, face in enumerate(faces)
            if _is_near(track, face.box, at_s)
        )
        taken_tracks: set[int] = set()
        taken_faces: set[int] = set()
        for _, number, index, track in pairs:
            if number not in taken_tracks and index not in taken_faces:
                taken_tracks.add(number)
                taken_faces.add(index)
                yield track, index


def _is_near(track: Track, box: Square, at_s: float) -> bool:
    max_distance = MAX_DISTANCE + MAX_DISTANCE_PER_S * (at_s - track.seen_s)
    growth = max(box[2], 1) / max(track.box[2], 1)
    return _distance(track.box, box) < max_distance and 1 / MAX_GROWTH < growth < MAX_GROWTH


def _distance(one: Square, other: Square) -> float:
    """The distance of the centres plus half the difference of the sizes, in sides of the larger box."""
    dx = (one[0] + one[2] / 2) - (other[0] + other[2] / 2)
    dy = (one[1] + one[3] / 2) - (other[1] + other[3] / 2)
    return (hypot(dx, dy) + abs(one[2] - other[2]) / 2) / max(one[2], other[2], 1)

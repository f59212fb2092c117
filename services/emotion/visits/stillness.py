"""Faces that never move: posters, photographs on a wall, statues. Pure.

One frame does not show that a face is printed. Nobody alive holds the head within a tenth of its own width for minutes,
and a print does: that is looked at, and nothing else. A face on a screen moves, and counts as alive.
"""

from dataclasses import dataclass
from math import exp, hypot
from typing import NamedTuple

MOVES, GROWS = 0.1, 0.2
"""A face has moved when its centre is this far from where it was, in sides of the face, or its side has changed by this
share. In single frames detectors place the box of a still face up to 0.12 beside it and make it up to 1.24 times as
large; over a second, 0.04 and 1.08."""
SMOOTHING_S = 1.0
NEAR, AS_LARGE = 0.2, 1.4
"""Where a face that is seen for the first time is taken for a still one that was here before: of single frames."""
REMEMBERED_S = 3_600.0
"""How long the place of a still face is known after it was last seen: somebody may stand before it for a while."""
MAX_PLACES = 20


class Spot(NamedTuple):
    """Centre and side of a face in pixels."""

    x: float
    y: float
    side: float

    @classmethod
    def of(cls, box: tuple[int, int, int, int]) -> "Spot":
        """Of x, y, width, height."""
        return cls(box[0] + box[2] / 2, box[1] + box[3] / 2, max(box[2], 1))

    def towards(self, other: "Spot", seconds: float) -> "Spot":
        """Smoothed: this one after another has been seen for some seconds."""
        share = 1 - exp(-seconds / SMOOTHING_S)
        return Spot(*(one + share * (new - one) for one, new in zip(self, other, strict=True)))

    def has_left(self, place: "Spot") -> bool:
        """Whether a smoothed spot is no longer at a place."""
        return self._distance(place) > MOVES or abs(self.side / place.side - 1) > GROWS

    def is_near(self, place: "Spot") -> bool:
        """Whether the spot of a single frame may be that of a face at a place."""
        return self._distance(place) < NEAR and 1 / AS_LARGE < self.side / place.side < AS_LARGE

    def _distance(self, place: "Spot") -> float:
        return hypot(self.x - place.x, self.y - place.y) / place.side


@dataclass
class Stillness:
    """Whether one face is still. Times are seconds of the camera's clock."""

    spot: Spot
    """smoothed"""
    seen_s: float
    place: Spot
    """where it was when it last moved, at ``moved_s``"""
    moved_s: float
    still: bool = False
    """whether it has not moved for so long that it is taken for a picture"""

    def see(self, box: tuple[int, int, int, int], at_s: float) -> bool:
        """The face is here in this frame. Returns whether it has moved."""
        self.spot, self.seen_s = self.spot.towards(Spot.of(box), at_s - self.seen_s), at_s
        moved = self.spot.has_left(self.place)
        if moved:
            self.place, self.moved_s = self.spot, at_s
        return moved


class StillPlaces:
    """The places of a camera's picture at which a face has not moved for ``after_s`` seconds; 0 looks for none."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._places: dict[Spot, float] = {}
        """with the time when a still face was last seen there"""

    @property
    def count(self) -> int:
        return len(self._places)

    def first_seen(self, box: tuple[int, int, int, int], at_s: float) -> Stillness:
        """Of a new face: it is still at once at a place where one was still before."""
        spot = Spot.of(box)
        for place, seen_s in self._places.items():
            if spot.is_near(place) and at_s - seen_s < REMEMBERED_S:
                return Stillness(place, at_s, place, at_s, still=True)
        return Stillness(spot, at_s, spot, at_s)

    def see(self, face: Stillness, box: tuple[int, int, int, int], at_s: float) -> bool:
        """A known face is here in this frame. Returns whether it was taken for a picture and has moved."""
        place = face.place
        moved = face.see(box, at_s)
        if moved and face.still:
            self._places.pop(place, None)
            face.still = False
            return True
        if self._after_s and at_s - face.moved_s >= self._after_s:
            face.still = True
        if face.still:
            self._places.pop(place, None)
            self._places[place] = at_s  # the newest, last
            while len(self._places) > MAX_PLACES:
                del self._places[next(iter(self._places))]
        return False

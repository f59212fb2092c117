"""What a camera's last faces were read as: a face that looks the same a moment later need not be read again.

The model takes as long as all the rest together. Which crops count as the same was chosen on one reference video; on
another, three pairs that correlate between 0.98 and 0.99 were read differently, so the bound lies above them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Faces = NDArray[np.uint8]
Shares = NDArray[np.float32]

SAME = 0.99
"""Minimum correlation of the grey levels of two crops that are read alike."""
REREAD_S = 0.095
"""After this time a face is read again however it looks: at ten frames a second and fewer, in every frame."""


class Reading(NamedTuple):
    """What a face looks like, and what follows from that alone."""

    face: Faces
    """uint8[48, 48]"""
    shares: Shares
    """float32[4]"""
    fault: str | None
    """why it is not worth reading"""


class RecentReadings:
    """The last readings at one camera."""

    def __init__(self, read: Callable[[Faces], list[Reading]]) -> None:
        """``read`` reads faces uint8[N, 48, 48]."""
        self._read = read
        self._readings: list[tuple[Reading, datetime]] = []
        """with the time when each was read, not when it was last used: what changes slowly is read anew"""

    def read(self, faces: Faces, at: datetime) -> list[Reading]:
        """The readings of the faces uint8[N, 48, 48] of a frame that was captured at this time."""
        known = [self._known(face, at) for face in faces]
        unknown = [index for index, one in enumerate(known) if one is None]
        fresh = iter(self._read(faces[unknown]) if unknown else ())
        self._readings = [(next(fresh), at) if one is None else one for one in known]
        return [reading for reading, _ in self._readings]

    def _known(self, face: Faces, at: datetime) -> tuple[Reading, datetime] | None:
        fitting = (one for one in self._readings if abs((at - one[1]).total_seconds()) < REREAD_S)
        return next((one for one in fitting if _alike(face, one[0].face)), None)


def _alike(one: Faces, other: Faces) -> bool:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0]) >= SAME

"""What a camera's last faces were read as: a face that looks the same a moment later need not be read again.

The model takes as long as all the rest together. Which crops count as the same was chosen on one reference video and
confirmed on another: there, the probabilities of two such crops differ no more than those of the same face found twice.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Faces = NDArray[np.uint8]
Shares = NDArray[np.float32]
Read = Callable[[Faces], Shares]
"""faces uint8[N, 48, 48] to probabilities float32[N, 4]"""

SAME = 0.985
"""Minimum correlation of the grey levels of two crops that are read alike."""
REREAD_S = 0.095
"""After this time a face is read again however it looks: at ten frames a second and fewer, in every frame."""


class _Reading(NamedTuple):
    face: Faces
    shares: Shares
    at: datetime
    """when it was read, not when it was last used: what changes slowly is read anew"""


class RecentReadings:
    """The last readings at one camera."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._readings: list[_Reading] = []

    def probabilities(self, faces: Faces, at: datetime) -> Shares:
        """Probabilities float32[N, 4] of the faces uint8[N, 48, 48] of a frame that was captured at this time."""
        known = [self._known(face, at) for face in faces]
        unknown = [index for index, reading in enumerate(known) if reading is None]
        fresh = iter(self._read(faces[unknown]) if unknown else ())
        readings = [
            _Reading(face, next(fresh), at) if one is None else one for face, one in zip(faces, known, strict=True)
        ]
        self._readings = readings
        return np.stack([reading.shares for reading in readings])

    def _known(self, face: Faces, at: datetime) -> _Reading | None:
        fitting = (one for one in self._readings if abs((at - one.at).total_seconds()) < REREAD_S)
        return next((one for one in fitting if _alike(face, one.face)), None)


def _alike(one: Faces, other: Faces) -> bool:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0]) >= SAME

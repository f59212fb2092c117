"""From one picture to its faces and their moods: detect, crop, check the quality, classify."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.events import FaceRead, FacesRead, Probabilities
from moodstream.contracts.moods import MOODS
from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import MAX_CAMERAS, Detector, FaceDetection, Search
from services.emotion.faces.patches import CROP, crop
from services.emotion.faces.quality import MIN_SIDE_PX, refusal
from services.emotion.faces.recent import Read, RecentReadings
from shared.bounded import Bounded


class MoodModel(Protocol):
    name: str
    """name and version"""

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]: ...


class Reader:
    """Reads pictures. What it remembers of a camera makes the next frame faster; it does not change what is read."""

    BARE_CROP_SIDE = 2 * CROP
    """A square picture up to this side in which no face is detected may be a face itself, unless it is too small."""

    def __init__(self, detector: Detector, model: MoodModel) -> None:
        self._detector = detector
        self._model = model
        self._detection = FaceDetection(detector)
        self._recent: Bounded[str, RecentReadings] = Bounded(MAX_CAMERAS)

    @property
    def model_name(self) -> str:
        """Name and version of the mood model."""
        return self._model.name

    def read_picture(self, grey: Grey, *, bare_crop: bool = False) -> list[FaceRead]:
        """The faces of a single picture uint8[H, W], largest first.

        With ``bare_crop`` a small square picture in which no face is detected is read as one face, as the cut-out
        faces of data sets are.
        """
        boxes = self._detector.find_faces(grey)
        height, width = grey.shape
        if not boxes and bare_crop and MIN_SIDE_PX <= height == width <= self.BARE_CROP_SIDE:
            boxes = [Box(0, 0, width, height)]
        return self._faces(grey, boxes)

    def read_frame(self, grey: Grey, camera_id: str, at: datetime) -> tuple[list[FaceRead], Search]:
        """The faces of a camera's frame, largest first, and how they were found; ``at`` is when it was captured."""
        boxes, search = self._detection.find_faces(grey, camera_id, at)
        self._recent[camera_id] = recent = self._recent.get(camera_id) or RecentReadings(self._model.probabilities)
        return self._faces(grey, boxes, lambda faces: recent.probabilities(faces, at)), search

    def note_reading(self, reading: FacesRead) -> None:
        """Learn from another worker's reading: a frame that it searched as a whole saves this worker a search."""
        if reading.search in ("glance", "whole"):
            boxes = [Box(*face.box, tilt_deg=face.tilt_deg) for face in reading.faces]
            self._detection.note_search(reading.camera_id, boxes, reading.captured_at)

    def _faces(self, grey: Grey, boxes: Sequence[Box], read: Read | None = None) -> list[FaceRead]:
        if not boxes:
            return []
        faces = np.stack([crop(grey, box) for box in boxes])
        readings = (read or self._model.probabilities)(faces)
        return [
            _face(box, refusal(box, face, grey.shape), reading)
            for box, face, reading in zip(boxes, faces, readings, strict=True)
        ]


def _face(box: Box, refused: str | None, reading: NDArray[np.float32]) -> FaceRead:
    shares = np.clip(reading.astype(float), 0, 1)
    best = int(np.argmax(shares))
    return FaceRead(
        box=(box.x, box.y, box.width, box.height),
        mood=MOODS[best],
        confidence=float(shares[best]),
        probabilities=Probabilities(**{str(mood): float(p) for mood, p in zip(MOODS, shares, strict=True)}),
        refused=refused,
        tilt_deg=box.tilt_deg,
    )

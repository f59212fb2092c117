"""One picture to the faces read in it: find, crop, gate, classify."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.events import FaceRead, FacesRead, Probabilities
from moodstream.contracts.moods import MOODS
from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import Finder, Follower, Search
from services.emotion.faces.patches import CROP, crop
from services.emotion.faces.quality import refusal


class Network(Protocol):
    name: str

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]: ...


class Reader:
    """Reads pictures. What it remembers of a camera makes the next frame faster, and nothing else."""

    BARE_CROP_SIDE = 2 * CROP
    """A square picture up to this side without a found face is taken as a face itself."""

    def __init__(self, finder: Finder, network: Network) -> None:
        self._finder = finder
        self._network = network
        self._follower = Follower(finder)

    @property
    def model(self) -> str:
        """Name and version of the network."""
        return self._network.name

    def read(self, grey: Grey, *, bare_crop: bool = False) -> list[FaceRead]:
        """The faces of a picture uint8[H, W] on its own, largest first.

        With ``bare_crop`` a small square picture in which no face is found is read as one face, which is what
        cut-out faces of data sets are.
        """
        boxes = self._finder.find(grey)
        if not boxes and bare_crop and grey.shape[0] == grey.shape[1] <= self.BARE_CROP_SIDE:
            boxes = [Box(0, 0, grey.shape[1], grey.shape[0])]
        return self._faces(grey, boxes)

    def follow(self, grey: Grey, camera_id: str, at: datetime) -> tuple[list[FaceRead], Search]:
        """The faces of a camera's frame, largest first, and how they were found; ``at`` is when it was captured."""
        boxes, search = self._follower.find(grey, camera_id, at)
        return self._faces(grey, boxes), search

    def hear(self, reading: FacesRead) -> None:
        """A reading of any worker: one whose whole frame was searched spares this one that."""
        if reading.search in ("glance", "whole"):
            boxes = [Box(*face.box, tilt_deg=face.tilt_deg) for face in reading.faces]
            self._follower.hear(reading.camera_id, boxes, reading.captured_at)

    def _faces(self, grey: Grey, boxes: Sequence[Box]) -> list[FaceRead]:
        if not boxes:
            return []
        faces = np.stack([crop(grey, box) for box in boxes])
        readings = self._network.probabilities(faces)
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

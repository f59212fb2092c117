"""Where the faces are: OpenCV's Haar cascade (Viola and Jones, 2001), and the crop that the network is given."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.emotion.decode import Grey
from shared.errors import MoodstreamError

CROP = 48
"""Side of the crop in pixels, as the network wants it."""


@dataclass(frozen=True)
class Box:
    """A square around a face, in pixels of the frame."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height


class HaarFinder:
    """Finds upright frontal faces."""

    SEARCH_SIDE = 640
    """Frames are searched at this longer side at most."""
    SMALLEST = 0.07
    """Least side of a face, as a share of the frame's shorter side."""
    NEIGHBOURS = 5
    SCALE = 1.2

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"  # type: ignore[attr-defined]
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise MoodstreamError(f"the face cascade of OpenCV is missing: {path.name}")

    def find(self, grey: Grey) -> list[Box]:
        """Boxes of the faces in a picture uint8[H, W], largest first."""
        height, width = grey.shape
        scale = min(1.0, self.SEARCH_SIDE / max(height, width))
        small = grey if scale == 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        least = max(24, round(self.SMALLEST * min(small.shape)))
        found = self._cascade.detectMultiScale(
            small, scaleFactor=self.SCALE, minNeighbors=self.NEIGHBOURS, minSize=(least, least)
        )
        boxes = [Box(*(round(value / scale) for value in box)) for box in found]
        return sorted(boxes, key=lambda box: (-box.area, box.x, box.y))


def crop(grey: Grey, box: Box) -> Grey:
    """The face in a box, uint8[48, 48]."""
    face = grey[max(0, box.y) : box.y + box.height, max(0, box.x) : box.x + box.width]
    return np.asarray(cv2.resize(face, (CROP, CROP), interpolation=cv2.INTER_AREA), dtype=np.uint8)

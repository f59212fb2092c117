"""Face detection with OpenCV's Haar cascade (Viola and Jones, 2001)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from moodstream.errors import MoodstreamError
from services.emotion.faces.boxes import Box, distinct, largest_first, scaled
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import back_in_frame, cut, grey_of, shrunk

TILT_DEG = 20
"""Haar finds faces that lean by up to about 15 degrees; searching two rotated copies of the frame doubles that."""


class _Hit(NamedTuple):
    box: Box
    weight: float
    """confidence at the cascade's last stage"""


class HaarDetector:
    """Detects frontal faces."""

    FINE_SIDE, COARSE_SIDE = 640, 320
    """The longer side to which frames are scaled down before a search."""
    MIN_FACE = 0.07
    """Minimum side of a face, as a fraction of the frame's shorter side."""
    SCALE, COARSE_SCALE, NEIGHBOURS = 1.2, 1.25, 5
    WEAK = 1 / 3
    """Fraction of the best box's weight below which a box is false: cascades see them in clothes and curtains."""
    SURE = 3.0
    """Minimum weight of a face that is found in any other way than by a full search of the frame as it is."""
    FACE_PX, NEAR_SCALE, NEAR_NEIGHBOURS = 34, 1.1, 3
    """A followed face is searched at this size: below 48 px the cascade looks at every other pixel only. The sizes it
    then tries lie evenly around this one; at 36 px boxes grew by 3 % a search, and the model sees smiles in larger
    ones."""
    CONFIRM_PX = (52, 64)
    """A leaning or halved face must also be found at these sizes."""

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"  # type: ignore[attr-defined]
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise MoodstreamError(f"the face cascade of OpenCV is missing: {path.name}")

    def find_faces(self, grey: Grey) -> list[Box]:
        """Boxes of the faces in a picture uint8[H, W], largest first; without any, leaning and halved faces too."""
        hits = self._whole(grey, self.FINE_SIDE) or [hit for hit in self._hidden(grey) if self._confirms(grey, hit)]
        return self._best(hits)

    def find_faces_fast(self, grey: Grey) -> list[Box]:
        """Only upright faces larger than a tenth of the frame, in a quarter of the time."""
        return self._best(
            [hit for hit in self._whole(grey, self.COARSE_SIDE, self.COARSE_SCALE) if hit.weight >= self.SURE]
        )

    def find_face_near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        """The face that was in a box: moved by up to ``reach`` sides, its size changed by up to ``spread``."""
        others = [tilt for tilt in (0, TILT_DEG, -TILT_DEG) if tilt != box.tilt_deg]
        for tilt in (box.tilt_deg, *others):
            hits = self._around(grey, replace(box, tilt_deg=tilt), reach, spread, self.FACE_PX)
            best = max(hits, key=lambda hit: hit.weight, default=None)
            if best is not None and (tilt == box.tilt_deg or best.weight >= self.SURE):
                return best.box
        return None

    def _detect(self, grey: Grey, scale: float, neighbours: int, least: int, most: int = 0) -> list[_Hit]:
        found, _, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=scale,
            minNeighbors=neighbours,
            minSize=(least, least),
            maxSize=(most, most),
            outputRejectLevels=True,
        )
        return [
            _Hit(Box(int(x), int(y), int(width), int(height)), float(weight))
            for (x, y, width, height), weight in zip(found, np.ravel(weights), strict=True)
        ]

    def _whole(self, grey: Grey, side: int, step: float = SCALE) -> list[_Hit]:
        small, scale = shrunk(grey, side)
        return [_Hit(scaled(box, 1 / scale), weight) for box, weight in self._search(small, step)]

    def _search(self, grey: Grey, step: float = SCALE) -> list[_Hit]:
        return self._detect(grey, step, self.NEIGHBOURS, max(24, round(self.MIN_FACE * min(grey.shape))))

    def _hidden(self, grey: Grey) -> Iterator[_Hit]:
        """Leaning faces, and faces cut by the left or right border: mirroring makes those whole."""
        small, scale = shrunk(grey, self.COARSE_SIDE)
        height, width = small.shape
        margin = width // 4
        for box, weight in self._search(grey_of(cv2.copyMakeBorder(small, 0, 0, margin, margin, cv2.BORDER_REFLECT))):
            moved = replace(box, x=box.x - margin)
            if moved.x < -0.1 * box.width or moved.x + box.width > width + 0.1 * box.width:
                yield _Hit(scaled(moved, 1 / scale), weight)
        for tilt in (TILT_DEG, -TILT_DEG):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
            turned = cv2.warpAffine(small, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            back = cv2.invertAffineTransform(turn)
            for box, weight in self._search(grey_of(turned)):
                x, y = back @ (*box.centre, 1)
                moved = replace(box, x=round(x - box.width / 2), y=round(y - box.height / 2), tilt_deg=tilt)
                yield _Hit(scaled(moved, 1 / scale), weight)

    def _confirms(self, grey: Grey, hit: _Hit) -> bool:
        """Whether the face is found at other sizes too; a chance pattern is not."""
        return hit.weight >= self.SURE and all(
            any(other.weight >= self.SURE for other in self._around(grey, hit.box, 0.3, 1.3, face_px))
            for face_px in self.CONFIRM_PX
        )

    def _around(self, grey: Grey, box: Box, reach: float, spread: float, face_px: int) -> Iterator[_Hit]:
        patch = cut(grey, box, reach, face_px)
        least, most = round(face_px / spread), round(face_px * spread)
        for found, weight in self._detect(patch, self.NEAR_SCALE, self.NEAR_NEIGHBOURS, max(24, least), most):
            yield _Hit(back_in_frame(box, found, len(patch), box.width / face_px), weight)

    def _best(self, hits: list[_Hit]) -> list[Box]:
        surest = sorted(hits, key=lambda hit: -hit.weight)
        return largest_first(distinct(box for box, weight in surest if weight >= self.WEAK * surest[0].weight))

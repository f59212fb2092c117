"""Where the faces are: OpenCV's Haar cascade (Viola and Jones, 2001)."""

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
"""Haar finds faces that lean up to about 15 degrees; two more looks at turned pictures reach twice that."""


class _Hit(NamedTuple):
    box: Box
    weight: float
    """how surely it passed the cascade's last stage"""


class HaarFinder:
    """Finds frontal faces."""

    FINE_SIDE, COARSE_SIDE = 640, 320
    """Frames are searched at this longer side at most."""
    SMALLEST = 0.07
    """Least side of a face, as a share of the frame's shorter side."""
    SCALE, COARSE_SCALE, NEIGHBOURS = 1.2, 1.25, 5
    WEAK = 1 / 3
    """A box with less than this part of the best one's weight is what cascades see in clothes and curtains."""
    SURE = 3.0
    """Least weight where more is tried to find a face than to look at the frame as it is."""
    FACE_PX, NEAR_SCALE, NEAR_NEIGHBOURS = 34, 1.1, 3
    """A followed face is searched at this size: below 48 px the cascade looks at every other pixel only. The sizes that
    it then tries lie evenly around this one; at 36, boxes grew by 3 % a search, and smiles were seen in the larger."""
    AGAIN_PX = (52, 64)

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"  # type: ignore[attr-defined]
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise MoodstreamError(f"the face cascade of OpenCV is missing: {path.name}")

    def find(self, grey: Grey) -> list[Box]:
        """Boxes of the faces in a picture uint8[H, W], largest first; looks for leaning and halved ones if need be."""
        hits = self._whole(grey, self.FINE_SIDE) or [hit for hit in self._hidden(grey) if self._again(grey, hit)]
        return self._best(hits)

    def glance(self, grey: Grey) -> list[Box]:
        """The same for upright faces of more than a tenth of the frame, in a quarter of the time."""
        return self._best(
            [hit for hit in self._whole(grey, self.COARSE_SIDE, self.COARSE_SCALE) if hit.weight >= self.SURE]
        )

    def near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        """The face again that was in a box: up to ``reach`` sides away, larger or smaller by the factor ``spread``."""
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
        return self._detect(grey, step, self.NEIGHBOURS, max(24, round(self.SMALLEST * min(grey.shape))))

    def _hidden(self, grey: Grey) -> Iterator[_Hit]:
        """Faces cut by the left or right border, which a mirror makes whole, and leaning ones."""
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

    def _again(self, grey: Grey, hit: _Hit) -> bool:
        """A face is found at other sizes too, a chance pattern is not."""
        return hit.weight >= self.SURE and all(
            any(again.weight >= self.SURE for again in self._around(grey, hit.box, 0.3, 1.3, face_px))
            for face_px in self.AGAIN_PX
        )

    def _around(self, grey: Grey, box: Box, reach: float, spread: float, face_px: int) -> Iterator[_Hit]:
        patch = cut(grey, box, reach, face_px)
        least, most = round(face_px / spread), round(face_px * spread)
        for found, weight in self._detect(patch, self.NEAR_SCALE, self.NEAR_NEIGHBOURS, max(24, least), most):
            yield _Hit(back_in_frame(box, found, len(patch), box.width / face_px), weight)

    def _best(self, hits: list[_Hit]) -> list[Box]:
        surest = sorted(hits, key=lambda hit: -hit.weight)
        return largest_first(distinct(box for box, weight in surest if weight >= self.WEAK * surest[0].weight))

"""What a frame is like for reading faces in it, in figures: light, sharpness, sizes, gates, distances."""

from collections.abc import Iterable
from typing import Literal

import cv2
import numpy as np

from moodstream.contracts.events import FaceRead
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import CROP
from services.emotion.offline.explain import check_gates
from shared.contracts.mounting_view import FaceInView, GateFigure, ViewFigures

FACE_M = 0.16
"""Side of the square around an adult's face, from brows to chin."""
VIEW_DEG = 65.0
"""Angle that cameras see along their longer side: 55 to 80 for webcams, so distances are good to a quarter."""
MAX_SHARE = 0.5
"""Largest side of a face that suits, as a fraction of the frame's shorter side: nearer, a step aside leaves it."""
ACROSS_PX = 320
"""Sharpness is measured at this width, as the camera service does it."""


def measure(grey: Grey, faces: Iterable[FaceRead]) -> ViewFigures:
    """The figures of a frame uint8[H, W] and of the faces that were seen in it."""
    height, width = grey.shape
    best_px = CROP, max(CROP + 1, round(MAX_SHARE * min(height, width)))
    focal_px = max(height, width) / (2 * float(np.tan(np.radians(VIEW_DEG / 2))))
    mean, deviation = cv2.meanStdDev(grey)
    return ViewFigures(
        size=(width, height),
        light=round(float(mean.item()), 1),
        contrast=round(float(deviation.item()), 1),
        sharpness=round(_sharpness(grey), 1),
        best_px=best_px,
        best_m=(round(focal_px * FACE_M / best_px[1], 2), round(focal_px * FACE_M / best_px[0], 2)),
        faces=tuple(_face(grey, face, best_px, focal_px) for face in faces),
    )


def _sharpness(grey: Grey) -> float:
    scale = ACROSS_PX / grey.shape[1]
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_32F).var())


def _face(grey: Grey, face: FaceRead, best_px: tuple[int, int], focal_px: float) -> FaceInView:
    side = max(1, min(face.box[2:]))
    place: Literal["good", "too near", "too far"] = "good"
    if side < best_px[0]:
        place = "too far"
    elif side > best_px[1]:
        place = "too near"
    gates = (
        GateFigure(
            code=one.code,
            what=one.what,
            value=round(one.value, 3),
            least=one.least,
            most=one.most,
            ok=one.ok,
            otherwise=one.otherwise,
        )
        for one in check_gates(grey, face)
    )
    return FaceInView(
        box=face.box,
        side_px=side,
        distance_m=round(focal_px * FACE_M / side, 2),
        place=place,
        refused=face.refused,
        gates=tuple(gates),
    )

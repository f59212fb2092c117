"""Which crops are worth reading; a face that is refused counts as seen but unread.

The limits refuse fewer than one in a hundred of FER2013's faces and none of the reference photographs': what is refused
is what the model has never learnt.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.emotion.faces.boxes import Box, shared_area
from services.emotion.faces.decode import Grey

Levels = NDArray[np.float32]

MIN_SIDE_PX = 24
MIN_INSIDE = 0.88
"""fraction of the box that must lie in the frame"""
DARKEST, BRIGHTEST = 20, 240
MIN_CONTRAST = 8
MIN_DETAIL = 0.025
"""variance of the Laplacian over that of the grey levels; a blur of 2 px of 48 ends below it"""
MIN_SYMMETRY = -0.08
"""correlation between the two halves of the face"""

REASONS = ("too small", "at the border", "too dark", "too bright", "no contrast", "blurred", "turned away")


def refusal(box: Box, face: Grey, shape: tuple[int, ...]) -> str | None:
    """Why a face (its box, and its crop uint8[48, 48]) in a frame of this [height, width] is not read, or None."""
    return box_fault(box, shape) or face_fault(face)


def box_fault(box: Box, shape: tuple[int, ...]) -> str | None:
    """Why no face in this box can be read, whatever it looks like, or None."""
    if min(box.width, box.height) < MIN_SIDE_PX:
        return "too small"
    if shared_area(box, Box(0, 0, shape[1], shape[0])) < MIN_INSIDE * box.area:
        return "at the border"
    return "turned away" if box.turned else None


def face_fault(face: Grey) -> str | None:
    """Why the crop uint8[48, 48] of a face cannot be read, wherever it is, or None."""
    brightness, contrast = _spread(face)
    return _light_fault(brightness, contrast) or _shape_fault(face.astype(np.float32), contrast)


def _spread(levels: Levels | Grey) -> tuple[float, float]:
    """Mean and standard deviation, in a tenth of the time that NumPy takes for so few pixels."""
    mean, deviation = cv2.meanStdDev(levels)
    return float(mean.item()), float(deviation.item())


def _light_fault(brightness: float, contrast: float) -> str | None:
    if brightness < DARKEST:
        return "too dark"
    if brightness > BRIGHTEST:
        return "too bright"
    return "no contrast" if contrast < MIN_CONTRAST else None


def _shape_fault(levels: Levels, contrast: float) -> str | None:
    _, detail = _spread(np.asarray(cv2.Laplacian(levels, cv2.CV_32F)[2:-2, 2:-2], np.float32))
    if detail**2 < MIN_DETAIL * contrast**2:
        return "blurred"
    return "turned away" if symmetry(levels) < MIN_SYMMETRY else None


def symmetry(face: Levels) -> float:
    """How much the halves of a face float32[48, 48] look like each other, -1..1, whatever the light from one side."""
    fine = cv2.GaussianBlur(face, (9, 9), 1.5)
    local = fine - cv2.blur(fine, (17, 17))
    best = -1.0
    for shift in (-2, 0, 2):  # the cascade's boxes are off by some pixels
        part = local[6:42, 6 + shift : 42 + shift].ravel()
        mirrored = local[6:42, 6 + shift : 42 + shift][:, ::-1].ravel()
        best = max(best, float(part @ mirrored) / (float(part @ part) + 1e-6))
    return best

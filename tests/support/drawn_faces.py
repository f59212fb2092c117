"""The drawn face of the camera service as a grey picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.camera.drawn import pattern

Grey = NDArray[np.uint8]


def drawn_face(time_s: float = 4.0) -> Grey:
    """The picture at a time of the drawn face's script, uint8[480, 640]."""
    return np.asarray(cv2.cvtColor(pattern.draw(time_s), cv2.COLOR_BGR2GRAY), np.uint8)


def rotated(grey: Grey, degrees: float) -> Grey:
    """The picture turned anticlockwise about its centre."""
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

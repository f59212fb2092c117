"""Pictures and films made for tests: no photographs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.camera.capture.opencv import cv2
from services.camera.drawn import pattern

Grey = NDArray[np.uint8]

FILM_FRAMES, FILM_RATE = 30, 10


def noise(height: int = 480, width: int = 640, seed: int = 1) -> Grey:
    """A grey picture uint8[H, W] of smoothed noise, in which there is no face."""
    random = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(random, (31, 31), 0), dtype=np.uint8)


def encoded(picture: NDArray[np.uint8], kind: str = ".jpg") -> bytes:
    """The picture as the bytes of a file."""
    done, data = cv2.imencode(kind, picture)
    assert done
    return data.tobytes()


def drawn_face(time_s: float = 4.0) -> Grey:
    """The camera service's drawn face at a time of its script, grey uint8[480, 640]."""
    return np.asarray(cv2.cvtColor(pattern.draw(time_s), cv2.COLOR_BGR2GRAY), np.uint8)


def rotated(grey: Grey, degrees: float) -> Grey:
    """The picture turned anticlockwise about its centre."""
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def film(path: Path) -> Path:
    """A video of ``FILM_FRAMES`` frames, ``FILM_RATE`` a second, whose frame n is grey level 8 n."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FILM_RATE, (160, 120))
    for frame in range(FILM_FRAMES):
        writer.write(np.full((120, 160, 3), 8 * frame, np.uint8))
    writer.release()
    return path

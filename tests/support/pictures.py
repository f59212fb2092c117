"""Pictures made for tests: no photographs."""

import cv2
import numpy as np
from numpy.typing import NDArray


def noise(height: int = 480, width: int = 640, seed: int = 1) -> NDArray[np.uint8]:
    """A grey picture uint8[H, W] of smoothed noise, in which there is no face."""
    random = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(random, (31, 31), 0), dtype=np.uint8)


def encoded(picture: NDArray[np.uint8], kind: str = ".jpg") -> bytes:
    """The picture as the bytes of a file."""
    done, data = cv2.imencode(kind, picture)
    assert done
    return data.tobytes()

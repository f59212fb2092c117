"""Faces as bad cameras, bad light and covered mouths give them, to measure how much a network loses by each."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data import SIZE

Face = NDArray[np.uint8]
"""[48, 48]"""


def _affine(scale: float = 1.0, turn_deg: float = 0.0, shift_px: float = 0.0) -> Callable[[Face], Face]:
    middle = (SIZE - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn_deg, scale), np.float64)
    matrix[:, 2] += shift_px
    return lambda face: _grey(cv2.warpAffine(face, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE))


def _few_pixels(side: int) -> Callable[[Face], Face]:
    return lambda face: _grey(cv2.resize(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), (SIZE, SIZE)))


def _jpeg(face: Face) -> Face:
    _, coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return _grey(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _covered(top: int, bottom: int) -> Callable[[Face], Face]:
    def cover(face: Face) -> Face:
        face = face.copy()
        face[top:bottom, 6:42] = 170
        return face

    return cover


def _glasses(face: Face) -> Face:
    """Dark rims around both eyes, a bridge between them, and lenses that take a third of the light."""
    face = face.copy()
    for left in (7, 26):
        lens = face[14:24, left : left + 15]
        lens[:] = _grey(lens * 0.67)
        cv2.rectangle(face, (left, 14), (left + 14, 23), 20, 1)
    face[17:19, 22:26] = 20
    return face


def _noisy(face: Face) -> Face:
    seed = int(face.sum())  # the same face gets the same noise
    return _grey(face + np.random.default_rng(seed).normal(0, 15, face.shape))


def _grey(levels: object) -> Face:
    return np.asarray(levels).clip(0, 255).astype(np.uint8)


WEAR: dict[str, Callable[[Face], Face]] = {
    "as it is": lambda face: face,
    "mirrored": lambda face: _grey(face[:, ::-1]),
    "tighter by a fifth": _affine(scale=1.2),
    "looser by a seventh": _affine(scale=0.87),
    "3 pixels aside and down": _affine(shift_px=3),
    "turned by 8 degrees": _affine(turn_deg=8),
    "turned by 15 degrees": _affine(turn_deg=15),
    "turned by 25 degrees": _affine(turn_deg=25),
    "32 pixels wide": _few_pixels(32),
    "24 pixels wide": _few_pixels(24),
    "blurred, 1.5 pixels": lambda face: _grey(cv2.GaussianBlur(face, (0, 0), 1.5)),
    "motion blur, 7 pixels": lambda face: _grey(cv2.blur(face, (7, 1))),
    "a third of the light": lambda face: _grey(face * 0.33),
    "bright": lambda face: _grey(face * 0.6 + 110),
    "noise of 15 levels": _noisy,
    "JPEG of quality 20": _jpeg,
    "mouth covered": _covered(30, 48),
    "eyes covered": _covered(10, 24),
    "dark glasses": _glasses,
}


def worn(faces: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """The faces uint8[N, 48, 48] with one kind of wear."""
    return np.stack([WEAR[name](face) for face in faces])

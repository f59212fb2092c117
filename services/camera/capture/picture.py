"""From a camera's picture to the JPEG that leaves the capture process: masks, crop, rotation, mirror, size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.camera.capture.jpeg import jpeg_pixels, whole_jpeg
from services.camera.capture.opencv import cv2
from services.camera.rules.job import Job

Image = NDArray[np.uint8]
"""A picture [height, width, 3], blue green red."""

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_STEP = 8
PNG = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 250_000_000
"""More than any camera has; a few forged bytes could claim billions."""
REDUCTIONS = (
    cv2.IMREAD_COLOR,
    cv2.IMREAD_REDUCED_COLOR_2,
    cv2.IMREAD_REDUCED_COLOR_4,
    cv2.IMREAD_REDUCED_COLOR_8,
)
"""Of the decoder, each for pictures of four times as many pixels as the one before."""


@dataclass(frozen=True)
class Levels:
    """Light and contrast of a picture, before any mask is painted."""

    light: float
    """mean level, 0 to 255"""
    contrast: float
    """standard deviation of the level"""


def measure_levels(image: Image) -> Levels:
    """Measured on every eighth pixel of every eighth row."""
    some = image[::_STEP, ::_STEP]
    return Levels(float(some.mean()), float(some.std()))


def sharpness(image: Image) -> float:
    """Variance of the Laplacian of the grey picture at 320 px across: below about 30 it is out of focus."""
    scale = 320 / image.shape[1]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())


def prepare(image: Image, job: Job) -> Image:
    """Apply the job to a picture. Masks come first: what they cover is gone before anything else is done."""
    height, width = image.shape[:2]
    if job.masks:
        image = image.copy()
        for mask in job.masks:
            corners = np.array([(round(x * width), round(y * height)) for x, y in mask], np.int32)
            cv2.fillPoly(image, [corners], (0, 0, 0))
    if job.crop is not None:
        x, y, w, h = job.crop
        left, top = min(round(x * width), width - 1), min(round(y * height), height - 1)
        image = image[top : max(top + 1, round((y + h) * height)), left : max(left + 1, round((x + w) * width))]
    scale = job.max_side_px / max(image.shape[:2])
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if job.rotation:
        image = np.asarray(cv2.rotate(image, _TURNS[job.rotation]), dtype=np.uint8)
    return np.asarray(cv2.flip(image, 1), dtype=np.uint8) if job.mirror else image


def encode(image: Image, quality: int) -> bytes:
    """The picture as JPEG."""
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes()


def decode(data: bytes) -> Image | None:
    """Decode a JPEG, PNG, BMP or WebP; None when it is not one, is truncated, or has too many pixels.

    One of more pixels than OpenCV is allowed here is made smaller while it is decoded, which needs no more memory.
    """
    if not is_whole(data) or jpeg_pixels(data) > MAX_PIXELS:
        return None
    encoded = np.frombuffer(data, np.uint8)
    for reduction in REDUCTIONS:
        try:
            image = cv2.imdecode(encoded, reduction)
        except cv2.error:  # more pixels than are allowed
            continue
        return None if image is None else np.asarray(image, dtype=np.uint8)
    return None


def is_whole(data: bytes) -> bool:
    """Whether a picture is complete: decoders would fill the missing part of a JPEG or PNG with grey.

    What a phone puts behind its pictures, such as a short film, does not matter.
    """
    if data.startswith(b"\xff\xd8"):
        return whole_jpeg(data) is not None
    if data.startswith(PNG):
        return _png_is_whole(data)
    return len(data) > 0


def _png_is_whole(data: bytes) -> bool:
    """Whether the chunks, each with its length, reach the last one."""
    at = len(PNG)
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False

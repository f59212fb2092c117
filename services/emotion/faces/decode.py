"""Pictures from untrusted bytes: the only place where they reach a decoder, after cheap checks of the header."""

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 2_000_000
MAX_PIXELS = 16_000_000
MAX_MARKERS = 2_000
"""JPEG segments before the picture data; no camera writes more."""

cv2.setNumThreads(1)  # workers scale by processes; threads of one would only fight over cores

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0-SOF15, without DHT, JPG and DAC
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_SCAN, _END = 0xDA, 0xD9

Grey = NDArray[np.uint8]
"""A picture in grey levels, [height, width]."""


class PictureRefused(Exception):
    """The bytes are not a picture that may be read; says why in a few words, with the kind of fault for the metrics."""

    def __init__(self, words: str, kind: str = "broken") -> None:
        super().__init__(words)
        self.kind = kind


class TooManyPixels(PictureRefused):
    """Its header claims more than may be decoded at once."""

    def __init__(self, max_pixels: int) -> None:
        super().__init__(f"more than {max_pixels} pixels", "too many pixels")


def decode_grey(data: bytes, *, png: bool = False, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Grey:
    """Decode a JPEG (or, if allowed, a PNG) to grey levels uint8[H, W]. Raises PictureRefused.

    A picture that claims more than ``max_pixels`` is refused by its header, before a decoder allocates memory for it.
    Above ``MAX_PIXELS`` it is made 2, 4 or 8 times smaller while it is decoded.
    """
    if not data.startswith((_JPEG, _PNG) if png else _JPEG):
        raise PictureRefused("not a JPEG or PNG picture" if png else "not a JPEG picture", "no picture")
    if len(data) > max_bytes:
        raise PictureRefused(f"larger than {max_bytes} bytes", "too many bytes")
    size = _size(data)
    if size is None or 0 in size:
        raise PictureRefused("broken picture")
    if size[0] * size[1] > max_pixels:
        raise TooManyPixels(max_pixels)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), _reduction(size[0] * size[1]))
    except cv2.error:
        picture = None
    if picture is None:
        raise PictureRefused("broken picture")
    return picture.astype(np.uint8, copy=False)


def decode_colour(data: bytes) -> NDArray[np.uint8] | None:
    """The picture that ``decode_grey`` has taken, in colours and as large: uint8[H, W, 3], blue green red."""
    width, height = _size(data) or (0, 0)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), _reduction(width * height) | cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, np.uint8)


def _reduction(pixels: int) -> int:
    """OpenCV's way to read so many pixels in grey that at most ``MAX_PIXELS`` are left, if it can make them so few."""
    if pixels <= MAX_PIXELS:
        return cv2.IMREAD_GRAYSCALE
    if pixels <= 4 * MAX_PIXELS:
        return cv2.IMREAD_REDUCED_GRAYSCALE_2
    return cv2.IMREAD_REDUCED_GRAYSCALE_4 if pixels <= 16 * MAX_PIXELS else cv2.IMREAD_REDUCED_GRAYSCALE_8


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height; None where the header does not say."""
    return _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG: its first chunk must be the header."""
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG; looks for markers as libjpeg does, so that both see the same header."""
    at = 2
    for _ in range(MAX_MARKERS):
        at = data.find(b"\xff", at)
        if at < 0:
            return None
        while at < len(data) and data[at] == 0xFF:
            at += 1
        if at + 8 > len(data) or data[at] in (_SCAN, _END):
            return None
        marker, at = data[at], at + 1
        if marker in _SIZES:
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 3 : at + 5], "big")
        if marker and marker not in _BARE:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return None

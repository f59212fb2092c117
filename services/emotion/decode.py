"""Pictures from bytes, refusing early what is none: the only place where unknown bytes meet a decoder."""

import os

MAX_BYTES = 2_000_000
MAX_PIXELS = 16_000_000
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # OpenCV reads it when it is imported

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

cv2.setNumThreads(1)  # workers scale by processes; threads of one would only fight over cores

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"

Grey = NDArray[np.uint8]
"""A picture in grey levels, [height, width]."""


class PictureRefused(Exception):
    """The bytes are not a picture that is read; says why in a few words."""


def decode_grey(data: bytes, *, png: bool = False, max_bytes: int = MAX_BYTES) -> Grey:
    """Decode a JPEG (or, if allowed, a PNG) to grey levels uint8[H, W]. Raises PictureRefused."""
    if not data.startswith((_JPEG, _PNG) if png else _JPEG):
        raise PictureRefused("not a JPEG or PNG picture" if png else "not a JPEG picture")
    if len(data) > max_bytes:
        raise PictureRefused(f"larger than {max_bytes} bytes")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        raise PictureRefused(f"more than {MAX_PIXELS} pixels, or broken") from None
    if picture is None:
        raise PictureRefused("broken picture")
    return picture.astype(np.uint8, copy=False)

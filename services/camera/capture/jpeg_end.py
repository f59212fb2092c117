"""JPEGs without the mark of their end, as some cameras send them: is anything else missing?"""

import numpy as np

from services.camera.capture.opencv import cv2

END = b"\xff\xd9"
_MORE = bytes(range(1, 255))
"""Any bytes that hold no marker"""


def lacks_only_its_end(jpeg: bytes) -> bool:
    """Whether the picture is whole but for ``END``. A decoder reads on where a picture is cut, so that bytes behind it
    change what is seen; behind a whole picture they change nothing."""
    try:
        plain, other = (
            cv2.imdecode(np.frombuffer(jpeg + more + END, np.uint8), cv2.IMREAD_GRAYSCALE) for more in (b"", _MORE)
        )
    except cv2.error:  # more pixels than are allowed
        return False
    return plain is not None and other is not None and np.array_equal(plain, other)

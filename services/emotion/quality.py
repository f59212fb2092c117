"""Which crops are worth reading; a face that is refused counts as seen but unread."""

import numpy as np

from services.emotion.decode import Grey
from services.emotion.faces import Box

LEAST_SIDE_PX = 24
DARKEST, BRIGHTEST = 20, 240
LEAST_CONTRAST = 8


def refusal(box: Box, face: Grey) -> str | None:
    """Why a face (its box, and its crop uint8[48, 48]) is not read, or None."""
    if min(box.width, box.height) < LEAST_SIDE_PX:
        return "too small"
    brightness = float(np.mean(face))
    if brightness < DARKEST:
        return "too dark"
    if brightness > BRIGHTEST:
        return "too bright"
    if float(np.std(face)) < LEAST_CONTRAST:
        return "no contrast"
    return None

"""How a face looked a moment ago: recognising it by that costs a twentieth of a search."""

import cv2

from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import back_in_frame, cut

SIDE_PX, REACH = 24, 0.17
"""Side of the kept picture in pixels, and how far from its last position the face is looked for, in its sides."""
MIN_CORRELATION = 0.9
"""Minimum correlation of grey levels; a face that turns, leaves or changes much falls below it at once."""
MIN_CONTRAST = 8


class Appearance:
    """The grey levels of one face in one frame."""

    def __init__(self, grey: Grey, box: Box) -> None:
        self.box = box
        self._levels = cut(grey, box, 0, SIDE_PX)
        self._flat = float(cv2.meanStdDev(self._levels)[1].item()) < MIN_CONTRAST

    def find_again(self, grey: Grey) -> Box | None:
        """Where the face is in another frame; None unless it is clearly the same one and near."""
        if self._flat:
            return None
        patch = cut(grey, self.box, REACH, SIDE_PX)
        _, correlation, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(patch, self._levels, cv2.TM_CCOEFF_NORMED))
        most = len(patch) - SIDE_PX
        if correlation < MIN_CORRELATION or x in (0, most) or y in (0, most):
            return None  # at the edge of the searched area: it may be farther away
        found = Box(x, y, SIDE_PX, SIDE_PX, turned=self.box.turned)
        return back_in_frame(self.box, found, len(patch), self.box.width / SIDE_PX)

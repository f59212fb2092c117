"""How a face looked a moment ago, by which it is known again at a twentieth of what a search costs."""

import cv2

from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import back_in_frame, cut

SIDE_PX, REACH = 24, 0.17
"""A look is so wide, and is searched up to so many sides of the face away."""
ALIKE = 0.9
"""Least correlation of grey levels; a face that turns, leaves or changes much falls below it at once."""
MIN_CONTRAST = 8


class Look:
    """The grey levels of one face in one frame."""

    def __init__(self, grey: Grey, box: Box) -> None:
        self.box = box
        self._levels = cut(grey, box, 0, SIDE_PX)
        self._flat = float(cv2.meanStdDev(self._levels)[1].item()) < MIN_CONTRAST

    def again(self, grey: Grey) -> Box | None:
        """Where the face is in another frame, None unless it is surely the same one and near."""
        if self._flat:
            return None
        patch = cut(grey, self.box, REACH, SIDE_PX)
        _, alike, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(patch, self._levels, cv2.TM_CCOEFF_NORMED))
        most = len(patch) - SIDE_PX
        if alike < ALIKE or x in (0, most) or y in (0, most):
            return None  # at the edge of what was searched, it may be farther away
        found = Box(x, y, SIDE_PX, SIDE_PX, turned=self.box.turned)
        return back_in_frame(self.box, found, len(patch), self.box.width / SIDE_PX)

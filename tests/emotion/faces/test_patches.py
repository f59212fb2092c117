"""Parts of frames around boxes, and which boxes belong to one face."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.emotion.faces.boxes import Box, distinct
from services.emotion.faces.patches import back_in_frame, crop, cut

EMPTY = np.zeros((360, 640), np.uint8)


@settings(deadline=None)
@given(
    st.integers(-900, 1500),
    st.integers(-900, 900),
    st.integers(24, 300),
    st.sampled_from([0, 20, -20]),
    st.floats(0, 1),
)
@example(x=651, y=85, side=354, tilt=0, reach=0.0)
def test_any_box_is_cut_to_its_size(x: int, y: int, side: int, tilt: int, reach: float) -> None:
    """Also one beyond the border: OpenCV never comes back from mirroring an empty picture."""
    box = Box(x, y, side, side, tilt)
    assert cut(EMPTY, box, reach, 36).shape == (round(36 * (1 + 2 * reach)),) * 2
    assert crop(EMPTY, box).shape == (48, 48)


def test_what_is_found_in_a_turned_patch_is_put_back_in_its_place() -> None:
    grey = EMPTY.copy()
    cv2.circle(grey, (330, 150), 3, 255, cv2.FILLED)
    box = Box(250, 100, 100, 100, 20)
    patch = cut(grey, box, 0.5, 50)
    row, column = np.unravel_index(int(patch.argmax()), patch.shape)
    found = back_in_frame(box, Box(int(column) - 5, int(row) - 5, 10, 10), len(patch), 2.0)
    assert found.centre == pytest.approx((330, 150), abs=4)


def test_one_face_has_one_box() -> None:
    face, inside, beside = Box(100, 100, 100, 100), Box(120, 120, 40, 40), Box(230, 100, 90, 90)
    assert distinct([face, inside, beside, Box(105, 98, 104, 104)]) == [face, beside]

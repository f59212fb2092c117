"""Pictures in the terminal."""

import numpy as np

from services.camera.capture.terminal import draw_lines
from tests.support.pictures import encoded


def test_half_blocks_carry_two_pixels() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[20:] = 255
    lines = draw_lines(encoded(picture), 20, colour=True)
    assert len(lines) == 10
    assert lines[0].count("\u2580") == 20
    assert "\x1b[38;2;0;0;0m" in lines[0]
    assert "\x1b[48;2;255;255;255m" in lines[-1]
    assert draw_lines(b"no picture", 20, colour=True) == []

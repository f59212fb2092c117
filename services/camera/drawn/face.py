"""The drawn face with an expression. Lengths are in the units of ``shapes``."""

from functools import cache
from math import cos, pi, sin

import numpy as np

from services.camera.capture.opencv import cv2
from services.camera.drawn.expressions import Expression
from services.camera.drawn.shapes import (
    ORIGIN,
    SIDE,
    Colour,
    Image,
    arch,
    band,
    bend,
    between,
    fill,
    oval,
    shade,
)

WALL: Colour = (196, 190, 184)
SKIN: Colour = (152, 183, 224)
SHADE: Colour = (84, 112, 160)
HAIR: Colour = (38, 46, 62)
SHIRT: Colour = (120, 88, 60)
LIP: Colour = (96, 100, 182)
IRIS: Colour = (50, 60, 80)
DARK: Colour = (30, 28, 34)
WHITE: Colour = (238, 240, 242)


def draw_face(now: Expression) -> Image:
    """The face in front of a wall: uint8 [SIDE, SIDE, 3], BGR, its origin at ``ORIGIN``."""
    canvas = _head().copy()
    for side in (-1, 1):
        _cheek(canvas, now, side)
        _eye(canvas, now, side)
        _brow(canvas, now, side)
    _mouth(canvas, now)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.7), np.uint8)


def place_face(drawn: Image, at: tuple[float, float], scale: float, roll: float, size: tuple[int, int]) -> Image:
    """A drawn face in a picture of ``size``: its origin at ``at`` (px), scaled, rotated by ``roll`` (radians)."""
    turn = scale * np.array([[cos(roll), -sin(roll)], [sin(roll), cos(roll)]])
    matrix = np.column_stack([turn, np.array(at) - turn @ ORIGIN])
    # The edges of the drawing are only wall, and shirt below: repeating them continues both.
    return np.asarray(cv2.warpAffine(drawn, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@cache
def _head() -> Image:
    """The parts that do not move: wall, shoulders, neck, hair, skin and nose."""
    canvas = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    fill(canvas, oval((0, 3.1), (1.85, 1.35)), SHIRT)
    fill(canvas, oval((0, -0.28), (1.13, 1.22)), HAIR)
    fill(canvas, np.array([[-0.48, 0.8], [0.48, 0.8], [0.52, 1.75], [0.25, 2.0], [-0.25, 2.0], [-0.52, 1.75]]), SKIN)
    shade(canvas, oval((0, 1.32), (0.55, 0.22)), SHADE, 0.75, 6)
    for side in (-1, 1):
        fill(canvas, oval((side * 1.0, 0.02), (0.13, 0.26)), SKIN)
        shade(canvas, oval((side * 1.02, 0.02), (0.06, 0.15)), SHADE, 0.6, 3)
    angle = np.linspace(0, 2 * pi, 96)
    jaw = 1 - 0.16 * np.maximum(0, np.sin(angle)) ** 3
    fill(canvas, np.column_stack([np.cos(angle) * jaw, 0.08 + 1.27 * np.sin(angle)]), SKIN)
    for side, strength in ((-1, 0.30), (1, 0.50)):
        shade(
            canvas,
            np.array([[side * 0.99, -0.5], [side * 0.72, 0.2], [side * 0.62, 0.95], [side * 0.98, 0.5]]),
            SHADE,
            strength,
            11,
        )
    shade(canvas, oval((0, 1.3), (0.5, 0.1)), SHADE, 0.4, 8)
    shade(canvas, oval((0, -0.62), (0.55, 0.16)), WHITE, 0.25, 12)
    _hair(canvas)
    _nose(canvas)
    return canvas


def _hair(canvas: Image) -> None:
    outside = bend((-1.08, -0.05), (-1.28, -1.6), (0.0, -1.52)), bend((0.0, -1.52), (1.28, -1.6), (1.08, -0.05))
    inside = bend((0.99, -0.05), (0.96, -0.85), (0.40, -0.95)), bend((0.40, -0.95), (-0.85, -0.85), (-0.99, -0.05))
    shade(canvas, bend((-0.9, -0.72), (0, -0.98), (0.9, -0.72)), SHADE, 0.5, 6)
    fill(canvas, np.vstack([*outside, *inside]), HAIR)


def _nose(canvas: Image) -> None:
    shade(canvas, np.array([[0.10, -0.2], [0.20, 0.3], [0.05, 0.36], [0.09, 0.1]]), SHADE, 0.6, 4)
    shade(canvas, np.array([[-0.10, -0.2], [-0.19, 0.3], [-0.10, 0.33], [-0.09, 0.1]]), SHADE, 0.35, 4)
    shade(canvas, np.array([[-0.05, -0.3], [0.05, -0.3], [0.07, 0.25], [-0.07, 0.25]]), WHITE, 0.35, 5)
    shade(canvas, oval((0, 0.40), (0.20, 0.06)), SHADE, 0.8, 3)
    for side in (-1, 1):
        shade(canvas, oval((side * 0.09, 0.375), (0.055, 0.03)), DARK, 0.85, 1.2)


def _cheek(canvas: Image, now: Expression, side: int) -> None:
    corner = (side * (now.mouth_width + 0.10), now.mouth_y + now.mouth_corner)
    line = bend((side * 0.24, 0.34), (side * (now.mouth_width + 0.06), 0.42), corner)
    shade(canvas, band(line, 0.05, 0.03), SHADE, now.fold, 2.5)
    shade(canvas, oval((side * 0.55, 0.28), (0.22, 0.16)), WHITE, 0.35 * now.cheek, 8)
    shade(canvas, oval((side * 0.44, 0.07), (0.26, 0.03)), SHADE, 0.7 * now.cheek, 3)


def _eye(canvas: Image, now: Expression, side: int) -> None:
    middle, half = 0.43, 0.22
    inner, outer = (side * (middle - half), -0.11), (side * (middle + half), -0.14)
    lid = arch(inner, outer, -0.13 - now.eye_open, tilt=now.eye_slant)
    low = arch(inner, outer, -0.04 - now.eye_squint)
    lid[:, 1] = np.minimum(lid[:, 1], low[:, 1])
    shade(canvas, oval((side * middle, -0.2), (0.34, 0.24)), SHADE, now.socket, 7)
    fill(canvas, np.vstack([lid, low[::-1]]), WHITE)
    for radius, colour in ((0.11, IRIS), (0.05, DARK)):
        fill(canvas, between(oval((side * middle, -0.13), (radius, radius)), lid, low), colour)
    fill(canvas, between(oval((side * middle + 0.04, -0.17), (0.025, 0.025)), lid, low), WHITE)
    fill(canvas, band(lid, 0.035, 0.055), DARK)
    shade(canvas, band(low, 0.02, 0.02), SHADE, 0.8, 1)
    shade(canvas, band(lid - [0, 0.08], 0.02, 0.02), SHADE, 0.7, 1.5)


def _brow(canvas: Image, now: Expression, side: int) -> None:
    inner = (side * now.brow_gap, -0.44 + now.brow_inner)
    outer = (side * 0.76, -0.44 + now.brow_outer)
    middle = (side * 0.5, (inner[1] + outer[1]) / 2 - 2 * now.brow_arch)
    shade(canvas, band(bend(inner, middle, outer), now.brow_thick, now.brow_thick * 0.4), HAIR, 0.95, 1.2)
    line = bend((side * 0.09, -0.52), (side * 0.07, -0.42), (side * 0.10, -0.28))
    shade(canvas, band(line, 0.04, 0.03), SHADE, now.frown, 1.8)


def _mouth(canvas: Image, now: Expression) -> None:
    left, right = ((side * now.mouth_width, now.mouth_y + now.mouth_corner) for side in (-1, 1))
    middle = now.mouth_y - now.mouth_corner * 0.5
    upper, lower = (arch(left, right, middle + gap) for gap in (-now.mouth_open, now.mouth_open))
    over = arch(left, right, middle - now.mouth_open - now.lips)
    under = arch(left, right, middle + now.mouth_open + 1.3 * now.lips)
    shade(canvas, oval((0, under[:, 1].max() + 0.08), (0.26, 0.05)), SHADE, 0.55, 4)
    fill(canvas, np.vstack([over, under[::-1]]), LIP)
    fill(canvas, np.vstack([upper, lower[::-1]]), DARK)
    if now.teeth > 0.05 and now.mouth_open > 0.01:
        fill(canvas, np.vstack([upper, (upper + (lower - upper) * now.teeth)[::-1]]), WHITE)
    shade(canvas, band(upper, 0.03, 0.03), DARK, 0.9, 1)
    for corner in (left, right):
        shade(canvas, oval(corner, (0.035, 0.035)), DARK, 0.7, 1.5)

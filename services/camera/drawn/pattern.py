"""The camera for those who have none: a drawn face that goes through the four expressions and then leaves.

Everything is a pure function of the time, so what was seen once can be drawn again. Lengths are in units of half
the width of the face (x to the right, y downwards, the origin between the eyes and the nose).
"""

from functools import cache
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import Mood
from services.camera.capture.opencv import cv2
from services.camera.drawn.expressions import EXPRESSIONS, Expression, mix

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
Colour = tuple[int, int, int]

SCRIPT: tuple[tuple[Mood, float], ...] = (
    (Mood.HAPPY, 5.0),
    (Mood.CALM, 5.0),
    (Mood.SAD, 5.0),
    (Mood.ANGRY, 5.0),
    (Mood.NOBODY, 4.0),
)
"""One cycle: what is shown, and for how many seconds. The empty room at its end lets the visit end."""

CYCLE_S = sum(seconds for _, seconds in SCRIPT)
CHANGE_S = 0.5
"""how long the face takes from one expression to the next"""
WALK_S = 0.5
"""how long it takes to come in or to leave"""

SIDE = 400
UNIT = 88.0
"""half the width of the face in pixels, before it is scaled"""
ORIGIN = np.array([200.0, 190.0])
WALL: Colour = (196, 190, 184)
SKIN: Colour = (152, 183, 224)
SHADE: Colour = (84, 112, 160)
HAIR: Colour = (38, 46, 62)
SHIRT: Colour = (120, 88, 60)
LIP: Colour = (96, 100, 182)
IRIS: Colour = (50, 60, 80)
DARK: Colour = (30, 28, 34)
WHITE: Colour = (238, 240, 242)


def shown_at(t_s: float) -> Mood:
    """What the script shows at a time; it repeats for ever."""
    t_s %= CYCLE_S
    for mood, seconds in SCRIPT:
        if t_s < seconds:
            return mood
        t_s -= seconds
    return SCRIPT[-1][0]


def draw(t_s: float, size: tuple[int, int] = (640, 480)) -> Image:
    """The picture at a time (s) of the script: uint8 [height, width, 3], BGR; ``size`` is (width, height) in px."""
    width, height = size
    away = _way_out(t_s)
    if away >= 1:
        return np.full((height, width, 3), WALL, np.uint8)
    scale = height / 480 * (1.12 + 0.10 * sin(t_s / 2.9))
    roll = radians(2.5) * sin(t_s / 1.7)
    x = width * (0.5 + 0.06 * sin(t_s / 2.3) + 0.9 * away)
    y = height * (0.50 + 0.02 * sin(t_s / 1.3))
    return place(face(expression_at(t_s)), (x, y), scale, roll, size)


def place(drawn: Image, at: tuple[float, float], scale: float, roll: float, size: tuple[int, int]) -> Image:
    """A drawn face in a picture of ``size``: its origin at ``at`` (px), scaled, turned by ``roll`` (radians)."""
    turn = scale * np.array([[cos(roll), -sin(roll)], [sin(roll), cos(roll)]])
    matrix = np.column_stack([turn, np.array(at) - turn @ ORIGIN])
    # At the edges of the drawing there is only wall, and the shirt below, so repeating them continues both.
    return np.asarray(cv2.warpAffine(drawn, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def expression_at(t_s: float) -> Expression:
    """The expression at a time: the script's, reached smoothly from the one before."""
    t_s %= CYCLE_S
    now = before = EXPRESSIONS[SCRIPT[0][0]]
    start_s = end_s = 0.0
    for mood, seconds in SCRIPT:
        if t_s < end_s:
            break
        start_s, end_s = end_s, end_s + seconds
        # whoever leaves the room keeps the face
        before, now = now, EXPRESSIONS.get(mood, now)
    return mix(before, now, _smooth((t_s - start_s) / CHANGE_S))


def face(now: Expression) -> Image:
    """The face alone before the wall: uint8 [SIDE, SIDE, 3], BGR, its origin at ORIGIN."""
    canvas = _head().copy()
    for side in (-1, 1):
        _cheek(canvas, now, side)
        _eye(canvas, now, side)
        _brow(canvas, now, side)
    _mouth(canvas, now)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.7), np.uint8)


def _way_out(t_s: float) -> float:
    """0 in the middle of the room, 1 out of sight: comes in at the start of the cycle and leaves at its end."""
    t_s %= CYCLE_S
    present = CYCLE_S - SCRIPT[-1][1]
    if t_s >= present:
        return _smooth((t_s - present) / WALK_S)
    return 1 - _smooth(0.25 + t_s / WALK_S)


def _smooth(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


@cache
def _head() -> Image:
    """What does not move: wall, shoulders, neck, hair, skin and nose."""
    canvas = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    _fill(canvas, _oval((0, 3.1), (1.85, 1.35)), SHIRT)
    _fill(canvas, _oval((0, -0.28), (1.13, 1.22)), HAIR)
    _fill(canvas, np.array([[-0.48, 0.8], [0.48, 0.8], [0.52, 1.75], [0.25, 2.0], [-0.25, 2.0], [-0.52, 1.75]]), SKIN)
    _soft(canvas, _oval((0, 1.32), (0.55, 0.22)), SHADE, 0.75, 6)
    for side in (-1, 1):
        _fill(canvas, _oval((side * 1.0, 0.02), (0.13, 0.26)), SKIN)
        _soft(canvas, _oval((side * 1.02, 0.02), (0.06, 0.15)), SHADE, 0.6, 3)
    angle = np.linspace(0, 2 * pi, 96)
    jaw = 1 - 0.16 * np.maximum(0, np.sin(angle)) ** 3
    _fill(canvas, np.column_stack([np.cos(angle) * jaw, 0.08 + 1.27 * np.sin(angle)]), SKIN)
    for side, strength in ((-1, 0.30), (1, 0.50)):
        _soft(
            canvas,
            np.array([[side * 0.99, -0.5], [side * 0.72, 0.2], [side * 0.62, 0.95], [side * 0.98, 0.5]]),
            SHADE,
            strength,
            11,
        )
    _soft(canvas, _oval((0, 1.3), (0.5, 0.1)), SHADE, 0.4, 8)
    _soft(canvas, _oval((0, -0.62), (0.55, 0.16)), WHITE, 0.25, 12)
    _hair(canvas)
    _nose(canvas)
    return canvas


def _hair(canvas: Image) -> None:
    outside = _bend((-1.08, -0.05), (-1.28, -1.6), (0.0, -1.52)), _bend((0.0, -1.52), (1.28, -1.6), (1.08, -0.05))
    inside = _bend((0.99, -0.05), (0.96, -0.85), (0.40, -0.95)), _bend((0.40, -0.95), (-0.85, -0.85), (-0.99, -0.05))
    _soft(canvas, _bend((-0.9, -0.72), (0, -0.98), (0.9, -0.72)), SHADE, 0.5, 6)
    _fill(canvas, np.vstack([*outside, *inside]), HAIR)


def _nose(canvas: Image) -> None:
    _soft(canvas, np.array([[0.10, -0.2], [0.20, 0.3], [0.05, 0.36], [0.09, 0.1]]), SHADE, 0.6, 4)
    _soft(canvas, np.array([[-0.10, -0.2], [-0.19, 0.3], [-0.10, 0.33], [-0.09, 0.1]]), SHADE, 0.35, 4)
    _soft(canvas, np.array([[-0.05, -0.3], [0.05, -0.3], [0.07, 0.25], [-0.07, 0.25]]), WHITE, 0.35, 5)
    _soft(canvas, _oval((0, 0.40), (0.20, 0.06)), SHADE, 0.8, 3)
    for side in (-1, 1):
        _soft(canvas, _oval((side * 0.09, 0.375), (0.055, 0.03)), DARK, 0.85, 1.2)


def _cheek(canvas: Image, now: Expression, side: int) -> None:
    corner = (side * (now.mouth_width + 0.10), now.mouth_y + now.mouth_corner)
    line = _bend((side * 0.24, 0.34), (side * (now.mouth_width + 0.06), 0.42), corner)
    _soft(canvas, _band(line, 0.05, 0.03), SHADE, now.fold, 2.5)
    _soft(canvas, _oval((side * 0.55, 0.28), (0.22, 0.16)), WHITE, 0.35 * now.cheek, 8)
    _soft(canvas, _oval((side * 0.44, 0.07), (0.26, 0.03)), SHADE, 0.7 * now.cheek, 3)


def _eye(canvas: Image, now: Expression, side: int) -> None:
    middle, half = 0.43, 0.22
    inner, outer = (side * (middle - half), -0.11), (side * (middle + half), -0.14)
    lid = _arch(inner, outer, -0.13 - now.eye_open, tilt=now.eye_slant)
    low = _arch(inner, outer, -0.04 - now.eye_squint)
    lid[:, 1] = np.minimum(lid[:, 1], low[:, 1])
    _soft(canvas, _oval((side * middle, -0.2), (0.34, 0.24)), SHADE, now.socket, 7)
    _fill(canvas, np.vstack([lid, low[::-1]]), WHITE)
    for radius, colour in ((0.11, IRIS), (0.05, DARK)):
        _fill(canvas, _between(_oval((side * middle, -0.13), (radius, radius)), lid, low), colour)
    _fill(canvas, _between(_oval((side * middle + 0.04, -0.17), (0.025, 0.025)), lid, low), WHITE)
    _fill(canvas, _band(lid, 0.035, 0.055), DARK)
    _soft(canvas, _band(low, 0.02, 0.02), SHADE, 0.8, 1)
    _soft(canvas, _band(lid - [0, 0.08], 0.02, 0.02), SHADE, 0.7, 1.5)


def _brow(canvas: Image, now: Expression, side: int) -> None:
    inner = (side * now.brow_gap, -0.44 + now.brow_inner)
    outer = (side * 0.76, -0.44 + now.brow_outer)
    middle = (side * 0.5, (inner[1] + outer[1]) / 2 - 2 * now.brow_arch)
    _soft(canvas, _band(_bend(inner, middle, outer), now.brow_thick, now.brow_thick * 0.4), HAIR, 0.95, 1.2)
    line = _bend((side * 0.09, -0.52), (side * 0.07, -0.42), (side * 0.10, -0.28))
    _soft(canvas, _band(line, 0.04, 0.03), SHADE, now.frown, 1.8)


def _mouth(canvas: Image, now: Expression) -> None:
    left, right = ((side * now.mouth_width, now.mouth_y + now.mouth_corner) for side in (-1, 1))
    middle = now.mouth_y - now.mouth_corner * 0.5
    upper, lower = (_arch(left, right, middle + gap) for gap in (-now.mouth_open, now.mouth_open))
    over = _arch(left, right, middle - now.mouth_open - now.lips)
    under = _arch(left, right, middle + now.mouth_open + 1.3 * now.lips)
    _soft(canvas, _oval((0, under[:, 1].max() + 0.08), (0.26, 0.05)), SHADE, 0.55, 4)
    _fill(canvas, np.vstack([over, under[::-1]]), LIP)
    _fill(canvas, np.vstack([upper, lower[::-1]]), DARK)
    if now.teeth > 0.05 and now.mouth_open > 0.01:
        _fill(canvas, np.vstack([upper, (upper + (lower - upper) * now.teeth)[::-1]]), WHITE)
    _soft(canvas, _band(upper, 0.03, 0.03), DARK, 0.9, 1)
    for corner in (left, right):
        _soft(canvas, _oval(corner, (0.035, 0.035)), DARK, 0.7, 1.5)


def _oval(at: tuple[float, float], half: tuple[float, float]) -> Points:
    angle = np.linspace(0, 2 * pi, 40, endpoint=False)
    return np.column_stack([at[0] + half[0] * np.cos(angle), at[1] + half[1] * np.sin(angle)])


def _bend(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> Points:
    """A quadratic Bezier curve."""
    t = np.linspace(0, 1, 24)[:, None]
    a, b, c = np.array(start), np.array(control), np.array(end)
    return np.asarray((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c)


def _arch(start: tuple[float, float], end: tuple[float, float], height: float, tilt: float = 0.0) -> Points:
    """A cubic Bezier curve that is at ``height`` in its middle, lower by ``tilt`` towards its start."""
    t = np.linspace(0, 1, 24)[:, None]
    level = (height - (start[1] + end[1]) / 8) / 0.75
    a, d = np.array(start), np.array(end)
    b, c = a + (d - a) * 0.25, a + (d - a) * 0.75
    b[1], c[1] = level + 2 * tilt, level - 2 * tilt
    return np.asarray((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d)


def _between(points: Points, over: Points, under: Points) -> Points:
    """Points held between two curves, which run the same way across the face."""
    order = np.argsort(over[:, 0])
    top = np.interp(points[:, 0], over[order, 0], over[order, 1])
    order = np.argsort(under[:, 0])
    bottom = np.maximum(top, np.interp(points[:, 0], under[order, 0], under[order, 1]))
    return np.column_stack([points[:, 0], np.clip(points[:, 1], top, bottom)])


def _band(line: Points, thick: float, thin: float) -> Points:
    """A line as an area that narrows from its start to its end."""
    across = np.gradient(line, axis=0)[:, ::-1] * [1, -1]
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    half = np.linspace(thick, thin, len(line))[:, None] / 2
    return np.vstack([line + across * half, (line - across * half)[::-1]])


def _fill(canvas: Image, points: Points, colour: Colour) -> None:
    cv2.fillPoly(canvas, [_pixels(points)], colour, cv2.LINE_AA, 4)


def _soft(canvas: Image, points: Points, colour: Colour, strength: float, blur_px: float) -> None:
    """Lay a colour over an area, with soft edges."""
    if strength <= 0:
        return
    pixels = ORIGIN + points * UNIT
    margin = 3 * blur_px + 1
    x0, y0 = np.maximum(np.floor(pixels.min(axis=0) - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(pixels.max(axis=0) + margin), SIDE).astype(int)
    part = canvas[y0:y1, x0:x1]
    mask = np.zeros(part.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round((pixels - [x0, y0]) * 16).astype(np.int32)], min(strength, 1.0), cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(mask, (0, 0), blur_px)[:, :, None]
    part[:] = part + (np.array(colour, np.float32) - part) * share


def _pixels(points: Points) -> NDArray[np.int32]:
    return np.round((ORIGIN + points * UNIT) * 16).astype(np.int32)

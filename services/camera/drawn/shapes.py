"""Curves and areas of the drawn face, and how they are painted.

Lengths are in units of half the width of the face: x to the right, y downwards, the origin between the eyes and the
nose.
"""

from math import pi

import numpy as np
from numpy.typing import NDArray

from services.camera.capture.opencv import cv2

Image = NDArray[np.uint8]
"""A picture [height, width, 3], blue green red."""
Points = NDArray[np.float64]
"""x and y of points, [n, 2]."""
Colour = tuple[int, int, int]

SIDE = 400
"""side of the canvas in pixels"""
UNIT = 88.0
"""half the width of the face in pixels"""
ORIGIN = np.array([200.0, 190.0])
"""in pixels of the canvas"""


def oval(at: tuple[float, float], half: tuple[float, float]) -> Points:
    """An ellipse with these half axes."""
    angle = np.linspace(0, 2 * pi, 40, endpoint=False)
    return np.column_stack([at[0] + half[0] * np.cos(angle), at[1] + half[1] * np.sin(angle)])


def bend(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> Points:
    """A quadratic Bezier curve."""
    t = np.linspace(0, 1, 24)[:, None]
    a, b, c = np.array(start), np.array(control), np.array(end)
    return np.asarray((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c)


def arch(start: tuple[float, float], end: tuple[float, float], height: float, tilt: float = 0.0) -> Points:
    """A cubic Bezier curve that is at ``height`` in its middle, lower by ``tilt`` towards its start."""
    t = np.linspace(0, 1, 24)[:, None]
    level = (height - (start[1] + end[1]) / 8) / 0.75
    a, d = np.array(start), np.array(end)
    b, c = a + (d - a) * 0.25, a + (d - a) * 0.75
    b[1], c[1] = level + 2 * tilt, level - 2 * tilt
    return np.asarray((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d)


def between(points: Points, over: Points, under: Points) -> Points:
    """The points, moved to lie between two curves that run across the face in the same direction."""
    order = np.argsort(over[:, 0])
    top = np.interp(points[:, 0], over[order, 0], over[order, 1])
    order = np.argsort(under[:, 0])
    bottom = np.maximum(top, np.interp(points[:, 0], under[order, 0], under[order, 1]))
    return np.column_stack([points[:, 0], np.clip(points[:, 1], top, bottom)])


def band(line: Points, thick: float, thin: float) -> Points:
    """A line as an area that becomes thinner from its start to its end."""
    across = np.gradient(line, axis=0)[:, ::-1] * [1, -1]
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    half = np.linspace(thick, thin, len(line))[:, None] / 2
    return np.vstack([line + across * half, (line - across * half)[::-1]])


def fill(canvas: Image, points: Points, colour: Colour) -> None:
    """Paint an area."""
    cv2.fillPoly(canvas, [_pixels(points)], colour, cv2.LINE_AA, 4)


def shade(canvas: Image, points: Points, colour: Colour, strength: float, blur_px: float) -> None:
    """Blend a colour into an area with soft edges; ``strength`` is 0 to 1."""
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

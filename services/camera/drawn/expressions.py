"""The expressions of the drawn face for the four moods. Pure.

Lengths are in units of half the width of the face, x to the right and y downwards.
"""

from dataclasses import astuple, dataclass

from moodstream.contracts.moods import Mood


@dataclass(frozen=True)
class Expression:
    """The position of everything in the face that moves."""

    brow_inner: float
    """height of the inner ends of the brows; negative is up"""
    brow_outer: float
    """height of their outer ends"""
    brow_arch: float
    """how far their middle lies above the line between the ends"""
    brow_gap: float
    """half the distance between them"""
    brow_thick: float
    frown: float
    """strength (0-1) of the two lines between the brows"""
    eye_open: float
    """height of the upper lid above the middle of the eye"""
    eye_squint: float
    """how far the lower lid is raised"""
    eye_slant: float
    """how far the upper lid is lower at its inner end; negative: at its outer end"""
    mouth_corner: float
    """height of the corners of the mouth; negative is up"""
    mouth_width: float
    """half its width"""
    mouth_open: float
    """half the gap between the lips"""
    mouth_y: float
    """height of the whole mouth"""
    lips: float
    """thickness of the lips"""
    teeth: float
    """how much of the gap is teeth (0-1)"""
    fold: float
    """strength (0-1) of the folds from the nose to the corners of the mouth"""
    cheek: float
    """strength (0-1) of the raised cheeks"""
    socket: float
    """strength (0-1) of the shadow around the eyes"""


EXPRESSIONS: dict[Mood, Expression] = {
    Mood.ANGRY: Expression(
        0.17, -0.15, 0.04, 0.16, 0.11, 0.92, 0.13, 0.06, 0.07, 0.17, 0.31, 0.05, 0.75, 0.06, 0.04, 0.63, 0.12, 0.46
    ),
    Mood.HAPPY: Expression(
        -0.04, -0.02, 0.08, 0.24, 0.07, 0.0, 0.11, 0.06, 0.0, -0.16, 0.5, 0.11, 0.72, 0.06, 0.8, 0.5, 0.8, 0.2
    ),
    Mood.SAD: Expression(
        -0.18, 0.14, 0.0, 0.22, 0.07, 0.34, 0.05, 0.01, -0.08, 0.15, 0.46, 0.0, 0.77, 0.09, 0.0, 0.97, 0.62, 0.42
    ),
    Mood.CALM: Expression(
        0.1,
        -0.008,
        0.066,
        0.217,
        0.022,
        0.031,
        0.086,
        0.008,
        -0.011,
        -0.01,
        0.225,
        0.023,
        0.69,
        0.075,
        0.06,
        0.085,
        0.0,
        0.475,
    ),
}
"""Drawn by hand; angry, sad and calm then tuned for ``models/mood_cnn.onnx`` with ``benchmarks/drawn_face.py``."""


def mix(one: Expression, other: Expression, share: float) -> Expression:
    """An expression between two: 0 is the first, 1 the second."""
    return Expression(*(a + (b - a) * share for a, b in zip(astuple(one), astuple(other), strict=True)))

"""The camera for those who have none: a drawn face that goes through the four expressions and, sometimes, leaves.

Every picture is a pure function of the time, so what was seen once can be drawn again.
"""

from math import radians, sin

import numpy as np

from moodstream.contracts.moods import Mood
from services.camera.drawn.expressions import EXPRESSIONS, Expression, mix
from services.camera.drawn.face import WALL, draw_face, place_face
from services.camera.drawn.shapes import Image

Script = tuple[tuple[Mood, float], ...]
"""Moods, each with its seconds."""

SCRIPT: Script = (
    (Mood.HAPPY, 5.0),
    (Mood.CALM, 5.0),
    (Mood.SAD, 5.0),
    (Mood.ANGRY, 5.0),
    (Mood.NOBODY, 4.0),
)
"""One quick cycle. The empty room at its end lets the visit end."""

STAY_S = 20.0
ROUNDS = 4
STAYING: Script = (*((mood, STAY_S) for mood, _ in SCRIPT[:-1]),) * ROUNDS + SCRIPT[-1:]
"""What somebody sees who tries the page: each mood long enough to pick a song of it, and a visit of some minutes."""


def length_s(script: Script) -> float:
    return sum(seconds for _, seconds in script)


CYCLE_S = length_s(SCRIPT)
CHANGE_S = 0.5
"""duration of a change of expression"""
WALK_S = 0.5
"""duration of coming in and of leaving"""


def shown_at(t_s: float, script: Script = SCRIPT) -> Mood:
    """The mood that the script shows at a time; it repeats for ever."""
    t_s %= length_s(script)
    for mood, seconds in script:
        if t_s < seconds:
            return mood
        t_s -= seconds
    return script[-1][0]


def draw(t_s: float, size: tuple[int, int] = (640, 480), script: Script = SCRIPT) -> Image:
    """The picture at a time (s) of the script: uint8 [height, width, 3], BGR; ``size`` is (width, height) in px."""
    width, height = size
    away = _way_out(t_s, script)
    if away >= 1:
        return np.full((height, width, 3), WALL, np.uint8)
    scale = height / 480 * (1.12 + 0.10 * sin(t_s / 2.9))
    roll = radians(2.5) * sin(t_s / 1.7)
    x = width * (0.5 + 0.06 * sin(t_s / 2.3) + 0.9 * away)
    y = height * (0.50 + 0.02 * sin(t_s / 1.3))
    return place_face(draw_face(expression_at(t_s, script)), (x, y), scale, roll, size)


def expression_at(t_s: float, script: Script = SCRIPT) -> Expression:
    """The expression at a time: the script's, reached smoothly from the one before."""
    t_s %= length_s(script)
    now = before = EXPRESSIONS[script[0][0]]
    start_s = end_s = 0.0
    for mood, seconds in script:
        if t_s < end_s:
            break
        start_s, end_s = end_s, end_s + seconds
        # the face does not change while it leaves
        before, now = now, EXPRESSIONS.get(mood, now)
    return mix(before, now, _smooth((t_s - start_s) / CHANGE_S))


def _way_out(t_s: float, script: Script) -> float:
    """0 in the middle of the picture, 1 outside: the face comes in at the start of the cycle and leaves at its end."""
    t_s %= length_s(script)
    present = length_s(script[:-1])
    if t_s >= present:
        return _smooth((t_s - present) / WALK_S)
    return 1 - _smooth(0.25 + t_s / WALK_S)


def _smooth(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)

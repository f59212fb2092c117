"""Russell's circumplex of affect: moods as places on the plane of valence and arousal.

Source: J. A. Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39 (1980).
The four moods stand in the middle of the four quadrants, on the unit circle.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import sqrt


class Mood(StrEnum):
    """An apparent mood; the first four are the classes of the mood model."""

    ANGRY = "angry"
    HAPPY = "happy"
    SAD = "sad"
    CALM = "calm"
    UNSURE = "unsure"
    NOBODY = "nobody"


MOODS: tuple[Mood, ...] = (Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM)
"""The order of the model's output, and of every list of four probabilities."""

_DIAGONAL = 1 / sqrt(2)

COORDINATES: Mapping[Mood, tuple[float, float]] = {
    Mood.ANGRY: (-_DIAGONAL, _DIAGONAL),
    Mood.HAPPY: (_DIAGONAL, _DIAGONAL),
    Mood.SAD: (-_DIAGONAL, -_DIAGONAL),
    Mood.CALM: (_DIAGONAL, -_DIAGONAL),
}
"""(valence, arousal) of each of the four moods, both -1..1."""


def expectation(probabilities: Sequence[float]) -> tuple[float, float]:
    """Valence and arousal (-1..1) that four probabilities in the order of ``MOODS`` stand for."""
    pairs = [(p, *COORDINATES[mood]) for p, mood in zip(probabilities, MOODS, strict=True)]
    return sum(p * valence for p, valence, _ in pairs), sum(p * arousal for p, _, arousal in pairs)


def quadrant(valence: float, arousal: float) -> Mood:
    """The mood of the quadrant that a place lies in; the axes belong to the positive side."""
    if arousal >= 0:
        return Mood.HAPPY if valence >= 0 else Mood.ANGRY
    return Mood.CALM if valence >= 0 else Mood.SAD

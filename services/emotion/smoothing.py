"""Single-frame readings to one steady mood: smoothing by time, hysteresis, and the honesty to say unsure. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from shared.circumplex import MOODS, Mood

LEAST_PROBABILITY = 1e-3
"""Readings are held above this, so that no single frame can veto a mood."""


@dataclass(frozen=True)
class Steadiness:
    """What is asked of a mood before it is believed."""

    time_constant_s: float = 0.5
    """a reading fades to 1/e of its weight in this time"""
    hold_s: float = 0.4
    """a new mood must lead for so long"""
    unsure_below: float = 0.45
    """least probability of a mood that is named"""
    margin: float = 0.08
    """least lead over the second mood"""


class SteadyMood:
    """The mood of one face over time. Times are seconds of a clock that never runs backwards."""

    def __init__(self, steadiness: Steadiness, start: Sequence[float] | None = None, mood: Mood | None = None) -> None:
        self._steadiness = steadiness
        self._logs = [log(max(p, LEAST_PROBABILITY)) for p in start] if start is not None else None
        self._at = 0.0
        self._rival: Mood | None = None
        self._rival_since = 0.0
        self.mood = mood
        """the steady mood, None before the first reading"""

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Smoothed probabilities in the order of ``MOODS``; equal shares before the first reading."""
        if self._logs is None:
            return (1 / len(MOODS),) * len(MOODS)
        weights = [exp(value) for value in self._logs]
        return tuple(weight / sum(weights) for weight in weights)

    def read(self, probabilities: Sequence[float], at_s: float) -> None:
        """Take in the four probabilities of one frame."""
        logs = [log(max(p, LEAST_PROBABILITY)) for p in probabilities]
        if self._logs is None:
            self._logs = logs
        else:
            # the first frame after a gap may not count for more than a moment
            weight = 1 - exp(-max(0.0, at_s - self._at) / self._steadiness.time_constant_s)
            self._logs = [old + weight * (new - old) for old, new in zip(self._logs, logs, strict=True)]
        self._decide(self._leader(), at_s)

    def unread(self, at_s: float) -> None:
        """Somebody is seen but cannot be read: the mood turns unsure after the hold time."""
        self._decide(Mood.UNSURE, at_s)

    def _leader(self) -> Mood:
        (best, leader), (second, _) = sorted(zip(self.probabilities, MOODS, strict=True), reverse=True)[:2]
        sure = best >= self._steadiness.unsure_below and best - second >= self._steadiness.margin
        return leader if sure else Mood.UNSURE

    def _decide(self, leader: Mood, at_s: float) -> None:
        self._at = at_s
        if self.mood is None:
            self.mood = leader
        elif leader == self.mood:
            self._rival = None
        elif leader != self._rival:
            self._rival, self._rival_since = leader, at_s
        elif at_s - self._rival_since >= self._steadiness.hold_s:
            self.mood, self._rival = leader, None

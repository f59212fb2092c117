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

    time_constant_s: float = 0.8
    """a reading fades to 1/e of its weight in this time"""
    hold_s: float = 0.6
    """a new mood must lead for so long"""
    unsure_below: float = 0.45
    """least probability of a mood that is named"""
    margin: float = 0.1
    """least lead over the second mood"""


def leader(probabilities: Sequence[float], steadiness: Steadiness) -> Mood:
    """The mood that probabilities in the order of ``MOODS`` name, or unsure; never an invented calm."""
    (best, first), (second, _) = sorted(zip(probabilities, MOODS, strict=True), reverse=True)[:2]
    sure = best >= steadiness.unsure_below and best - second >= steadiness.margin
    return first if sure else Mood.UNSURE


class Held:
    """A mood that gives way only to one which has led for the hold time. Times never run backwards."""

    def __init__(self, hold_s: float, mood: Mood | None = None) -> None:
        self._hold_s = hold_s
        self._rival: Mood | None = None
        self._rival_since = 0.0
        self.mood = mood
        """None before the first decision"""

    def decide(self, leading: Mood, at_s: float) -> None:
        if self.mood is None:
            self.mood = leading
        elif leading == self.mood:
            self._rival = None
        elif leading != self._rival:
            self._rival, self._rival_since = leading, at_s
        elif at_s - self._rival_since >= self._hold_s:
            self.mood, self._rival = leading, None


class SteadyMood:
    """The mood of one face over time. Times are seconds of a clock that never runs backwards."""

    def __init__(self, steadiness: Steadiness, start: Sequence[float] | None = None, mood: Mood | None = None) -> None:
        self._steadiness = steadiness
        self._logs = _logs(start) if start is not None else None
        self._at: float | None = None
        self._held = Held(steadiness.hold_s, mood)

    @property
    def mood(self) -> Mood | None:
        """The steady mood, None before the first reading."""
        return self._held.mood

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Smoothed probabilities in the order of ``MOODS``; equal shares before the first reading."""
        if self._logs is None:
            return (1 / len(MOODS),) * len(MOODS)
        weights = [exp(value) for value in self._logs]
        return tuple(weight / sum(weights) for weight in weights)

    def read(self, probabilities: Sequence[float], at_s: float) -> None:
        """Take in the four probabilities of one frame."""
        logs = _logs(probabilities)
        if self._logs is None or self._at is None:
            self._logs = logs if self._logs is None else self._logs
        else:
            # the first frame after a gap counts for no more than the time constant: it may be a slip
            step_s = min(max(0.0, at_s - self._at), self._steadiness.time_constant_s)
            weight = 1 - exp(-step_s / self._steadiness.time_constant_s)
            self._logs = [old + weight * (new - old) for old, new in zip(self._logs, logs, strict=True)]
        self._at = at_s
        self._held.decide(leader(self.probabilities, self._steadiness), at_s)

    def unread(self, at_s: float) -> None:
        """Somebody is seen but cannot be read: the mood turns unsure after the hold time."""
        self._at = at_s
        self._held.decide(Mood.UNSURE, at_s)


def _logs(probabilities: Sequence[float]) -> list[float]:
    return [log(max(p, LEAST_PROBABILITY)) for p in probabilities]

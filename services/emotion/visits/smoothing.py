"""Single-frame readings to one steady mood: smoothing by time, hysteresis, and the honesty to say unsure. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from moodstream.contracts.moods import MOODS, Mood

RECENT = 0.1
"""The newest readings, as a part of the time constant: a change has to last until it is named."""
MIN_PROBABILITY = 1e-3
"""Readings are held above this, so that no single frame can veto a mood."""


@dataclass(frozen=True)
class Steadiness:
    """What is asked of a mood before it is believed."""

    time_constant_s: float = 0.6
    """a reading fades to 1/e of its weight in this time"""
    hold_s: float = 0.6
    """a new mood must lead for so long"""
    unsure_below: float = 0.5
    """least probability of a mood that is named"""
    margin: float = 0.2
    """least lead over the second mood"""


def leader(probabilities: Sequence[float], steadiness: Steadiness) -> Mood:
    """The mood that probabilities in the order of ``MOODS`` name, or unsure; never an invented calm."""
    (best, first), (second, _) = sorted(zip(probabilities, MOODS, strict=True), reverse=True)[:2]
    sure = best >= steadiness.unsure_below and best - second >= steadiness.margin
    return first if sure else Mood.UNSURE


def lasts(mood: Mood, recent: Sequence[float]) -> bool:
    """Whether the newest readings still say so; what has passed by the time it would be named is not named."""
    return mood not in MOODS or recent[MOODS.index(mood)] == max(recent)


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
        self._recent = self._logs
        self._at: float | None = None
        self._held = Held(steadiness.hold_s, mood)

    @property
    def mood(self) -> Mood | None:
        """The steady mood, None before the first reading."""
        return self._held.mood

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Smoothed probabilities in the order of ``MOODS``; equal shares before the first reading."""
        return _shares(self._logs)

    @property
    def recent(self) -> tuple[float, ...]:
        """The same of the newest readings."""
        return _shares(self._recent)

    def read(self, probabilities: Sequence[float], at_s: float) -> None:
        """Take in the four probabilities of one frame."""
        logs = _logs(probabilities)
        if self._logs is None or self._recent is None or self._at is None:
            self._logs = self._recent = logs if self._logs is None else self._logs
        else:
            # the first frame after a gap counts for no more than the time constant: it may be a slip
            steps = min(max(0.0, at_s - self._at) / self._steadiness.time_constant_s, 1.0)
            self._logs = _towards(self._logs, logs, steps)
            self._recent = _towards(self._recent, logs, steps / RECENT)
        self._at = at_s
        leading = leader(self.probabilities, self._steadiness)
        if lasts(leading, self.recent):
            self._held.decide(leading, at_s)

    def unread(self, at_s: float) -> None:
        """Somebody is seen but cannot be read: the mood turns unsure after the hold time."""
        self._at = at_s
        self._held.decide(Mood.UNSURE, at_s)


def _logs(probabilities: Sequence[float]) -> list[float]:
    return [log(max(p, MIN_PROBABILITY)) for p in probabilities]


def _towards(old: list[float], new: list[float], time_constants: float) -> list[float]:
    weight = 1 - exp(-time_constants)
    return [before + weight * (now - before) for before, now in zip(old, new, strict=True)]


def _shares(logs: list[float] | None) -> tuple[float, ...]:
    if logs is None:
        return (1 / len(MOODS),) * len(MOODS)
    weights = [exp(value) for value in logs]
    return tuple(weight / sum(weights) for weight in weights)

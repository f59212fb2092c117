"""From single-frame readings to one steady mood: smoothing over time, hysteresis, and unsure where it is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from moodstream.contracts.moods import MOODS, Mood

RECENT = 0.1
"""Time constant of the recent average, as a fraction of the smoothing's: a change must last until it is announced."""
MIN_PROBABILITY = 1e-3
"""Lower bound of a single reading, so that no frame can veto a mood."""


@dataclass(frozen=True)
class Steadiness:
    """What a mood must fulfil before it is announced."""

    time_constant_s: float = 0.6
    """the weight of a reading falls to 1/e in this time"""
    hold_s: float = 0.6
    """how long a new mood must stay ahead"""
    unsure_below: float = 0.5
    """minimum probability"""
    margin: float = 0.2
    """minimum lead over the second most likely mood"""


def leading_mood(probabilities: Sequence[float], steadiness: Steadiness) -> Mood:
    """The likeliest mood, given probabilities in the order of ``MOODS``; unsure when it does not lead clearly."""
    (best, first), (second, _) = sorted(zip(probabilities, MOODS, strict=True), reverse=True)[:2]
    sure = best >= steadiness.unsure_below and best - second >= steadiness.margin
    return first if sure else Mood.UNSURE


def still_leads(mood: Mood, recent: Sequence[float]) -> bool:
    """Whether the newest readings agree: an expression that is over by now is not announced."""
    return mood not in MOODS or recent[MOODS.index(mood)] == max(recent)


class HeldMood:
    """Hysteresis: the mood changes only to one that has led for the hold time. Times never run backwards.

    A mood that has not led for twice that time, whatever leads instead by turns, is not believed any more: unsure.
    """

    LOST_HOLDS = 2.0

    def __init__(self, hold_s: float, mood: Mood | None = None) -> None:
        self._hold_s = hold_s
        self._rival: Mood | None = None
        self._rival_since = 0.0
        self._lost_since: float | None = None
        """None while the held mood leads"""
        self.mood = mood
        """None before the first decision"""

    def decide(self, leading: Mood, at_s: float, agreed: bool = True) -> None:
        """Take note of the mood that leads now, and of whether the newest readings agree: else it wins nothing."""
        if self.mood is None:
            self.mood = leading if agreed else None
        elif leading == self.mood:
            self._rival = self._lost_since = None
        elif agreed and leading == self._rival and at_s - self._rival_since >= self._hold_s:
            self.mood, self._rival, self._lost_since = leading, None, None
        else:
            if agreed and leading != self._rival:
                self._rival, self._rival_since = leading, at_s
            self._lost_since = at_s if self._lost_since is None else self._lost_since
            if at_s - self._lost_since > self.LOST_HOLDS * self._hold_s:
                self.mood, self._lost_since = Mood.UNSURE, None  # the rival waits on


class SteadyMood:
    """The mood of one face over time. Times are seconds of a clock that never runs backwards."""

    def __init__(self, steadiness: Steadiness, start: Sequence[float] | None = None, mood: Mood | None = None) -> None:
        self._steadiness = steadiness
        self._logs = _logs(start) if start is not None else None
        self._recent = self._logs
        self._at: float | None = None
        self._held = HeldMood(steadiness.hold_s, mood)

    @property
    def mood(self) -> Mood | None:
        """The steady mood; None before the first reading."""
        return self._held.mood

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Smoothed probabilities in the order of ``MOODS``; equal before the first reading."""
        return _shares(self._logs)

    @property
    def recent(self) -> tuple[float, ...]:
        """The average of the newest readings, in the order of ``MOODS``."""
        return _shares(self._recent)

    def add_reading(self, probabilities: Sequence[float], at_s: float) -> None:
        """Add the four probabilities of one frame."""
        logs = _logs(probabilities)
        if self._logs is None or self._recent is None or self._at is None:
            self._logs = self._recent = logs if self._logs is None else self._logs
        else:
            # the first frame after a gap counts for no more than the time constant: it may be a slip
            steps = min(max(0.0, at_s - self._at) / self._steadiness.time_constant_s, 1.0)
            self._logs = _towards(self._logs, logs, steps)
            self._recent = _towards(self._recent, logs, steps / RECENT)
        self._at = at_s
        leading = leading_mood(self.probabilities, self._steadiness)
        self._held.decide(leading, at_s, still_leads(leading, self.recent))

    def add_unread(self, at_s: float) -> None:
        """The face is seen but cannot be read: the mood becomes unsure after the hold time."""
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

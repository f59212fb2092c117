"""A voice is heard against what is usual: for everybody, or, where there is some, in the visitor's own last speech."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from services.voice.log_mel import BANDS, COLUMNS, FRAMES_A_S, LEVEL, PITCH, VOICED, VOICING, Floats
from services.voice.summary import NUMBERS, is_loud, summary

FRAMES = 256
"""of a piece of speech that the model is given: 4.1 s"""
INPUTS = COLUMNS + 2
"""the features, the weight of the own statistics, and 1 where there is sound"""
NUMBERS_IN = NUMBERS + 1
"""a summary, and the weight of the own statistics"""
OWN_S = 30.0
"""of the visitor's own last speech that count"""
HALF_S = 3.0
"""so much own speech weighs as much as what is usual for everybody"""
HALF_PIECES = 2.0
SURE_PIECES = 4.0
"""the deviation of own summaries is believed as if it were seen this many times before"""
SPREAD, PITCH_SPREAD, LEVEL_SPREAD = 2.5, 0.4, 2.5
USUAL_VOICING, VOICING_SPREAD = 0.6, 0.25
LIMIT = 5.0


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual for everybody, in the data of the training."""

    bands: Floats
    """[BANDS], above the level of the speech"""
    mean: Floats
    """[NUMBERS], of summaries"""
    spread: Floats
    """[NUMBERS], their deviation"""
    own_spread: Floats
    """[NUMBERS], their deviation within a speaker"""


_LEVEL, _FRAMES, _VOICED, _PITCH, _PIECES = range(BANDS, BANDS + 5)
SUMS = BANDS + 5 + 2 * NUMBERS


@dataclass(frozen=True, eq=False)
class Statistics:
    """Sums over some speech: what is needed to hear more of it against it, and no more."""

    sums: NDArray[np.float64]
    """[SUMS]: of logarithms of power in the bands and over all of them, of frames, of those with a pitch and their
    pitches, of pieces, of their summaries and of the squares of these"""

    @classmethod
    def of(cls, features: Floats, numbers: Floats | None = None) -> "Statistics":
        """Of the louder 70 % of the frames [T, COLUMNS] of a piece, and of its summary ``numbers`` where that is known
        already."""
        loud = features[is_loud(features[:, LEVEL])].astype(np.float64)
        pitches = loud[loud[:, VOICING] > VOICED, PITCH]
        found = (summary(features) if numbers is None else numbers).astype(np.float64)
        counts = [loud[:, LEVEL].sum(), len(loud), len(pitches), pitches.sum(), 1]
        return cls(np.concatenate([loud[:, :BANDS].sum(axis=0), counts, found, np.square(found)]))

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(self.sums + other.sums)

    @property
    def bands(self) -> NDArray[np.float64]:
        """[BANDS], means"""
        return self.sums[:BANDS] / self.frames

    @property
    def level(self) -> float:
        """mean"""
        return float(self.sums[_LEVEL]) / self.frames

    @property
    def frames(self) -> float:
        return float(self.sums[_FRAMES])

    @property
    def voiced(self) -> float:
        """frames that have a pitch"""
        return float(self.sums[_VOICED])

    @property
    def pitch(self) -> float:
        """sum"""
        return float(self.sums[_PITCH])

    @property
    def pieces(self) -> float:
        return float(self.sums[_PIECES])

    @property
    def numbers(self) -> NDArray[np.float64]:
        """[2, NUMBERS]: means of the summaries, and of their squares"""
        return np.asarray(self.sums[_PIECES + 1 :].reshape(2, NUMBERS) / self.pieces)


@dataclass(frozen=True, eq=False)
class Own:
    """Statistics of one person's speech, at each of ``SPEEDS``."""

    at_speeds: tuple[Statistics, ...]

    @classmethod
    def of(cls, features: Sequence[Floats], numbers: Sequence[Floats]) -> "Own":
        """Of a piece: its features [T, COLUMNS] and its summary at each speed."""
        return cls(tuple(map(Statistics.of, features, numbers)))

    def __add__(self, other: "Own") -> "Own":
        return Own(tuple(one + more for one, more in zip(self.at_speeds, other.at_speeds, strict=True)))


class OwnVoice:
    """Statistics of the last ``OWN_S`` of one visitor's speech. Forgotten with the visitor."""

    def __init__(self) -> None:
        self._pieces: deque[Own] = deque()

    def add(self, piece: Own) -> None:
        """One more piece of speech."""
        self._pieces.append(piece)
        while len(self._pieces) > 1 and sum(one.at_speeds[0].frames for one in self._pieces) > OWN_S * FRAMES_A_S:
            self._pieces.popleft()

    def statistics(self) -> Own | None:
        """None before the first piece."""
        return reduce(add, self._pieces) if self._pieces else None


def frames_in(features: Floats, usual: Usual, own: Statistics | None = None) -> Floats:
    """The frames of a piece of speech as the model is given them: float32[FRAMES, INPUTS].

    ``features`` [T, COLUMNS] are its frames, of which the first ``FRAMES`` count. Without own statistics how loud a
    voice is says nothing: that is the microphone's.
    """
    features = features[:FRAMES]
    level = float(features[is_loud(features[:, LEVEL]), LEVEL].mean())
    bands, pitch, weight = usual.bands + level, 0.0, 0.0
    if own is not None:
        weight = own.frames / (own.frames + HALF_S * FRAMES_A_S)
        bands = (1 - weight) * bands + weight * own.bands
        level = (1 - weight) * level + weight * own.level
        pitch = own.pitch / (own.voiced + HALF_S * FRAMES_A_S / 2)
    out = np.zeros((FRAMES, INPUTS), np.float32)
    rows = out[: len(features)]
    rows[:, :BANDS] = (features[:, :BANDS] - bands) / SPREAD
    rows[:, PITCH] = np.where(features[:, VOICING] > VOICED, (features[:, PITCH] - pitch) / PITCH_SPREAD, 0)
    rows[:, VOICING] = (features[:, VOICING] - USUAL_VOICING) / VOICING_SPREAD
    rows[:, LEVEL] = (features[:, LEVEL] - level) / LEVEL_SPREAD
    np.clip(rows, -LIMIT, LIMIT, out=rows)
    rows[:, COLUMNS], rows[:, COLUMNS + 1] = weight, 1
    return out


def numbers_in(numbers: Floats, usual: Usual, own: Statistics | None = None) -> Floats:
    """A summary [NUMBERS] as the model is given it: float32[NUMBERS_IN]."""
    out = np.zeros(NUMBERS_IN, np.float32)
    out[:-1] = (numbers - usual.mean) / usual.spread
    out[NUMBERS - 1] = 0
    if own is not None:
        weight = own.pieces / (own.pieces + HALF_PIECES)
        mean, mean_square = own.numbers
        squares = own.pieces * (mean_square - np.square(mean)).clip(0)
        spread = np.sqrt((squares + SURE_PIECES * np.square(usual.own_spread)) / (own.pieces + SURE_PIECES))
        out[:-1] += weight * ((numbers - mean) / spread - out[:-1])
        out[-1] = weight
    return np.clip(out, -LIMIT, LIMIT, out=out)

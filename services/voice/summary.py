"""A piece of speech in a row of numbers: how its timbre, pitch, rhythm and level lie and move. What the network is
given beside the frames: it learns from few voices, and these are what they can teach soonest."""

from functools import cache

import numpy as np

from services.voice.log_mel import BANDS, FRAMES_A_S, LEVEL, PITCH, VOICED, VOICING, Floats, Mask, Numbers
from services.voice.phonation import PHONATION, phonation

CEPSTRA = 20
OF_KIND = 16
"""Cepstra whose means are told for voiced and for other frames."""
MOVING = 13
"""Cepstra whose movement is told."""
MODULATIONS_HZ = ((1.0, 2.5), (2.5, 5.0), (5.0, 9.0), (9.0, 15.0), (15.0, 28.0))
"""How fast a level changes: syllables come about four times a second."""
PARTS = ((0, 10), (10, 22), (22, 38), (38, BANDS))
"""Bands whose levels are followed together: below 450 Hz, 1.1 kHz, 2.7 kHz, and above."""
LOW, HIGH = slice(0, 14), slice(38, BANDS)
"""Bands of the fundamental, and of what makes a voice sharp."""
_TIMBRE = 6 * CEPSTRA + 2 * BANDS + 2 * OF_KIND
_MOVEMENT = 4 * MOVING
_PITCHES = 10 + 13
_RHYTHM = len(MODULATIONS_HZ) * (1 + len(PARTS)) + 5
_SHARPNESS = 6
_COURSE = 6 + 4 + 6
_VOICING = 5
NUMBERS = _TIMBRE + _MOVEMENT + _PITCHES + _RHYTHM + _SHARPNESS + _VOICING + PHONATION + _COURSE
"""of a summary; the last one is the level, which says nothing without the speaker's other speech"""


def summary(features: Floats) -> Floats:
    """float32[NUMBERS] of the frames [T, COLUMNS] of a piece of speech.

    Of the louder 70 % of the frames: mean, deviation and quantiles of mel cepstra and bands, less the level; their
    means in voiced frames and in others, and how they move; the pitch and its course; how fast levels change; how sharp
    the voice is; the course of the level.
    """
    level = features[:, LEVEL]
    loud, voiced = is_loud(level), np.asarray(features[:, VOICING] > VOICED)
    usual = float(level[loud].mean())
    bands = features[:, :BANDS] - usual
    return np.concatenate(
        [
            _timbre(bands, loud, voiced),
            _movement(bands @ _cosines()),
            _pitches(features, loud, voiced),
            _melody(features, voiced, usual),
            _rhythm(features, voiced, usual),
            _sharpness(bands, loud, voiced),
            _voicing(features[voiced, VOICING]),
            phonation(features, bands, loud, voiced),
            _course(bands, level, usual),
        ]
    ).astype(np.float32)


def _timbre(bands: Numbers, loud: Mask, voiced: Mask) -> Numbers:
    cepstra = bands @ _cosines()
    some = cepstra[loud]
    moves = np.diff(cepstra, axis=0) if len(cepstra) > 1 else np.zeros((1, CEPSTRA))
    kinds = [
        cepstra[both][:, :OF_KIND] if both.sum() > 2 else some[:, :OF_KIND] for both in (loud & voiced, loud & ~voiced)
    ]
    return np.concatenate(
        [
            some.mean(axis=0),
            some.std(axis=0),
            np.quantile(some, [0.1, 0.5, 0.9], axis=0).ravel(),
            moves.std(axis=0),
            bands[loud].mean(axis=0),
            bands[loud].std(axis=0),
            *(kind.mean(axis=0) for kind in kinds),
        ]
    )


def _movement(cepstra: Numbers) -> Numbers:
    """Over 64 ms, and how that changes."""
    moves = cepstra[4:, :MOVING] - cepstra[:-4, :MOVING] if len(cepstra) > 6 else np.zeros((3, MOVING))
    turns = moves[2:] - moves[:-2]
    return np.concatenate([moves.std(axis=0), *np.quantile(moves, [0.1, 0.9], axis=0), turns.std(axis=0)])


def _pitches(features: Floats, loud: Mask, voiced: Mask) -> list[float]:
    pitch = features[voiced, PITCH] if voiced.sum() > 2 else np.zeros(3, np.float32)
    return [
        pitch.mean(),
        pitch.std(),
        *np.quantile(pitch, [0.1, 0.5, 0.9]),
        np.abs(np.diff(pitch)).mean(),
        voiced.mean(),
        features[loud, VOICING].mean(),
        features[loud, VOICING].std(),
        np.log(len(features) / FRAMES_A_S),
    ]


def _melody(features: Floats, voiced: Mask, usual: float) -> list[float]:
    """Octaves a second, the way from the first third to the last, the range, steps; pitch and level together."""
    if voiced.sum() <= 8:
        return [0.0] * 13
    pitch, level, at = features[voiced, PITCH], features[voiced, LEVEL], np.flatnonzero(voiced) / FRAMES_A_S
    slope = float(np.polyfit(at - at.mean(), pitch, 1)[0])
    third = max(3, len(pitch) // 3)
    steps = np.diff(pitch)[np.diff(at) < 1.5 / FRAMES_A_S]
    if len(steps) < 4:
        steps = np.zeros(4)
    even = pitch.std() < 1e-4 or level.std() < 1e-3
    return [
        slope,
        (pitch - slope * (at - at.mean())).std(),
        pitch[-third:].mean() - pitch[:third].mean(),
        np.ptp(pitch),
        float(np.subtract(*np.quantile(pitch, [0.95, 0.05]))),
        steps.std(),
        *np.quantile(steps, [0.1, 0.9]),
        (steps > 0).mean(),
        np.abs(np.diff(steps)).mean(),
        0.0 if even else float(np.corrcoef(pitch, level)[0, 1]),
        level.mean() - usual,
        level.std(),
    ]


def _rhythm(features: Floats, voiced: Mask, usual: float) -> Numbers:
    """How fast levels change; how long sounds with and without pitch last; how many peaks there are a second."""
    level = features[:, LEVEL]
    tracks = [level, *(features[:, first:end].mean(axis=1) for first, end in PARTS)]
    sounds, breaks = _lengths_s(voiced), _lengths_s(~voiced)
    length_s = max(0.2, len(features) / FRAMES_A_S)
    inner = level[1:-1]
    peaks = (inner > level[:-2]) & (inner >= level[2:]) & (inner > usual - 1.5)
    means = [one.mean() if len(one) else 0.0 for one in (sounds, breaks)]
    longest = sounds.max() if len(sounds) else 0.0
    changes = [one for track in tracks for one in _modulations(track)]
    return np.array([*changes, *means, longest, len(sounds) / length_s, peaks.sum() / length_s])


def _modulations(track: Numbers) -> list[float]:
    """Logarithms of power in ``MODULATIONS_HZ``."""
    track = track[:256] - track.mean()
    track = np.pad(track, (0, max(0, 128 - len(track))))
    power = np.abs(np.fft.rfft(track * np.hanning(len(track)))) ** 2
    rates = np.fft.rfftfreq(len(track), 1 / FRAMES_A_S)
    return [float(np.log(power[(rates >= low) & (rates < high)].mean() + 1e-3)) for low, high in MODULATIONS_HZ]


def _lengths_s(mask: Mask) -> Numbers:
    """Of the runs in which it holds."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)) / FRAMES_A_S


def _sharpness(bands: Numbers, loud: Mask, voiced: Mask) -> list[float]:
    tilt = (bands @ np.linspace(-1, 1, BANDS))[loud]
    sharp = bands[:, HIGH].mean(axis=1) - bands[:, LOW].mean(axis=1)
    both = loud & voiced
    return [
        tilt.std(),
        *np.quantile(tilt, [0.1, 0.9]),
        sharp[loud].mean(),
        sharp[loud].std(),
        (sharp[both] if both.sum() > 2 else sharp[loud]).mean(),
    ]


def _voicing(periodicity: Floats) -> list[float]:
    some = periodicity if len(periodicity) > 2 else np.zeros(3, np.float32)
    return [some.mean(), some.std(), *np.quantile(some, [0.1, 0.9]), np.abs(np.diff(some)).mean()]


def _course(bands: Numbers, level: Floats, usual: float) -> list[float]:
    """Level and brightness in each third, rises and falls of the level, its spread; last the level itself."""
    thirds = [some for some in np.array_split(np.arange(len(level)), 3) if len(some)] or [np.arange(1)]
    thirds += [thirds[-1]] * (3 - len(thirds))
    tilt = bands @ np.linspace(-1, 1, BANDS)
    moves = np.diff(level) if len(level) > 1 else np.zeros(1)
    rises, falls = moves[moves > 0], moves[moves < 0]
    return [
        *(one for third in thirds for one in (level[third].mean() - usual, tilt[third].mean())),
        rises.mean() if len(rises) else 0.0,
        falls.mean() if len(falls) else 0.0,
        *np.quantile(moves, [0.05, 0.95]),
        level.std(),
        *np.quantile(level - usual, [0.1, 0.5, 0.9]),
        np.abs(moves).mean(),
        usual,
    ]


def is_loud(level: Floats) -> Mask:
    """Which frames are among the louder 70 %, by their level [T]."""
    at = int(0.3 * (len(level) - 1))
    return np.asarray(level >= np.partition(level, at)[at])


@cache
def _cosines() -> Floats:
    """The discrete cosine transform from bands to cepstra, float32[BANDS, CEPSTRA]."""
    place = np.arange(BANDS)[:, None] + 0.5
    matrix = np.cos(np.pi * place * np.arange(CEPSTRA) / BANDS) * np.sqrt(2 / BANDS)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)

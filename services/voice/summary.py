"""A piece of speech in a row of numbers: how its timbre, pitch and level lie and move. What the network is given beside
the frames: it learns from few voices, and these are what they can teach soonest."""

from functools import cache

import numpy as np

from services.voice.log_mel import BANDS, HOP, LEVEL, PITCH, RATE, VOICED, VOICING, Floats

CEPSTRA = 20
NUMBERS = 6 * CEPSTRA + 2 * BANDS + 10 + 6
"""of a summary; the last one is the level, which says nothing without the speaker's other speech"""


def summary(features: Floats) -> Floats:
    """float32[NUMBERS] of the frames [T, COLUMNS] of a piece of speech.

    Of the louder 70 % of the frames: mean, deviation, three quantiles and movement of mel cepstra, mean and deviation
    of the bands, less the level; of the voiced frames the pitch; of all of them the course of the level.
    """
    level = features[:, LEVEL]
    loud = features[is_loud(level)]
    usual = float(loud[:, LEVEL].mean())
    bands = loud[:, :BANDS] - usual
    cepstra = bands @ _cosines()
    moves = np.diff(features[:, :BANDS] @ _cosines(), axis=0) if len(features) > 1 else np.zeros((1, CEPSTRA))
    return np.concatenate(
        [
            cepstra.mean(axis=0),
            cepstra.std(axis=0),
            np.quantile(cepstra, [0.1, 0.5, 0.9], axis=0).ravel(),
            moves.std(axis=0),
            bands.mean(axis=0),
            bands.std(axis=0),
            _pitch(features, loud),
            [level.std(), *np.quantile(level - usual, [0.1, 0.5, 0.9])],
            [np.abs(np.diff(level)).mean() if len(level) > 1 else 0.0, usual],
        ]
    ).astype(np.float32)


def _pitch(features: Floats, loud: Floats) -> list[float]:
    voiced = features[:, VOICING] > VOICED
    pitch = features[voiced, PITCH] if voiced.sum() > 2 else np.zeros(3, np.float32)
    return [
        pitch.mean(),
        pitch.std(),
        *np.quantile(pitch, [0.1, 0.5, 0.9]),
        np.abs(np.diff(pitch)).mean(),
        voiced.mean(),
        loud[:, VOICING].mean(),
        loud[:, VOICING].std(),
        np.log(len(features) * HOP / RATE),
    ]


def is_loud(level: Floats) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
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

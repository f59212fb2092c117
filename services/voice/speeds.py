"""The same speech at several speeds, and so at several pitches: what is said of all of them together depends less on
whose voice it is. NumPy alone."""

from collections.abc import Sequence

import numpy as np

from services.voice.log_mel import Floats, frame_features

SPEEDS = (1.0, 0.88, 1.13)
"""as it is, slower and lower, faster and higher"""


def at_speed(sound: Floats, factor: float) -> Floats:
    """Mono sound float32[n], faster and higher (a factor above 1), or slower and lower."""
    if factor == 1 or not len(sound):
        return sound
    return np.asarray(np.interp(np.arange(0, len(sound) - 1, factor), np.arange(len(sound)), sound), np.float32)


def features_at_speeds(sound: Floats) -> Sequence[Floats]:
    """The features [T, COLUMNS] of mono sound float32[n] at ``RATE``, at each of ``SPEEDS``."""
    return [frame_features(at_speed(sound, factor)) for factor in SPEEDS]

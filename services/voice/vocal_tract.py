"""What shapes a voice, frame by frame: resonances of the vocal tract, and how its first harmonics compare. NumPy alone.

Resonances are peaks of the envelope that linear prediction finds (J. Makhoul, "Linear prediction: a tutorial review",
1975); the numbers follow the parameters of F. Eyben et al., "The Geneva minimalistic acoustic parameter set", 2016.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDER = 16
EMPHASIS = 0.97
GRID_HZ = np.arange(200.0, 4500.0, 50.0)
RANGES_HZ = ((250.0, 1000.0), (850.0, 2800.0), (1900.0, 4000.0))
"""where the first three resonances lie"""
APART_HZ = 200.0
"""two resonances, at least"""
TRACT_COLUMNS = 8
"""logarithms of three frequencies, of the strength of the first above the mean, of the second and third above the
first; the first harmonic above the second, and above the third resonance"""

Numbers = NDArray[np.floating[Any]]


def vocal_tract(power: Numbers, lags: Numbers, pitch_hz: Numbers, hz_a_bin: float, rate: int) -> Numbers:
    """[T, TRACT_COLUMNS] of power spectra [T, bins], their autocorrelations [T, > ORDER + 1] and pitches [T]."""
    heights = _envelope(_predictor(_emphasised(lags)), rate)
    rows = np.arange(len(heights))
    inner = heights[:, 1:-1]
    peaks = np.zeros(heights.shape, bool)
    peaks[:, 1:-1] = (inner >= heights[:, :-2]) & (inner > heights[:, 2:])
    peaked = np.where(peaks, heights, heights - 20)
    found, above = [], np.zeros(len(heights))
    for low, high in RANGES_HZ:
        fits = (np.maximum(low, above)[:, None] <= GRID_HZ) & (high >= GRID_HZ)
        found.append(np.where(fits, peaked, -np.inf).argmax(axis=1))
        above = GRID_HZ[found[-1]] + APART_HZ
    first, second, third = (heights[rows, at] for at in found)
    harmonics = [_peak(power, times * pitch_hz, hz_a_bin) for times in (1, 2)]
    third_hz = np.maximum(1, np.round(GRID_HZ[found[2]] / pitch_hz)) * pitch_hz
    return np.column_stack(
        [
            *(np.log(GRID_HZ[at] / 1000) for at in found),
            first - heights.mean(axis=1),
            second - first,
            third - first,
            harmonics[0] - harmonics[1],
            harmonics[0] - _peak(power, third_hz, hz_a_bin),
        ]
    )


def _emphasised(lags: Numbers) -> Numbers:
    """Autocorrelations of the sound less ``EMPHASIS`` of the sample before, with a little noise: [T, ORDER + 1]."""
    near = np.concatenate([lags[:, 1:2], lags[:, : ORDER + 2]], axis=1)
    out = (1 + EMPHASIS**2) * lags[:, : ORDER + 1] - EMPHASIS * (near[:, : ORDER + 1] + near[:, 2 : ORDER + 3])
    out[:, 0] = out[:, 0] * 1.001 + 1e-12
    return np.asarray(out)


def _predictor(lags: Numbers) -> Numbers:
    """Coefficients [T, ORDER + 1] by Levinson's recursion, all frames at once."""
    found = np.zeros_like(lags)
    found[:, 0] = 1
    left = lags[:, 0].copy()
    for at in range(1, ORDER + 1):
        share = -(found[:, :at] * lags[:, at:0:-1]).sum(axis=1) / left
        found[:, 1 : at + 1] += share[:, None] * found[:, at - 1 :: -1][:, :at]
        left *= 1 - share**2
    return found


def _envelope(predictor: Numbers, rate: int) -> Numbers:
    """Logarithm of the power that the predictor's filter lets through, at ``GRID_HZ``: [T, grid]."""
    cosines, sines = _waves(rate)
    return np.asarray(-np.log((predictor @ cosines) ** 2 + (predictor @ sines) ** 2 + 1e-9))


@cache
def _waves(rate: int) -> tuple[Numbers, Numbers]:
    angles = 2 * np.pi * np.arange(ORDER + 1)[:, None] * GRID_HZ / rate
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _peak(power: Numbers, hz: Numbers, hz_a_bin: float) -> Numbers:
    """Logarithm of the largest power within a bin of a frequency [T]."""
    at = np.clip(np.round(hz / hz_a_bin).astype(int), 1, power.shape[1] - 2)
    near = at[:, None] + np.arange(-1, 2)
    return np.asarray(np.log(np.take_along_axis(power, near, axis=1).max(axis=1) + 1e-9))

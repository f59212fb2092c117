"""What the voice model is given: log-mel bands, pitch, voicing and level, frame by frame. NumPy alone.

Training and the product use these functions, so both see the same numbers.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.voice.vocal_tract import TRACT_COLUMNS, vocal_tract

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

RATE = 16_000
"""samples a second, mono"""
WINDOW = 640
"""40 ms: long enough to tell the harmonics of a deep voice apart"""
HOP = 256
"""16 ms: 62.5 frames a second"""
FFT = 1024
BANDS = 64
LOW_HZ, HIGH_HZ = 60.0, 7_600.0
PITCH_HZ = (65.0, 520.0)
TYPICAL_PITCH_HZ = 180.0
VOICED = 0.45
"""frames whose periodicity is lower have no pitch"""
FLOOR = 1e-8
"""power below which a band is silent"""
PITCH, VOICING, LEVEL = BANDS, BANDS + 1, BANDS + 2
COLUMNS = BANDS + 3
"""that the network is given"""
TRACT = slice(COLUMNS, COLUMNS + TRACT_COLUMNS)
"""columns that only a summary uses"""
FRAMES_A_S = RATE / HOP


def frame_features(sound: Floats) -> Floats:
    """Features float32[T, COLUMNS + TRACT_COLUMNS] of mono sound float32[n] at ``RATE``: ``BANDS`` logarithms of power
    in mel bands, pitch in octaves above ``TYPICAL_PITCH_HZ`` (0 where there is none), periodicity 0..1, logarithm of
    the power; then what ``vocal_tract`` tells.

    Sound shorter than a window is filled up with silence: there is always one frame.
    """
    sound = np.asarray(sound, np.float32)
    if len(sound) < WINDOW:
        sound = np.pad(sound, (0, WINDOW - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * _window(), FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / np.float32(np.square(_window()).sum())
    lags = np.fft.irfft(power, axis=1)[:, : WINDOW // 2 + 1]
    pitch, voicing, pitch_hz = _pitch(lags / _window_lags())
    out = np.empty((len(frames), TRACT.stop), np.float32)
    out[:, :BANDS] = np.log(power @ _filters() + FLOOR)
    out[:, PITCH], out[:, VOICING] = pitch, voicing
    out[:, LEVEL] = np.log(power.mean(axis=1) + FLOOR)
    out[:, TRACT] = vocal_tract(power, lags, pitch_hz, RATE / FFT, RATE)
    return out


def _pitch(lags: Numbers) -> tuple[Floats, Floats, Numbers]:
    """Pitch, periodicity and hertz of each frame, from its autocorrelation [T, WINDOW // 2 + 1]."""
    first, last = round(RATE / PITCH_HZ[1]), round(RATE / PITCH_HZ[0])
    likeness = lags[:, first : last + 1] / (lags[:, :1] + 1e-9)
    best = likeness.max(axis=1)
    # the shortest lag that is nearly as good as the best: multiples of the period are as good as the period
    inner = likeness[:, 1:-1]
    peak = (inner >= likeness[:, :-2]) & (inner >= likeness[:, 2:]) & (inner >= 0.88 * best[:, None])
    at = np.where(peak.any(axis=1), peak.argmax(axis=1) + 1, likeness.argmax(axis=1)) + first
    voicing = best.clip(0, 1)
    octaves = np.log2(RATE / at / TYPICAL_PITCH_HZ)
    octaves[voicing < VOICED] = 0
    return octaves.astype(np.float32), voicing.astype(np.float32), RATE / at


@cache
def _window() -> Floats:
    return np.hanning(WINDOW + 2)[1:-1].astype(np.float32)


@cache
def _window_lags() -> Floats:
    """The autocorrelation of the window, by which that of a windowed frame is too small."""
    power = np.abs(np.fft.rfft(_window(), FFT * 2)) ** 2
    lags = np.fft.irfft(power)[: WINDOW // 2 + 1]
    return np.asarray(lags / lags[0], np.float32)


@cache
def _filters() -> Floats:
    """Triangles float32[FFT // 2 + 1, BANDS], evenly spaced on the mel scale (O'Shaughnessy, 1987)."""
    edges = _edges_hz()
    bins = np.arange(FFT // 2 + 1)[:, None] * (RATE / FFT)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.minimum(rising, falling).clip(0)
    return np.asarray(triangles / triangles.sum(axis=0).clip(1e-9), np.float32)


def bands_hz() -> Numbers:
    """Middles of the mel bands [BANDS]."""
    return _edges_hz()[1:-1]


def _edges_hz() -> Numbers:
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    return np.asarray(700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1))

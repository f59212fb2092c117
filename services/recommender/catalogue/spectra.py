"""From sound to the spectra that everything else is measured on.

Written out with NumPy and SciPy, because models are fitted on exactly these numbers: no release of a library may move
them.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from services.recommender.catalogue.sound_file import RATE, Sound

Floats = npt.NDArray[np.floating]

WINDOW, HOP = 2048, 512
"""Samples: 93 ms each 23 ms, for timbre and rhythm."""
FRAMES_A_S = RATE / HOP

LONG_WINDOW, LONG_HOP = 8192, 2048
"""Samples: 0.37 s, for pitch: low notes lie close together."""

BANDS = 128
"""Mel bands from ``LOWEST`` to ``HIGHEST`` hertz: what coarse codecs leave alone."""
LOWEST, HIGHEST = 30.0, 10_500.0


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of mono sound at ``RATE``, each computed once, when it is asked for."""

    sound: Sound

    @cached_property
    def magnitudes(self) -> Floats:
        """[1025, t] of the short windows."""
        return _magnitudes(self.sound, WINDOW, HOP)

    @cached_property
    def long_magnitudes(self) -> Floats:
        """[4097, t] of the long windows."""
        return _magnitudes(self.sound, LONG_WINDOW, LONG_HOP)

    @cached_property
    def mel(self) -> Floats:
        """[128, t] power in mel bands."""
        return np.asarray(mel_filters() @ (self.magnitudes**2))

    def decibels(self, bands: int) -> Floats:
        """[bands, t] neighbouring mel bands together."""
        power = self.mel.reshape(bands, BANDS // bands, -1).sum(axis=1)
        return np.asarray(10 * np.log10(power + 1e-6))

    @cached_property
    def flux(self) -> Floats:
        """[64, t - 1] by how many decibels each of 64 bands grew since the frame before."""
        return np.asarray(np.maximum(0, np.diff(self.decibels(64), axis=1)))

    @cached_property
    def onsets(self) -> Floats:
        """[t - 1] how much begins in each frame."""
        return np.asarray(self.flux.mean(axis=0))

    @cached_property
    def shape(self) -> Floats:
        """[6, t] logarithms of centroid, bandwidth, flatness, roll-off and zero crossings (hertz); loudness in dB."""
        return _shape(self.sound, self.magnitudes)

    @cached_property
    def sustained(self) -> Floats:
        """[64, t] the share of sustained sound in each band, 0..1, after D. FitzGerald's median filters (2010)."""
        from scipy.ndimage import median_filter

        amplitudes = np.sqrt(self.mel.reshape(64, 2, -1).sum(axis=1))
        along, across = median_filter(amplitudes, (1, 17)) ** 2, median_filter(amplitudes, (9, 1)) ** 2
        return np.asarray(along / (along + across + 1e-12))


def _magnitudes(sound: Sound, window: int, hop: int) -> Floats:
    from scipy.fft import rfft

    padded = np.pad(sound, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    return np.asarray(np.abs(rfft(frames * shape, axis=1)).T, dtype=np.float32)


def _shape(sound: Sound, magnitudes: Floats) -> Floats:
    hertz = np.arange(len(magnitudes)) * RATE / WINDOW
    total = magnitudes.sum(axis=0) + 1e-9
    centroid = hertz @ magnitudes / total
    width = np.sqrt(np.maximum(hertz**2 @ magnitudes / total - centroid**2, 0))
    power = magnitudes**2
    flatness = np.exp(np.log(power + 1e-10).mean(axis=0)) / (power.mean(axis=0) + 1e-10)
    rolloff = hertz[(np.cumsum(magnitudes, axis=0) < 0.85 * total).sum(axis=0).clip(0, len(hertz) - 1)]
    logs = [np.log(centroid + 1), np.log(width + 1), np.log(flatness + 1e-6), np.log(rolloff + 1)]
    starts = np.arange(magnitudes.shape[1]) * HOP
    signs = np.signbit(np.where(np.abs(sound) <= 1e-10, 0, sound))
    crossings = _running(np.diff(np.pad(signs, WINDOW // 2, mode="edge")))
    crossed = (crossings[starts + WINDOW - 1] - crossings[starts]) / WINDOW
    squares = _running(np.pad(sound.astype(np.float64) ** 2, WINDOW // 2))
    loudness = np.sqrt(np.maximum((squares[starts + WINDOW] - squares[starts]) / WINDOW, 1e-12))
    return np.stack([*logs, np.log(crossed + 1e-3), 20 * np.log10(loudness + 1e-5)])


def _running(values: Floats) -> Floats:
    """[n + 1] the sums of the first 0, 1, ... n values."""
    return np.concatenate([[0], np.cumsum(values)])


@cache
def mel_filters(
    rate: int = RATE, window: int = WINDOW, bands: int = BANDS, lowest: float = LOWEST, highest: float = HIGHEST
) -> Floats:
    """[bands, window / 2 + 1] triangles of equal area on the mel scale of M. Slaney, "Auditory Toolbox" (1998)."""
    hertz = np.arange(window // 2 + 1) * rate / window
    low, high = _mel_of(np.array([lowest, highest])).tolist()
    corners = _hertz_of(np.linspace(low, high, bands + 2))
    widths = np.diff(corners)
    slopes = corners[:, None] - hertz
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]))
    return np.asarray(triangles * (2 / (corners[2:] - corners[:-2]))[:, None], dtype=np.float32)


def _mel_of(hertz: Floats) -> Floats:
    """Even up to 1,000 Hz, then logarithmic: 27 steps for a factor of 6.4."""
    return np.where(hertz < 1_000, 3 * hertz / 200, 15 + 27 * np.log(np.maximum(hertz, 1) / 1_000) / np.log(6.4))


def _hertz_of(mel: Floats) -> Floats:
    return np.where(mel < 15, 200 * mel / 3, 1_000 * np.exp((mel - 15) * np.log(6.4) / 27))


def autocorrelation(values: Floats) -> Floats:
    """[n] how alike the values are to themselves some steps later: 1 at no step; all 0 where nothing ever changes."""
    from scipy.fft import irfft, rfft

    centred = values - values.mean()
    likeness = irfft(np.abs(rfft(centred, 2 * len(centred))) ** 2)[: len(centred)]
    return np.asarray(likeness / likeness[0] if likeness[0] > 1e-9 else np.zeros(len(centred)))

"""How a voice is made, in a row of numbers: slopes of the spectrum, resonances, harmonics, loudness. After the
parameters of F. Eyben et al., "The Geneva minimalistic acoustic parameter set", 2016, less what the microphone decides.
"""

from functools import cache

import numpy as np

from services.voice.log_mel import BANDS, FRAMES_A_S, LEVEL, TRACT, VOICING, Floats, Mask, Numbers, bands_hz
from services.voice.vocal_tract import TRACT_COLUMNS

SLOPES_HZ = ((0.0, 500.0), (500.0, 1500.0))
LOUDNESS = 0.3
"""power of the power in a band that is heard"""
_SLOPES = 2 + len(SLOPES_HZ)
PHONATION = 3 * _SLOPES + (2 * TRACT_COLUMNS + 3) + 4 + 12


def phonation(features: Floats, bands: Numbers, loud: Mask, voiced: Mask) -> Numbers:
    """[PHONATION] of the frames [T, COLUMNS + TRACT_COLUMNS] of a piece; ``bands`` [T, BANDS] are less its level."""
    both, mute = loud & voiced, loud & ~voiced
    both, mute = (one if one.sum() > 2 else loud for one in (both, mute))
    slopes = _slopes(bands)
    tract = features[:, TRACT]
    return np.concatenate(
        [
            slopes[both].mean(axis=0),
            slopes[both].std(axis=0),
            slopes[mute].mean(axis=0),
            tract[both].mean(axis=0),
            tract[both].std(axis=0),
            _steps(tract[:, :3], both),
            _purity(features, both),
            _loudness(bands),
        ]
    )


def _slopes(bands: Numbers) -> Numbers:
    """Frame by frame [T, _SLOPES]: power below 1 kHz to that of 1 to 5 kHz, the loudest band below 2 kHz to that of 2
    to 5 kHz, and the slopes in ``SLOPES_HZ``."""
    hz, widths, lines = _places()
    power = np.exp(bands) * widths
    low, high = hz < 1000, (hz >= 1000) & (hz < 5000)
    alpha = np.log(power[:, low].sum(axis=1) + 1e-6) - np.log(power[:, high].sum(axis=1) + 1e-6)
    hammarberg = bands[:, hz < 2000].max(axis=1) - bands[:, (hz >= 2000) & (hz < 5000)].max(axis=1)
    return np.column_stack([alpha, hammarberg, bands @ lines])


@cache
def _places() -> tuple[Numbers, Numbers, Numbers]:
    """Middles of the bands, their widths, and a regression [BANDS, slopes] on each of ``SLOPES_HZ``, per kHz."""
    hz = bands_hz()
    lines = np.zeros((BANDS, len(SLOPES_HZ)))
    for at, (low, high) in enumerate(SLOPES_HZ):
        some = (hz >= low) & (hz <= high)
        centred = (hz[some] - hz[some].mean()) / 1000
        lines[some, at] = centred / np.square(centred).sum()
    return hz, np.gradient(hz), lines


def _steps(tract: Numbers, both: Mask) -> Numbers:
    """How far each resonance moves from frame to frame."""
    near = both[1:] & both[:-1]
    return np.abs(np.diff(tract, axis=0))[near].mean(axis=0) if near.sum() > 2 else np.zeros(tract.shape[1])


def _purity(features: Floats, both: Mask) -> list[float]:
    """Harmonics to noise, and how the level trembles from frame to frame."""
    part = features[both, VOICING].clip(0.02, 0.98)
    ratio = np.log(part / (1 - part))
    near = both[1:] & both[:-1]
    trembles = np.abs(np.diff(features[:, LEVEL]))[near] if near.sum() > 2 else np.zeros(1)
    return [ratio.mean(), ratio.std(), trembles.mean(), trembles.std()]


def _loudness(bands: Numbers) -> list[float]:
    """Loudness to its mean: spread, quantiles, rises and falls a second; flux of the spectrum."""
    heard = np.exp(LOUDNESS * bands)
    track = heard.sum(axis=1)
    track = track / track.mean()
    moves = np.diff(track) * FRAMES_A_S if len(track) > 1 else np.zeros(1)
    rises, falls = (some if len(some) else np.zeros(1) for some in (moves[moves > 0], moves[moves < 0]))
    flux = np.sqrt(np.square(np.diff(heard, axis=0)).sum(axis=1)) if len(heard) > 1 else np.zeros(1)
    usual = heard.sum(axis=1).mean()
    return [
        track.std(),
        *np.quantile(track, [0.2, 0.5, 0.8]),
        rises.mean(),
        rises.std(),
        falls.mean(),
        falls.std(),
        flux.mean() / usual,
        flux.std() / usual,
        *np.quantile(flux / usual, [0.5, 0.9]),
    ]

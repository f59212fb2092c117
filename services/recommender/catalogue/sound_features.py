"""1,343 numbers that say how a stretch of music sounds, for the model ``models/ears.py``: timbre, rhythm, harmony.

After what is known to tell moods of music: spectra and their statistics, cepstra and their covariance (M. Mandel and D.
Ellis, ISMIR 2005), how loudness in each band is modulated (E. Pampalk, A. Rauber, D. Merkl, 2002), blocks of sorted
spectra and correlations of bands (K. Seyerlehner, G. Widmer, T. Pohle, 2010), pulse, key, mode and chords.
"""

import itertools
from functools import cache

import numpy as np

from services.recommender.catalogue.sound_file import RATE
from services.recommender.catalogue.spectra import HOP, LONG_WINDOW, WINDOW, Floats, Spectra, autocorrelation

CEPSTRA = 20
BLOCK = 86
"""Frames: two seconds."""
MODULATION_FRAMES = 512
"""Twelve seconds."""
MODULATION_EDGES = np.unique(np.round(np.geomspace(3, 129, 16)).astype(int))
"""From 0.25 to 11 Hz."""
LAG_EDGES = np.unique(np.round(np.geomspace(10, 200, 17)).astype(int))
"""Frames: from 258 to 13 beats a minute."""
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8), (0, 5, 7))
"""Major, minor, diminished, augmented, suspended."""

LOWEST_NOTE, NOTES, HIGHEST_BIN = 36, 72, 2048
"""Semitones from C2 (MIDI number 36), in the long windows up to 5.5 kHz."""
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990): how well a note fits into a key."""


def sound_features(spectra: Spectra) -> Floats:
    """float32 [1343], the same order always; of at least three seconds of sound."""
    parts = (
        _statistics(spectra.decibels(32)),
        _cepstra(spectra),
        _modulations(spectra),
        _rhythm(spectra),
        _shape(spectra),
        _harmony(spectra),
        _blocks(spectra),
        _correlations(spectra),
    )
    return np.concatenate(parts).astype(np.float32)


def _statistics(series: Floats) -> Floats:
    """[6 k] of k series: mean, spread, low, middle and high values, how fast they change."""
    quantiles = np.percentile(series, [10, 50, 90], axis=1)
    return np.concatenate([series.mean(axis=1), series.std(axis=1), *quantiles, np.diff(series, axis=1).std(axis=1)])


def _cepstra(spectra: Spectra) -> Floats:
    from scipy.fft import dct

    cepstra = dct(spectra.decibels(128), axis=0, norm="ortho")[:CEPSTRA]
    covariance = np.cov(cepstra)
    spread = np.sqrt(np.diag(covariance))
    together = (covariance / (np.outer(spread, spread) + 1))[np.triu_indices(CEPSTRA)]
    changes = np.diff(cepstra, axis=1).var(axis=1)
    return np.concatenate([cepstra.mean(axis=1), together, np.log(spread**2 + 1e-3), np.log(changes + 1e-3)])


def _modulations(spectra: Spectra) -> Floats:
    """How much the loudness of 16 bands goes up and down at each of 15 rates."""
    from scipy.fft import rfft

    bands = spectra.decibels(16)
    found = []
    for start in range(0, max(1, bands.shape[1] - MODULATION_FRAMES + 1), 218):
        block = bands[:, start : start + MODULATION_FRAMES]
        block = np.pad(block, ((0, 0), (0, MODULATION_FRAMES - block.shape[1])), mode="reflect")
        centred = (block - block.mean(axis=1, keepdims=True)) * np.hanning(MODULATION_FRAMES)
        found.append(np.abs(rfft(centred, axis=1)))
    mean = np.mean(found, axis=0)
    pairs = itertools.pairwise(MODULATION_EDGES)
    return np.asarray(np.log(np.stack([mean[:, low:high].mean(axis=1) for low, high in pairs], axis=1) + 1).ravel())


def _rhythm(spectra: Spectra) -> Floats:
    """How regular the onsets are at each lag, in all bands and in four ranges; how many there are."""
    onsets = spectra.onsets
    ranges = spectra.flux.reshape(4, 16, -1).mean(axis=1)
    pulses = []
    for series in (onsets, *ranges):
        likeness = np.pad(autocorrelation(series), (0, int(LAG_EDGES[-1])))
        pulses += [likeness[low:high].max() for low, high in itertools.pairwise(LAG_EDGES)]
    inner = onsets[1:-1]
    peaks = (inner > onsets[:-2]) & (inner >= onsets[2:])
    rates = [43 * (peaks & (inner > onsets.mean() + k * onsets.std())).sum() / (len(onsets) + 1) for k in (1, 0.3)]
    return np.concatenate(
        [
            pulses,
            ranges.mean(axis=1),
            ranges.std(axis=1),
            [onsets.mean(), onsets.std()],
            rates,
            [np.percentile(onsets, 95)],
        ]
    )


def _shape(spectra: Spectra) -> Floats:
    """Brightness, width, noise and loudness over time; contrast of bands; sustained against struck sound."""
    series = shape_series(spectra)
    loudness = series[-1]
    power = spectra.mel.reshape(64, 2, -1).sum(axis=1)
    sustained = sustained_share(spectra) * power
    ranges = [
        each.sum() / (of.sum() + 1e-9) for each, of in zip(np.split(sustained, 4), np.split(power, 4), strict=True)
    ]
    shares = sustained.sum(axis=0) / (power.sum(axis=0) + 1e-9)
    quiet, loud = np.percentile(loudness, [5, 95])
    dynamics = [(loudness < loudness.mean() - 3).mean(), loud - quiet, (loudness > loudness.max() - 6).mean()]
    ratios = [*ranges, shares.mean(), shares.std()]
    return np.concatenate([_statistics(series), _statistics(_contrast(spectra)), ratios, dynamics])


def shape_series(spectra: Spectra) -> Floats:
    """[6, t] logarithms of centroid, bandwidth, flatness, roll-off and zero crossings (hertz); loudness in decibels."""
    magnitudes = spectra.magnitudes
    hertz = np.arange(len(magnitudes)) * RATE / WINDOW
    total = magnitudes.sum(axis=0) + 1e-9
    centroid = hertz @ magnitudes / total
    width = np.sqrt(np.maximum(hertz**2 @ magnitudes / total - centroid**2, 0))
    power = magnitudes**2
    flatness = np.exp(np.log(power + 1e-10).mean(axis=0)) / (power.mean(axis=0) + 1e-10)
    rolloff = hertz[(np.cumsum(magnitudes, axis=0) < 0.85 * total).sum(axis=0).clip(0, len(hertz) - 1)]
    logs = [np.log(centroid + 1), np.log(width + 1), np.log(flatness + 1e-6), np.log(rolloff + 1)]
    starts = np.arange(magnitudes.shape[1]) * HOP
    signs = np.signbit(np.where(np.abs(spectra.sound) <= 1e-10, 0, spectra.sound))
    crossings = _running(np.diff(np.pad(signs, WINDOW // 2, mode="edge")))
    crossed = (crossings[starts + WINDOW - 1] - crossings[starts]) / WINDOW
    squares = _running(np.pad(spectra.sound.astype(np.float64) ** 2, WINDOW // 2))
    loudness = np.sqrt(np.maximum((squares[starts + WINDOW] - squares[starts]) / WINDOW, 1e-12))
    return np.stack([*logs, np.log(crossed + 1e-3), 20 * np.log10(loudness + 1e-5)])


def _running(values: Floats) -> Floats:
    """[n + 1] the sums of the first 0, 1, ... n values."""
    return np.concatenate([[0], np.cumsum(values)])


def _contrast(spectra: Spectra) -> Floats:
    """[7, t] decibels between peaks and valleys of seven octaves, after D.-N. Jiang and others (ICME 2002)."""
    hertz = np.arange(len(spectra.magnitudes)) * RATE / WINDOW
    edges = np.concatenate([[0], 200 * 2.0 ** np.arange(7)])
    peaks, valleys = [], []
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = np.flatnonzero((hertz >= low) & (hertz <= high))
        first = inside[0] - (number > 0)
        last = inside[-1] if number < len(edges) - 2 else len(hertz)
        few = max(1, round(0.02 * (inside[-1] + 1 - first if number < len(edges) - 2 else len(hertz) - first)))
        ordered = np.sort(spectra.magnitudes[first:last], axis=0)
        valleys.append(ordered[:few].mean(axis=0))
        peaks.append(ordered[-few:].mean(axis=0))
    return _floored(np.stack(peaks)) - _floored(np.stack(valleys))


def _floored(magnitudes: Floats) -> Floats:
    """Ten times the logarithm, at most 80 below the largest."""
    found = 10 * np.log10(np.maximum(magnitudes, 1e-10))
    return np.asarray(np.maximum(found, found.max() - 80))


def sustained_share(spectra: Spectra) -> Floats:
    """[64, t] the share of sustained sound in each band, 0..1, after D. FitzGerald's median filters (2010)."""
    from scipy.ndimage import median_filter

    amplitudes = np.sqrt(spectra.mel.reshape(64, 2, -1).sum(axis=1))
    along, across = median_filter(amplitudes, (1, 17)) ** 2, median_filter(amplitudes, (9, 1)) ** 2
    return np.asarray(along / (along + across + 1e-12))


def _harmony(spectra: Spectra) -> Floats:
    """Pitch classes seen from the key, how major or minor, which chords, how fast they change; registers."""
    heard = _semitones() @ spectra.long_magnitudes[:HIGHEST_BIN]
    loud = np.log1p(100 * heard / (heard.max() + 1e-9))
    classes = loud.reshape(NOTES // 12, 12, -1).sum(axis=0)
    frames = classes / (np.linalg.norm(classes, axis=0) + 1e-9)
    plain = heard.reshape(NOTES // 12, 12, -1).sum(axis=0)
    shares = (plain / (plain.sum(axis=0) + 1e-9)).mean(axis=1)
    major, minor = (np.array([_agreement(np.roll(one, key), shares) for key in range(12)]) for one in (MAJOR, MINOR))
    # A minor key is seen from its relative major, which has the same notes.
    tonic = int(major.argmax()) if major.max() > minor.max() else (int(minor.argmax()) + 3) % 12
    chords = np.stack([_chord(frames, steps) for steps in CHORDS])
    changes = np.linalg.norm(np.diff(frames, axis=1), axis=0)
    peaked = np.sort(loud, axis=0)[-6:].mean(axis=0) - loud.mean(axis=0)
    circles = [np.abs((shares * np.exp(2j * np.pi * np.arange(12) * step / 12)).sum()) for step in (7, 4, 3)]
    agreements = [major.max(), minor.max(), major.max() - minor.max(), np.sort(major)[-2], np.sort(minor)[-2]]
    majors = [(chords[0] > chords[1]).mean(), (chords[0] - chords[1]).mean()]
    motion = [changes.mean(), changes.std(), -(shares * np.log(shares + 1e-9)).sum()]
    apart = [(shares * np.roll(shares, step)).sum() / (shares @ shares + 1e-12) for step in range(1, 7)]
    apart += [(frames * np.roll(frames, step, axis=0)).sum(axis=0).mean() for step in range(1, 7)]
    seen = [np.roll(shares, -tonic), np.roll(frames.mean(axis=1), -tonic)]
    registers = [each.reshape(12, 6).mean(axis=1) for each in (loud.mean(axis=1), loud.std(axis=1))]
    numbers = [agreements, chords.mean(axis=1), chords.std(axis=1), majors, motion, circles]
    return np.concatenate([*seen, *numbers, [peaked.mean(), peaked.std()], apart, *registers])


@cache
def _semitones() -> Floats:
    """[72, 2048] bells, one a semitone."""
    hertz = np.arange(HIGHEST_BIN) * RATE / LONG_WINDOW
    heights = 69 + 12 * np.log2(np.maximum(hertz, 1) / 440)
    bells = np.exp(-0.5 * ((heights - (LOWEST_NOTE + np.arange(NOTES))[:, None]) / 0.35) ** 2)
    return np.asarray(np.where(hertz < 50, 0, bells), dtype=np.float32)


def _agreement(profile: Floats, shares: Floats) -> float:
    return float(np.corrcoef(profile, shares)[0, 1]) if shares.std() > 1e-9 else 0.0


def _chord(frames: Floats, steps: tuple[int, ...]) -> Floats:
    """[t] how much each frame looks like such a chord, on whichever note."""
    template = np.zeros(12)
    template[list(steps)] = len(steps) ** -0.5
    return np.asarray(np.max([np.roll(template, root) @ frames for root in range(12)], axis=0))


def _blocks(spectra: Spectra) -> Floats:
    """How sorted bands and their spread differ from one block of two seconds to the next."""
    bands = spectra.decibels(64)
    found = []
    for start in range(0, max(1, bands.shape[1] - BLOCK), BLOCK // 2):
        block = bands[:, start : start + BLOCK]
        ends = np.sort(block, axis=1)[:, [4, BLOCK // 2, BLOCK - 5]]
        found.append(np.concatenate([ends.ravel(), block.var(axis=1)]))
    return np.concatenate([np.std(found, axis=0)[::2], np.percentile(found, 90, axis=0)[::2]])


def _correlations(spectra: Spectra) -> Floats:
    """Which of 16 bands rise and fall together."""
    bands = spectra.decibels(16)
    centred = bands - bands.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1) + 1e-2  # a band that never changes goes with none
    return np.asarray((centred @ centred.T / np.outer(length, length))[np.triu_indices(16, 1)])

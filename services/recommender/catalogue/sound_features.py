"""1,347 numbers that say how a stretch of music sounds, for the model ``models/ears.py``: timbre, rhythm, harmony.

After what is known to tell moods of music: spectra and their statistics, cepstra and their covariance (M. Mandel and D.
Ellis, ISMIR 2005), how loudness in each band is modulated (E. Pampalk, A. Rauber, D. Merkl, 2002), blocks of sorted
spectra and correlations of bands (K. Seyerlehner, G. Widmer, T. Pohle, 2010), pulse, key, mode and chords.
"""

import itertools

import numpy as np

from services.recommender.catalogue.pitch import key_agreements, semitones
from services.recommender.catalogue.sound_file import RATE
from services.recommender.catalogue.spectra import FRAMES_A_S, HOP, WINDOW, Floats, Spectra, autocorrelation

CEPSTRA = 20
BLOCK = 86
"""Frames: two seconds."""
MODULATION_FRAMES = 512
"""Twelve seconds."""
MODULATION_EDGES = np.unique(np.round(np.geomspace(3, 129, 16)).astype(int))
"""From 0.25 to 11 Hz."""
LAG_EDGES = np.unique(np.round(np.geomspace(10, 120, 17)).astype(int))
"""Frames: from 258 to 21 beats a minute."""
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8), (0, 5, 7))
"""Major, minor, diminished, augmented, suspended."""


def sound_features(spectra: Spectra) -> Floats:
    """float32 [1347], the same order always; of at least three seconds of sound."""
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
    return np.log(np.stack([mean[:, low:high].mean(axis=1) for low, high in pairs], axis=1) + 1).ravel()


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
    rates = [FRAMES_A_S * (peaks & (inner > onsets.mean() + k * onsets.std())).mean() for k in (1, 0.3)]
    levels = [onsets.mean(), onsets.std(), np.percentile(onsets, 95)]
    return np.concatenate([pulses, ranges.mean(axis=1), ranges.std(axis=1), levels, rates])


def _shape(spectra: Spectra) -> Floats:
    """Brightness, width, noise and loudness over time; contrast of bands; sustained against struck sound."""
    series = shape_series(spectra)
    loudness = series[-1]
    sustained = sustained_share(spectra)
    quiet, loud = np.percentile(loudness, [5, 95])
    dynamics = [loud - quiet, (loudness < loudness.mean() - 3).mean(), (loudness > loudness.max() - 6).mean()]
    ratios = [*sustained.reshape(4, 16, -1).mean(axis=(1, 2)), sustained.mean(), sustained.mean(axis=0).std()]
    return np.concatenate([_statistics(series), _statistics(_contrast(spectra)), ratios, dynamics])


def shape_series(spectra: Spectra) -> Floats:
    """[6, t] logarithms of centroid, bandwidth, flatness, roll-off and zero crossings (hertz); loudness in decibels."""
    magnitudes = spectra.magnitudes
    hertz = np.arange(len(magnitudes)) * RATE / WINDOW
    total = magnitudes.sum(axis=0) + 1e-9
    centroid = hertz @ magnitudes / total
    width = np.sqrt(np.maximum(hertz**2 @ magnitudes / total - centroid**2, 0))
    power = magnitudes**2 + 1e-10
    flatness = np.exp(np.log(power).mean(axis=0)) / power.mean(axis=0)
    rolloff = hertz[(np.cumsum(magnitudes, axis=0) < 0.85 * total).sum(axis=0).clip(0, len(hertz) - 1)]
    signs = np.pad(np.diff(np.signbit(spectra.sound)), (WINDOW // 2, WINDOW // 2))
    crossings = np.cumsum(np.pad(signs.astype(np.int64), (1, WINDOW)))
    starts = np.arange(magnitudes.shape[1]) * HOP
    crossed = (crossings[starts + WINDOW] - crossings[starts]) / WINDOW
    # A Hann window of amplitude 1 keeps three eighths of the power (Parseval).
    loudness = 10 * np.log10(2 * power.sum(axis=0) / (WINDOW**2 * 0.375) + 1e-10)
    logs = [np.log(centroid + 1), np.log(width + 1), np.log(flatness + 1e-6), np.log(rolloff + 1)]
    return np.stack([*logs, np.log(crossed + 1e-3), loudness])


def _contrast(spectra: Spectra) -> Floats:
    """[7, t] decibels between the peaks and the valleys of seven octaves."""
    edges = np.concatenate([[0], 200 * 2.0 ** np.arange(6), [RATE / 2]]) * WINDOW / RATE
    found = []
    for low, high in zip(edges[:-1].astype(int), edges[1:].astype(int), strict=True):
        ordered = np.sort(spectra.magnitudes[low : high + 1], axis=0)
        few = max(1, len(ordered) // 25)
        found.append(20 * np.log10((ordered[-few:].mean(axis=0) + 1e-6) / (ordered[:few].mean(axis=0) + 1e-6)))
    return np.stack(found)


def sustained_share(spectra: Spectra) -> Floats:
    """[64, t] the share of sustained sound in each band, 0..1, after D. FitzGerald's median filters (2010)."""
    from scipy.ndimage import median_filter

    amplitudes = np.sqrt(spectra.mel.reshape(64, 2, -1).sum(axis=1))
    along, across = median_filter(amplitudes, (1, 17)) ** 2, median_filter(amplitudes, (9, 1)) ** 2
    return np.asarray(along / (along + across + 1e-12))


def _harmony(spectra: Spectra) -> Floats:
    """Pitch classes seen from the key, how major or minor, which chords, how fast they change; registers."""
    heard = semitones(spectra.long_magnitudes)
    loud = np.log1p(100 * heard / (heard.max() + 1e-9))
    classes = np.roll(loud.reshape(7, 12, -1).sum(axis=0), 9, axis=0)  # the lowest is an A
    frames = classes / (np.linalg.norm(classes, axis=0) + 1e-9)
    plain = np.roll(heard.reshape(7, 12, -1).sum(axis=0), 9, axis=0)
    shares = (plain / (plain.sum(axis=0) + 1e-9)).mean(axis=1)
    minor, major = key_agreements(shares)
    # A minor key is seen from its relative major, which has the same notes.
    tonic = int(major.argmax()) if major.max() > minor.max() else (int(minor.argmax()) + 3) % 12
    chords = np.stack([_chord(frames, steps) for steps in CHORDS])
    changes = np.linalg.norm(np.diff(frames, axis=1), axis=0)
    peaked = np.sort(loud, axis=0)[-6:].mean(axis=0) - loud.mean(axis=0)
    circles = [np.abs((shares * np.exp(2j * np.pi * np.arange(12) * step / 12)).sum()) for step in (7, 4, 3)]
    agreements = [major.max(), minor.max(), major.max() - minor.max(), np.sort(major)[-2], np.sort(minor)[-2]]
    majors = [(chords[0] > chords[1]).mean(), (chords[0] - chords[1]).mean()]
    motion = [changes.mean(), changes.std(), -(shares * np.log(shares + 1e-9)).sum(), peaked.mean(), peaked.std()]
    apart = [(shares * np.roll(shares, step)).sum() / (shares @ shares) for step in range(1, 7)]
    apart += [(frames * np.roll(frames, step, axis=0)).sum(axis=0).mean() for step in range(1, 7)]
    seen = [np.roll(shares, -tonic), np.roll(frames.mean(axis=1), -tonic)]
    registers = [loud.mean(axis=1).reshape(14, 6).mean(axis=1), loud.std(axis=1).reshape(14, 6).mean(axis=1)]
    numbers = [agreements, chords.mean(axis=1), chords.std(axis=1), majors, motion, circles, apart]
    return np.concatenate([*seen, *numbers, *registers])


def _chord(frames: Floats, steps: tuple[int, ...]) -> Floats:
    """[t] how much each frame looks like such a chord, on whichever note."""
    template = np.zeros(12)
    template[list(steps)] = len(steps) ** -0.5
    return np.asarray(np.max([np.roll(template, root) @ frames for root in range(12)], axis=0))


def _blocks(spectra: Spectra) -> Floats:
    """How sorted bands and their spread differ from one block of two seconds to the next."""
    bands = spectra.decibels(64)
    found = []
    for start in range(0, max(1, bands.shape[1] - BLOCK + 1), BLOCK // 2):
        block = np.sort(bands[:, start : start + BLOCK], axis=1)
        few = len(block[0])
        found.append(np.concatenate([block[:, [few // 20, few // 2, -1 - few // 20]].ravel(), block.var(axis=1)]))
    return np.concatenate([np.std(found, axis=0)[::2], np.percentile(found, 90, axis=0)[::2]])


def _correlations(spectra: Spectra) -> Floats:
    """Which of 16 bands rise and fall together."""
    bands = spectra.decibels(16)
    centred = bands - bands.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1) + 1.0  # a band that never changes goes with none
    return np.asarray((centred @ centred.T / np.outer(length, length))[np.triu_indices(16, 1)])

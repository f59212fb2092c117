"""The key of a piece: its notes without their overtones, against what tonal music uses in each key.

Notes by non-negative least squares over templates of a note and its overtones, as in M. Mauch and S. Dixon,
"Approximate note transcription for the improved identification of difficult chords" (ISMIR 2010). Profiles: D.
Temperley, "Music and Probability" (2007); for natural minor, where the seventh step is low, one after his minor.
"""

from functools import cache

import numpy as np

from services.recommender.catalogue.sound_file import RATE
from services.recommender.catalogue.spectra import LONG_WINDOW, Floats

LOWEST_NOTE = 33
"""MIDI number: A1, 55 Hz."""
NOTES, PITCHES = 60, 84
"""Notes that are looked for, and semitones in which their overtones are heard."""
OVERTONES = 8
FADING = 0.7
"""How much weaker each overtone is than the one below it."""
ROUNDS = 40
"""Of multiplicative updates; more change nothing that counts."""

MAJOR = np.array([0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400])
MINOR = np.array([0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330])
NATURAL_MINOR = np.array([0.900, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.400, 0.100])
PROFILES = ((MAJOR, 1), (MINOR, 0), (NATURAL_MINOR, 0))


def key_agreements(classes: Floats) -> Floats:
    """[2, 12] how well minor and major (in this order) of each key agree with 12 pitch classes, -1..1."""
    found = np.full((2, 12), -1.0)
    if classes.std() < 1e-9:
        return found
    for profile, mode in PROFILES:
        for key in range(12):
            found[mode, key] = max(found[mode, key], float(np.corrcoef(np.roll(profile, key), classes)[0, 1]))
    return found


def key_of(classes: Floats) -> tuple[int, int]:
    """Key (0 is C, 11 is B) and mode (1 major, 0 minor) of 12 pitch classes."""
    mode, key = np.unravel_index(key_agreements(classes).argmax(), (2, 12))
    return int(key), int(mode)


def pitch_classes(notes: Floats) -> Floats:
    """[12] the share of each pitch class, C first; notes [60, t] as ``sounding_notes`` finds them."""
    octaves = np.zeros((12, notes.shape[1]))
    for note, strength in enumerate(notes):
        octaves[(LOWEST_NOTE + note) % 12] += strength
    total = octaves.sum(axis=1)
    return np.asarray(total / (total.sum() + 1e-12))


def sounding_notes(magnitudes: Floats) -> Floats:
    """[60, t] how strongly each note from A1 sounds; magnitudes as ``Spectra.long_magnitudes``."""
    heard = semitones(magnitudes)
    heard = heard / (heard.max() + 1e-9)
    templates = _templates()
    strengths = np.full((NOTES, heard.shape[1]), max(float(heard.mean()), 1e-6))
    wanted, mixed = templates.T @ heard, templates.T @ templates
    for _ in range(ROUNDS):
        strengths *= wanted / (mixed @ strengths + 1e-6)
    return np.asarray(strengths)


def semitones(magnitudes: Floats) -> Floats:
    """[84, t] magnitudes in semitones from A1 up, in the tuning of the piece."""
    return np.asarray(_bank(round(tuning(magnitudes), 2)) @ magnitudes)


def tuning(magnitudes: Floats) -> float:
    """How far a piece is from A = 440 Hz, in semitones, -0.5..0.5: where the peaks of its mean spectrum lie."""
    mean = np.log(magnitudes.mean(axis=1) + 1e-9)
    peaks = np.flatnonzero((mean[1:-1] > mean[:-2]) & (mean[1:-1] >= mean[2:])) + 1
    peaks = peaks[(_hertz()[peaks] > 150) & (_hertz()[peaks] < 2_000)]
    left, middle, right = mean[peaks - 1], mean[peaks], mean[peaks + 1]
    exact = (peaks + 0.5 * (left - right) / (left - 2 * middle + right - 1e-9)) * RATE / LONG_WINDOW
    turns = (np.exp(middle) * np.exp(2j * np.pi * 12 * np.log2(exact / 440))).sum()
    return float(np.angle(turns) / (2 * np.pi))


def _hertz() -> Floats:
    return np.arange(LONG_WINDOW // 2 + 1) * RATE / LONG_WINDOW


@cache
def _bank(tuned: float) -> Floats:
    """[84, 4097] triangles, one a semitone."""
    heights = 12 * np.log2(np.maximum(_hertz(), 1) / 440) + 69 - tuned
    steps = np.abs(heights[None] - (LOWEST_NOTE + np.arange(PITCHES))[:, None])
    return np.asarray(np.maximum(0, 1 - steps / 0.8), dtype=np.float32)


@cache
def _templates() -> Floats:
    """[84, 60] what a note sounds like: itself and its overtones."""
    found = np.zeros((PITCHES, NOTES))
    for note in range(NOTES):
        for step in range(1, OVERTONES + 1):
            pitch = round(note + 12 * np.log2(step))
            if pitch < PITCHES:
                found[pitch, note] += FADING ** (step - 1)
    return np.asarray(found / np.linalg.norm(found, axis=0))

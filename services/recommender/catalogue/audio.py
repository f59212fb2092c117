"""Features of a piece of music, measured from its sound and put on the scales of Spotify's.

Tempo, key and loudness are measured. The mood, and what Spotify's own listeners trained (energy, valence,
danceability), come from the model ``models/ears.py`` where its file is there; the rest, or without it all of them, from
plain formulas over what is measured: they order songs among each other, and only roughly beside songs from elsewhere.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from services.recommender.catalogue.pitch import key_of, pitch_classes, sounding_notes
from services.recommender.catalogue.sound_features import sound_features
from services.recommender.catalogue.sound_file import RATE, Sound
from services.recommender.catalogue.spectra import FRAMES_A_S, Floats, Spectra, autocorrelation
from services.recommender.models.ears import Ears
from services.recommender.models.tagger import Tagger

STRETCH_S = 22
"""What the model was fitted on; longer sound is heard in stretches of about that length."""


def measure_sound(sound: Sound, ears: Ears | None = None) -> dict[str, Any]:
    """Spotify's 11 features of mono sound at ``RATE``, full scale 1; with ears also the memberships (``HEARD``)."""
    stretches = [Spectra(stretch) for stretch in _stretches(np.asarray(sound, dtype=np.float32))]
    notes = sounding_notes(np.hstack([stretch.long_magnitudes for stretch in stretches]))
    key, mode = key_of(pitch_classes(notes))
    series = np.hstack([stretch.shape for stretch in stretches])
    onsets = np.concatenate([stretch.onsets for stretch in stretches])
    measured = {
        "loudness": float(np.clip(20 * np.log10(np.sqrt(np.mean(np.square(sound))) + 1e-9), -60, 0)),
        "tempo": tempo_of(onsets),
        "beat": _pulse(onsets),
        "density": min(1.0, _onset_rate(onsets) / 6),
        "brightness": float(np.clip(np.exp(series[0]).mean() / 4_000, 0, 1)),
        "noise": float(np.clip(10 * np.exp(series[2]).mean(), 0, 1)),
        "percussion": float(1 - np.mean([stretch.sustained.mean() for stretch in stretches])),
        "mode": mode,
    }
    found: dict[str, Any] = {"key": key, "mode": mode} | _as_spotify(measured)
    if ears is not None:
        found |= ears.listen(np.array([heard_features(stretch, ears.tagger) for stretch in stretches]))
    return found


def heard_features(stretch: Spectra, tagger: Tagger | None) -> Floats:
    """float32[n] what the models of ``models/ears.py`` are told of a stretch of sound."""
    features = sound_features(stretch)
    return features if tagger is None else np.concatenate([features, tagger.features(stretch.sound)])


def _stretches(sound: Sound) -> list[Sound]:
    return np.array_split(sound, max(1, round(len(sound) / (STRETCH_S * RATE))))


def _as_spotify(measured: Mapping[str, float]) -> dict[str, float]:
    """The features that nobody can measure, from those that one can; each 0..1."""
    loud = (measured["loudness"] + 35) / 30
    energy = 0.45 * loud + 0.2 * measured["density"] + 0.2 * measured["brightness"] + 0.15 * measured["percussion"]
    steady = 1 - min(1.0, abs(measured["tempo"] - 115) / 100)
    estimated = {
        "energy": energy,
        "danceability": 0.5 * measured["beat"] + 0.3 * steady + 0.2 * measured["percussion"],
        "valence": 0.15
        + 0.25 * measured["mode"]
        + 0.25 * min(1, measured["tempo"] / 160)
        + 0.2 * measured["brightness"]
        + 0.15 * measured["density"],
        "acousticness": 1.1 - 0.8 * max(energy, 0) - 0.4 * measured["noise"] - 0.3 * measured["percussion"],
        "speechiness": 0.04 + 0.1 * measured["noise"],
        "instrumentalness": 0.0,
        "liveness": 0.1 + 0.1 * measured["noise"],
    }
    limited = {name: round(float(np.clip(value, 0, 1)), 4) for name, value in estimated.items()}
    return limited | {"loudness": round(measured["loudness"], 2), "tempo": round(measured["tempo"], 2)}


def tempo_of(onsets: Floats) -> float:
    """Beats a minute: the lag at which the onsets are most like themselves, refined; near 120 preferred."""
    likeness = autocorrelation(onsets)
    frames_a_minute = 60 * FRAMES_A_S
    lags = np.arange(int(frames_a_minute / 240), min(int(frames_a_minute / 40), len(likeness) - 2))
    if len(lags) < 3 or likeness[0] <= 0:
        return 120.0
    tempi = frames_a_minute / lags
    # Half and double the tempo are as alike; people tap near 120 (D. Moelants, "Preferred tempo reconsidered", 2002).
    weighted = likeness[lags] * np.exp(-0.5 * (np.log2(tempi / 120) / 0.9) ** 2)
    lag = int(lags[weighted.argmax()])
    best, beats = lag, 1
    for times in (2, 4, 8):  # over several beats the same error of one frame weighs less
        around = np.arange(int(times * lag * 0.97), int(times * lag * 1.03) + 2)
        if around[-1] + 1 >= len(likeness) or likeness[around].max() < 0.3 * likeness[0]:
            break
        best, beats = int(around[likeness[around].argmax()]), times
    return float(frames_a_minute * beats / _peak(likeness, best))


def _peak(values: Floats, at: int) -> float:
    """Where the parabola through a peak and its neighbours is highest."""
    left, middle, right = (float(values[at + step]) for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    return at + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _pulse(onsets: Floats) -> float:
    """0..1: how regular the onsets are."""
    few = autocorrelation(onsets)[15:130]
    return float(np.clip(few.max(), 0, 1)) if len(few) else 0.0


def _onset_rate(strength: Floats) -> float:
    """How many notes begin in a second: peaks well above the mean."""
    inner = strength[1:-1]
    peaks = (inner > strength[:-2]) & (inner >= strength[2:]) & (inner > strength.mean() + strength.std())
    return float(peaks.mean() * FRAMES_A_S)

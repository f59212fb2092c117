"""Features of a piece of music, measured from its sound and put on the scales of Spotify's.

Tempo, key and loudness are measured. What Spotify's own listeners trained (energy, valence, danceability ...) is
estimated by plain formulas over what is measured, so those are comparable among scanned songs, and only roughly with
songs from elsewhere. Key: the profiles of C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moodstream.errors import MoodstreamError


class ExtraMissing(MoodstreamError):
    """What hears music is not installed: no fault of any file."""


RATE = 22_050
EXCERPT_S = 90.0
"""From the middle of a song; the whole of it would take longer and say little more."""

MIN_S = 3.0
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

Floats = npt.NDArray[np.floating[Any]]


def measure_file(path: Path) -> dict[str, float]:
    """The features of a file. Raises MoodstreamError when it holds no music that can be decoded."""
    librosa = _librosa()
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            length_s = file.frames / file.samplerate
            file.seek(int(max(0.0, (length_s - EXCERPT_S) / 2) * file.samplerate))
            excerpt = file.read(int(EXCERPT_S * file.samplerate), dtype="float32", always_2d=True).mean(axis=1)
            sound = librosa.resample(excerpt, orig_sr=file.samplerate, target_sr=RATE)
    except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
        raise MoodstreamError(f"cannot decode {path.name}: {type(error).__name__}") from None
    if len(sound) < MIN_S * RATE:
        raise MoodstreamError(f"{path.name} is shorter than {MIN_S:g} s")
    if not np.abs(sound).max() > 1e-4:
        raise MoodstreamError(f"{path.name} is silent")
    return measure_sound(sound) | {"duration_ms": round(1000 * length_s)}


def measure_sound(sound: Floats) -> dict[str, float]:
    """Spotify's 11 features of mono sound at ``RATE``, full scale 1."""
    librosa = _librosa()
    spectrum = np.abs(librosa.stft(sound))
    harmonic, percussive = librosa.decompose.hpss(spectrum)
    onsets = librosa.onset.onset_strength(y=sound, sr=RATE)
    key, mode = key_of(librosa.feature.chroma_stft(y=sound, sr=RATE, n_fft=8192, tuning=0.0).mean(axis=1))
    measured = {
        "loudness": float(np.clip(20 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9), -60, 0)),
        "tempo": tempo_of(onsets),
        "beat": _pulse(onsets),
        "density": min(1.0, _onsets(onsets) / _length_s(sound) / 6),
        "brightness": float(np.clip(librosa.feature.spectral_centroid(S=spectrum, sr=RATE).mean() / 4_000, 0, 1)),
        "noise": float(np.clip(10 * librosa.feature.spectral_flatness(S=spectrum).mean(), 0, 1)),
        "percussion": float((percussive**2).sum() / ((harmonic**2).sum() + (percussive**2).sum() + 1e-12)),
        "mode": mode,
    }
    return {"key": key, "mode": mode} | _as_spotify(measured)


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


def key_of(chroma: Floats) -> tuple[int, int]:
    """Key (0 is C, 11 is B) and mode (1 major, 0 minor) whose profile agrees best with the 12 pitch classes."""
    agreement = [
        (float(np.corrcoef(np.roll(profile, key), chroma)[0, 1]), key, mode)
        for mode, profile in ((1, MAJOR), (0, MINOR))
        for key in range(12)
    ]
    _, key, mode = max(agreement)
    return key, mode


def tempo_of(onsets: Floats) -> float:
    """Beats a minute: the lag at which the onsets are most like themselves, refined; near 120 preferred."""
    librosa = _librosa()
    likeness = librosa.autocorrelate(onsets - onsets.mean())
    frames_a_minute = 60 * RATE / 512
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
    likeness = _librosa().autocorrelate(onsets - onsets.mean())
    few = likeness[15:130]
    return float(np.clip(few.max() / likeness[0], 0, 1)) if len(few) and likeness[0] > 0 else 0.0


def _onsets(strength: Floats) -> int:
    """How many notes begin: peaks well above the mean."""
    inner = strength[1:-1]
    return int(((inner > strength[:-2]) & (inner >= strength[2:]) & (inner > strength.mean() + strength.std())).sum())


def _length_s(sound: Floats) -> float:
    return len(sound) / RATE


def _librosa() -> Any:
    # Heavy, and an extra of its own.
    try:
        import librosa
    except ImportError:
        raise ExtraMissing("scanning music needs an extra: pip install 'moodstream[scan]'") from None
    return librosa

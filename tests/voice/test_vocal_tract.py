"""What shapes a voice, found in voices whose resonances and harmonics are known because they were made."""

import numpy as np
import pytest
from scipy.signal import lfilter

from services.voice.log_mel import PITCH, RATE, TRACT, VOICED, VOICING, Floats, frame_features
from services.voice.phonation import PHONATION
from services.voice.summary import NUMBERS, summary
from services.voice.vocal_tract import TRACT_COLUMNS

VOWELS_HZ = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240)}
"""G. Peterson, H. Barney, "Control methods used in a study of the vowels", 1952: means of men"""


def vowel(resonances_hz: tuple[int, ...], pitch_hz: float = 110.0, seconds: float = 0.6, tilt: float = 0.9) -> Floats:
    """Pulses through a filter for each resonance; a larger ``tilt`` makes the voice softer."""
    sound = np.zeros(int(seconds * RATE))
    sound[(np.arange(0, seconds, 1 / pitch_hz) * RATE).astype(int)] = 1
    sound = lfilter([1], [1, -tilt], sound)
    for hz in resonances_hz:
        radius, angle = np.exp(-np.pi * 80 / RATE), 2 * np.pi * hz / RATE
        sound = lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], sound)
    sound += 1e-4 * np.abs(sound).max() * np.random.default_rng(1).normal(size=len(sound))
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def tract(sound: Floats) -> Floats:
    features = frame_features(sound)
    return np.asarray(np.median(features[features[:, VOICING] > VOICED, TRACT], axis=0))


@pytest.mark.parametrize("name", VOWELS_HZ)
@pytest.mark.parametrize("pitch_hz", [100.0, 140.0])
def test_the_resonances_of_a_vowel_are_found(name: str, pitch_hz: float) -> None:
    found = 1000 * np.exp(tract(vowel(VOWELS_HZ[name], pitch_hz))[:3])
    assert found == pytest.approx(VOWELS_HZ[name], rel=0.12, abs=110)


def test_a_pressed_voice_has_stronger_overtones_than_a_soft_one() -> None:
    pressed, soft = (tract(vowel(VOWELS_HZ["a"], tilt=tilt)) for tilt in (0.5, 0.98))
    first_to_second, first_to_third_resonance = pressed[-2:], soft[-2:]
    assert (first_to_second < first_to_third_resonance).all()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(RATE, np.float32),
        np.zeros(1, np.float32),
        np.ones(RATE, np.float32),
        np.sign(np.sin(np.arange(RATE) * 0.1)).astype(np.float32),
        np.eye(1, RATE, 800, dtype=np.float32)[0],
        np.random.default_rng(1).normal(size=700).astype(np.float32),
    ],
    ids=["silence", "a sample", "a constant", "a square wave", "a click", "three frames of noise"],
)
def test_whatever_is_heard_its_numbers_are_numbers(sound: Floats) -> None:
    features = frame_features(sound)
    assert features.shape[1] == TRACT.stop == TRACT.start + TRACT_COLUMNS
    assert np.isfinite(features).all()
    numbers = summary(features)
    assert numbers.shape == (NUMBERS,)
    assert np.isfinite(numbers).all()


def test_louder_speech_has_the_same_phonation() -> None:
    """The microphone's level says nothing."""
    sound = vowel(VOWELS_HZ["a"])
    first = NUMBERS - 16 - PHONATION
    quiet, loud = (summary(frame_features(sound * level)) for level in (0.1, 1.0))
    assert quiet[first : first + PHONATION] == pytest.approx(loud[first : first + PHONATION], abs=0.02)
    assert frame_features(sound)[:, PITCH].max() < 0

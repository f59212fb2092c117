"""The features: what a tone, a pitch and silence look like, and how own speech changes what the model is given."""

import numpy as np
import pytest

from services.voice.log_mel import (
    BANDS,
    COLUMNS,
    HOP,
    LEVEL,
    PITCH,
    RATE,
    TRACT,
    TYPICAL_PITCH_HZ,
    VOICING,
    Floats,
    frame_features,
)
from services.voice.normalise import (
    FRAMES,
    INPUTS,
    NUMBERS_IN,
    OWN_S,
    Own,
    OwnVoice,
    Statistics,
    Usual,
    frames_in,
    numbers_in,
)
from services.voice.speeds import SPEEDS, at_speed, features_at_speeds
from services.voice.summary import NUMBERS, summary
from tests.support.voices import babble, tone

USUAL = Usual(
    *(np.full(size, value, np.float32) for size, value in ((BANDS, -3), (NUMBERS, 0), (NUMBERS, 1), (NUMBERS, 1)))
)


@pytest.mark.parametrize("pitch_hz", [90.0, 130.0, 220.0, 350.0])
def test_pitch_is_heard(pitch_hz: float) -> None:
    features = frame_features(np.sign(tone(1.0, pitch_hz)) * np.float32(0.3))
    found_hz = TYPICAL_PITCH_HZ * 2 ** np.median(features[:, PITCH])
    assert found_hz == pytest.approx(pitch_hz, rel=0.03)
    assert np.median(features[:, VOICING]) > 0.8


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    for sound in (noise, np.zeros(RATE, np.float32)):
        features = frame_features(sound)
        assert np.isfinite(features).all()
        assert (features[:, PITCH] == 0).mean() > 0.9


def test_a_tone_is_in_its_band_and_louder_means_more() -> None:
    quiet, loud = (frame_features(tone(1.0, 1_000.0) * gain) for gain in (0.1, 1.0))
    assert len(set(loud[:, :BANDS].argmax(axis=1))) == 1
    assert loud[:, LEVEL] - quiet[:, LEVEL] == pytest.approx(np.log(100), abs=0.01)


@pytest.mark.parametrize("length", [0, 1, 639, 640, 641, 16_000])
def test_any_length_gives_frames(length: int) -> None:
    features = frame_features(babble(1.0)[:length] if length else np.zeros(0, np.float32))
    assert features.shape == (max(1, (length - 640) // HOP + 1), TRACT.stop)
    assert np.isfinite(summary(features)).all()
    assert summary(features).shape == (NUMBERS,)


def test_how_loud_a_microphone_is_changes_little() -> None:
    """Not nothing: bands that are nearly silent lie at the floor, so the voice comes with the noise of a room."""
    voice = babble(2.0) + np.random.default_rng(1).normal(0, 0.01, 2 * RATE).astype(np.float32)
    quiet, loud = (frame_features(voice * np.float32(gain)) for gain in (0.25, 1.0))
    assert np.abs(frames_in(quiet, USUAL) - frames_in(loud, USUAL)).mean() < 0.02
    assert numbers_in(summary(quiet), USUAL) == pytest.approx(numbers_in(summary(loud), USUAL), abs=0.3)


def heard(sound: Floats) -> Own:
    features = features_at_speeds(sound)
    return Own.of(features, [summary(one) for one in features])


def test_louder_and_higher_than_before_is_seen_against_own_speech() -> None:
    own = OwnVoice()
    assert own.statistics() is None
    for seed in range(5):
        own.add(heard(babble(3.0, 120.0, seed) * 0.2))
    calm, raised = (frame_features(babble(2.0, hz, 9) * gain) for hz, gain in ((120.0, 0.2), (170.0, 0.9)))
    known = own.statistics()
    assert known is not None
    before, after = (frames_in(one, USUAL, known.at_speeds[0]) for one in (calm, raised))
    sounding = after[:, -1] == 1
    assert (after[sounding, LEVEL] - before[sounding, LEVEL]).mean() > 0.5
    voiced = (after[:, PITCH] != 0) & (before[:, PITCH] != 0)
    assert (after[voiced, PITCH] - before[voiced, PITCH]).mean() > 0.5
    assert after[0, COLUMNS] == pytest.approx(before[0, COLUMNS])
    assert 0.5 < after[0, COLUMNS] < 1


def test_shapes_and_limits_hold_for_what_is_too_long_too() -> None:
    features = frame_features(babble(6.0))
    given = frames_in(features, USUAL)
    assert given.shape == (FRAMES, INPUTS)
    assert np.abs(given).max() <= 5
    assert (given[:, -1] == 1).all()
    assert numbers_in(summary(features), USUAL, Statistics.of(features)).shape == (NUMBERS_IN,)


def test_own_speech_is_forgotten_after_half_a_minute() -> None:
    own = OwnVoice()
    for _ in range(20):
        own.add(heard(babble(3.0)))
    found = own.statistics()
    assert found is not None
    assert found.at_speeds[0].frames <= OWN_S * RATE / HOP
    both = Statistics.of(frame_features(babble(3.0))) + Statistics.of(frame_features(babble(3.0, seed=2)))
    assert both.pieces == 2


def test_other_speeds_are_other_voices_of_another_length() -> None:
    sound = babble(2.0, 150.0)
    assert at_speed(sound, 1) is sound
    plain, slow, fast = features_at_speeds(sound)
    for factor, features in zip(SPEEDS[1:], (slow, fast), strict=True):
        assert len(features) == pytest.approx(len(plain) / factor, abs=3)
        pitches = [one[one[:, PITCH] != 0, PITCH] for one in (plain, features)]
        assert np.median(pitches[1]) - np.median(pitches[0]) == pytest.approx(np.log2(factor), abs=0.05)
    assert [one.shape for one in features_at_speeds(np.zeros(0, np.float32))] == [(1, TRACT.stop)] * 3

"""How the voice model is made: speakers stay apart, and what wears a voice leaves it a voice."""

import numpy as np
import pytest

from services.voice.log_mel import RATE
from services.voice.normalise import SUMS
from services.voice.speech import find_speech
from tests.support.voices import babble
from training.voice.corpora import Voices, speaker_folds, trimmed
from training.voice.measures import arousal_right, confusion, interval, rows_of, uar
from training.voice.rooms import band, echo, noisy, worn

PAUSE = np.zeros(RATE, np.float32)


def voices(speakers: int = 12, each: int = 8) -> Voices:
    count = speakers * each
    names = np.repeat([f"s{number}" for number in range(speakers)], each)
    corpus = np.where(np.repeat(np.arange(speakers), each) % 2 == 0, "one", "two")
    return Voices([[]], np.zeros((1, count, SUMS)), np.tile(np.arange(4), count // 4), corpus, names)


def test_no_speaker_is_in_two_folds_and_each_fold_has_both_corpora() -> None:
    some = voices()
    fold = speaker_folds(some, 3, seed=1)
    for name in np.unique(some.speaker):
        assert len(set(fold[some.speaker == name])) == 1
    for one in range(3):
        assert set(some.corpus[fold == one]) == {"one", "two"}
    assert (speaker_folds(some, 3, seed=1) == fold).all()
    assert (speaker_folds(some, 3, seed=2) != fold).any()


def test_measures_count_what_is_right() -> None:
    moods, read = np.array([0, 0, 0, 1, 2, 3]), np.array([0, 0, 1, 1, 2, 0])
    assert uar(moods, read) == pytest.approx((2 / 3 + 1 + 1 + 0) / 4)
    assert arousal_right(moods, read < 2) == pytest.approx(5 / 6)
    assert confusion(moods, read).sum() == 6
    assert confusion(moods, read)[3, 0] == 1


def test_an_interval_draws_speakers_not_rows() -> None:
    some = voices()
    right = (some.speaker < "s5").astype(float)  # all or nothing of a speaker
    low, high = interval(some.speaker, lambda rows: float(right[rows].mean()))
    assert low < right.mean() < high
    assert high - low > 0.3
    shares = np.eye(4)[some.mood]
    lines = rows_of(some, "perfect", shares, np.where(some.mood < 2, 1.0, -1.0))
    assert len(lines) == 3
    assert all("1.000 [1.000, 1.000]" in line for line in lines)


def test_what_was_worn_is_still_speech() -> None:
    sound, draw = np.concatenate([PAUSE, babble(2.0), PAUSE]), np.random.default_rng(1)
    others = [babble(1.0, 200.0, seed) for seed in range(3)]
    heard = [sum(one.speech_s for one in find_speech([worn(sound, others, draw)])) for _ in range(12)]
    assert sum(1 < one < 3 for one in heard) >= 9

    assert len(echo(sound, 0.4, 0.3, draw)) == len(sound)
    power = np.mean(np.square(noisy(sound, 10, others, draw) - sound))
    assert 10 * np.log10(np.mean(np.square(sound)) / power) == pytest.approx(10, abs=0.1)
    spectrum = np.abs(np.fft.rfft(band(np.eye(1, RATE, 8_000, dtype=np.float32)[0], 100, 3_400)))
    assert spectrum[6_000] < 0.1 * spectrum[1_000]


def test_silence_around_a_sentence_is_cut_off() -> None:
    assert len(trimmed(np.concatenate([PAUSE, babble(2.0), PAUSE]))) == pytest.approx(2 * RATE, abs=0.3 * RATE)
    assert len(trimmed(babble(9.0))) == int(4.2 * RATE)
    assert len(trimmed(PAUSE)) == RATE
    assert len(trimmed(PAUSE[:100])) == 100

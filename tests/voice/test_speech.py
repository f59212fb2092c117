"""Speech is found, silence, noise and tones are none, and it does not matter how the sound comes."""

import numpy as np
import pytest

from services.voice.log_mel import RATE, Floats
from services.voice.speech import MAX_S, MIN_S, Speech, SpeechFinder, find_speech
from tests.support.voices import babble, tone

PAUSE = np.zeros(RATE, np.float32)
NOISE = np.random.default_rng(1).normal(0, 0.1, 5 * RATE).astype(np.float32)
NO_SPEECH = {
    "nothing": np.zeros(0, np.float32),
    "silence": np.zeros(5 * RATE, np.float32),
    "noise": NOISE,
    "hiss": NOISE * 0.01,
    "tone": tone(5.0),
    "hum": tone(5.0, 50.0),
    "click": np.eye(1, 2 * RATE, RATE, dtype=np.float32)[0],
    "square": np.sign(tone(5.0, 300.0)),
    "offset": np.full(3 * RATE, 0.7, np.float32),
}


@pytest.mark.parametrize("name", NO_SPEECH)
def test_what_is_no_speech_gives_none(name: str) -> None:
    assert list(find_speech([NO_SPEECH[name]])) == []


@pytest.mark.parametrize("pitch_hz", [110.0, 210.0])
def test_speech_between_pauses_is_found_where_it_is(pitch_hz: float) -> None:
    (found,) = find_speech([np.concatenate([PAUSE, babble(2.0, pitch_hz), PAUSE])])
    assert found.start_s == pytest.approx(1.0, abs=0.2)
    assert found.speech_s == pytest.approx(2.0, abs=0.3)
    assert found.speech_s <= len(found.sound) / RATE <= found.speech_s + 0.5


def test_two_sentences_are_two_pieces_and_a_long_one_is_cut() -> None:
    found = list(find_speech([np.concatenate([PAUSE, babble(1.5), PAUSE, babble(9.0, seed=2), PAUSE])]))
    assert len(found) == 4
    assert all(MIN_S <= one.speech_s <= MAX_S for one in found)
    assert sum(one.speech_s for one in found) == pytest.approx(10.5, abs=0.8)


def test_a_single_short_word_counts() -> None:
    (found,) = find_speech([np.concatenate([PAUSE, babble(0.45), PAUSE])])
    assert MIN_S <= found.speech_s <= 0.6


def test_speech_stands_out_of_the_noise_by_what_was_mixed() -> None:
    voice = np.concatenate([PAUSE, babble(3.0), PAUSE])
    power = np.mean(np.square(babble(3.0)))
    heard = {}
    for snr_db in (5, 15, 30):
        noise = NOISE[: len(voice)] / 0.1 * np.sqrt(power / 10 ** (snr_db / 10))
        heard[snr_db] = np.mean([one.snr_db for one in find_speech([(voice + noise).astype(np.float32)])])
    assert heard[5] < heard[15] < heard[30]
    assert heard[15] == pytest.approx(15, abs=4)


def _same(first: list[Speech], second: list[Speech]) -> bool:
    return [(one.start_s, one.speech_s, one.snr_db) for one in first] == [
        (one.start_s, one.speech_s, one.snr_db) for one in second
    ] and all(np.array_equal(one.sound, two.sound) for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("size", [160, 512, 1_000, 48_000])
def test_blocks_of_any_size_give_the_same_pieces(size: int) -> None:
    sound: Floats = np.concatenate([PAUSE, babble(1.5), PAUSE, babble(2.5, 200.0), PAUSE])
    blocks = [sound[at : at + size] for at in range(0, len(sound), size)]
    assert _same(list(find_speech(blocks)), list(find_speech([sound])))


def test_a_finder_begins_anew_after_the_end() -> None:
    sound = np.concatenate([PAUSE, babble(1.5), PAUSE[:4_000]])
    finder = SpeechFinder()
    first, second = ([*finder.add(sound), *finder.finish()] for _ in range(2))
    assert len(first) == 1
    assert _same(first, second)

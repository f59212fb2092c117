"""The mood that words tell: features, the reader, the command line, and figures on texts that no fit saw."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.cli.commands.words import MAX_LINE_BYTES, lines
from shared.words.features import MAX_CHARACTERS, features, signs
from shared.words.reader import NOTHING, WORDS, WordsReader
from tests.support.gateways import ROOT


@pytest.fixture(scope="module")
def reader() -> WordsReader:
    return WordsReader.load()


def likeliest(reader: WordsReader, text: str) -> Mood:
    shares = reader.read(text).probabilities
    assert shares is not None
    return max(shares, key=lambda mood: shares[mood])


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("I am happy", Mood.HAPPY),
        ("I'm not happy at all", Mood.SAD),
        ("not angry anymore", Mood.CALM),
        ("What a wonderful day, I love it!", Mood.HAPPY),
        ("I hate this, it makes me so angry", Mood.ANGRY),
        ("so lonely, I could cry", Mood.SAD),
        ("relaxed and at peace", Mood.CALM),
        ("Ich bin glücklich", Mood.HAPPY),
        ("ich bin überhaupt nicht glücklich", Mood.SAD),
        ("Ich bin total sauer!", Mood.ANGRY),
        ("je suis très en colère", Mood.ANGRY),
        ("je ne suis pas heureux", Mood.SAD),
        ("estoy muy contenta hoy", Mood.HAPPY),
        ("me siento triste", Mood.SAD),
        ("أنا سعيد جدا", Mood.HAPPY),
        ("أنا حزين اليوم", Mood.SAD),
        (":(", Mood.SAD),
        (":-)", Mood.HAPPY),
        ("😡", Mood.ANGRY),
        ("😭😭😭", Mood.SAD),
        ("🥳", Mood.HAPPY),
        ("😌", Mood.CALM),
        ("今日は😭", Mood.SAD),
        ("сегодня 😡", Mood.ANGRY),
    ],
)
def test_feelings_denials_and_signs_are_read(reader: WordsReader, text: str, mood: Mood) -> None:
    assert likeliest(reader, text) == mood


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I feel great today", "en"),
        ("Heute geht es mir gut", "de"),
        ("je me sens bien aujourd'hui", "fr"),
        ("hoy me siento muy bien", "es"),
        ("أشعر أنني بخير", "ar"),
        ("dziś czuję się dobrze", "pl"),
    ],
)
def test_the_language_is_told(reader: WordsReader, text: str, language: str) -> None:
    assert reader.read(text).language == language


@pytest.mark.parametrize("text", ["", " \t", "...", "42", "今日は元気です", "сегодня", "\x00", "-" * 5_000])
def test_what_tells_nothing_is_no_reading(reader: WordsReader, text: str) -> None:
    assert reader.read(text) == NOTHING


@given(st.text(max_size=300))
def test_every_text_is_read_or_not_and_always_alike(reader: WordsReader, text: str) -> None:
    reading = reader.read(text)
    assert reading == reader.read(text)
    assert (reading.probabilities is None) == (reading.valence is None)
    if reading.probabilities is not None and reading.valence is not None:
        assert sum(reading.probabilities.values()) == pytest.approx(1)
        assert -1 <= reading.valence <= 1
        assert list(reading.probabilities) == list(MOODS)


def test_of_a_long_text_the_beginning_is_read(reader: WordsReader) -> None:
    long = "I am so happy. " * 100_000
    assert reader.read(long) == reader.read(long[:MAX_CHARACTERS])


def test_how_a_character_is_written_does_not_matter() -> None:
    assert features("Très TRISTE ❤️", 18) == features("très triste ❤", 18)
    assert features("I’m sad 👍🏽", 18) == features("i'm SAD 👍", 18)


def test_a_denied_word_is_another_one() -> None:
    denied, told = (set(features(text, 18)) for text in ("not happy", "happy"))
    assert denied - told
    assert set(features("not. happy", 18)) != denied


def test_only_signs_are_left_of_a_text() -> None:
    assert signs("今日は :( とても😭です (笑)") == ":( 😭"


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"x", mtime=0)])
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words.npz").write_bytes(content)
    with pytest.raises(MoodstreamError, match=r"words\.npz is no model of words") as fault:
        WordsReader.load(tmp_path / "words.npz")
    assert "\n" not in str(fault.value)
    with pytest.raises(MoodstreamError, match="cannot read the model of words"):
        WordsReader.load(tmp_path / "none.npz")


def test_the_model_is_small_and_a_newer_one_is_refused(reader: WordsReader, tmp_path: Path) -> None:
    assert WORDS.stat().st_size <= 5_000_000
    reader.save(tmp_path / "same.npz")
    assert WordsReader.load(tmp_path / "same.npz").read("I am happy") == reader.read("I am happy")
    with np.load(WORDS) as file:
        arrays = dict(file)
    facts = json.loads(str(arrays["facts"])) | {"format": 99}
    np.savez(tmp_path / "newer.npz", **(arrays | {"facts": np.array(json.dumps(facts))}))
    with pytest.raises(MoodstreamError, match="format 99"):
        WordsReader.load(tmp_path / "newer.npz")


def test_lines_that_are_too_long_are_cut_and_bytes_that_are_no_text_replaced() -> None:
    long = b"happy " * MAX_LINE_BYTES
    found = list(lines(io.BytesIO(b"a\r\n\n" + long + b"\n\xff\xfe\nlast")))
    assert found == ["a", "", long[:MAX_LINE_BYTES].decode(), "\ufffd\ufffd", "last"]


def test_the_command_prints_a_line_for_each_text_without_it() -> None:
    texts = ["I am so happy!", "", "ich bin traurig", "\x00", "🥳", "x" * 1_000_000, "unterminated"]
    done = subprocess.run(
        [sys.executable, "-m", "services", "words", "--json"],
        input="\n".join(texts).encode(),
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(told) == len(texts)
    assert all(set(one) == {"probabilities", "valence", "language"} for one in told)
    assert max(told[0]["probabilities"], key=told[0]["probabilities"].get) == "happy"
    assert told[1] == told[3] == {"probabilities": None, "valence": None, "language": None}
    assert told[2]["language"] == "de"
    assert b"traurig" not in done.stdout + done.stderr


@pytest.mark.reference
def test_comments_that_no_fit_saw_are_read_as_the_card_says(reader: WordsReader, reference: Path) -> None:
    groups = {
        Mood.ANGRY: {"anger", "annoyance"},
        Mood.HAPPY: {"joy", "amusement", "excitement", "love", "optimism", "pride", "gratitude"},
        Mood.SAD: {"sadness", "grief", "disappointment", "remorse"},
        Mood.CALM: {"neutral", "relief"},
    }
    comments = pd.read_csv(reference / "text" / "goemotions_dev.csv.gz")
    named = [(text, set(emotions.split("|"))) for text, emotions in zip(comments.text, comments.emotions, strict=True)]
    cases = [(text, mood) for text, emotions in named for mood, own in groups.items() if emotions <= own]
    found = [likeliest(reader, text) if reader.read(text).probabilities else Mood.CALM for text, _ in cases]
    score = f1_score([str(mood) for _, mood in cases], [str(mood) for mood in found], average="macro")
    assert score >= 0.72

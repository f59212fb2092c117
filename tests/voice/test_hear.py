"""``moodstream hear``: one line a file, whatever the file is."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.__main__ import main
from services.voice.log_mel import RATE, Floats
from tests.support.voices import babble, write_sound

PAUSE = np.zeros(RATE // 2, np.float32)


def sentence(pitch_hz: float = 120.0) -> Floats:
    return np.concatenate([PAUSE, babble(2.0, pitch_hz), PAUSE])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("a.wav", "b.ogg", "silent.flac", "text.wav")}
    write_sound(made["a.wav"], sentence(), "pcm_s24le", 96_000, 2)
    write_sound(made["b.ogg"], sentence(200.0), "libopus", 48_000, 1)
    write_sound(made["silent.flac"], PAUSE, "flac")
    made["text.wav"].write_text("no sound")
    return made


@pytest.mark.parametrize("model", ["research", "free"])
def test_json_has_a_line_for_each_file(files: dict[str, Path], model: str, capsys: pytest.CaptureFixture[str]) -> None:
    heard = [str(files[name]) for name in ("a.wav", "silent.flac", "b.ogg")]
    assert main(["hear", "--json", "--model", model, *heard]) == 0
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert told.err == ""
    assert [line["file"] for line in lines] == heard
    assert all(set(line) == {"file", "probabilities", "arousal", "speech_s"} for line in lines)
    for line in (lines[0], lines[2]):
        assert list(line["probabilities"]) == ["angry", "happy", "sad", "calm"]
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=0.001)
        assert -1 <= line["arousal"] <= 1
        assert line["speech_s"] == pytest.approx(2.0, abs=0.4)
    assert lines[1] == {"file": heard[1], "probabilities": None, "arousal": None, "speech_s": 0.0}


def test_a_file_that_cannot_be_read_is_one_line_and_the_others_are_heard(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(files["a.wav"].with_name("gone.wav"))
    assert main(["hear", "--json", str(files["text.wav"]), str(files["a.wav"]), gone, str(files["b.ogg"])]) == 1
    told = capsys.readouterr()
    assert [json.loads(line)["file"] for line in told.out.splitlines()] == [str(files["a.wav"]), str(files["b.ogg"])]
    assert [line.split(":")[1].strip() for line in told.err.splitlines()] == [str(files["text.wav"]), gone]


def test_a_person_reads_a_sentence(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", str(files["a.wav"]), str(files["silent.flac"])]) == 0
    spoken, silent = capsys.readouterr().out.splitlines()
    assert "arousal" in spoken
    assert "s of speech" in spoken
    assert silent.endswith("no speech")


def test_one_voice_is_heard_against_its_other_files(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    heard = [str(files["a.wav"]), str(files["b.ogg"])]
    assert main(["hear", "--json", *heard]) == 0
    alone = capsys.readouterr().out
    assert main(["hear", "--json", "--one-voice", *heard]) == 0
    assert capsys.readouterr().out != alone
    assert main(["hear", "--json", heard[0]]) == 0
    single = capsys.readouterr().out
    assert main(["hear", "--json", "--one-voice", heard[0]]) == 0
    assert capsys.readouterr().out == single


def test_nothing_is_written(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = files["a.wav"].parent
    monkeypatch.chdir(folder)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert main(["hear", str(files["a.wav"]), str(files["b.ogg"])]) == 0
    assert {file: file.read_bytes() for file in folder.iterdir()} == before

"""Music files become songs; what is measured of generated sounds is what they were made with."""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue import scan as scanning
from services.recommender.catalogue.audio import RATE, measure_file, measure_sound
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.library import Library
from tests.support.random_songs import saved

Sound = npt.NDArray[np.float64]

# numba, below librosa, warns of what it will change itself
pytestmark = pytest.mark.filterwarnings("ignore:::numba")


def tone(semitones_above_c4: float, length_s: float) -> Sound:
    """A note with some overtones."""
    time = np.arange(int(length_s * RATE)) / RATE
    pitch = 261.6256 * 2 ** (semitones_above_c4 / 12)
    return np.asarray(sum(np.sin(2 * np.pi * pitch * step * time) / step**2 for step in (1, 2, 3)))


def piece(bpm: float, key: int, minor: bool, length_s: float = 12, amplitude: float = 0.3) -> Sound:
    """Chords of a key (tonic, subdominant, dominant, tonic), one a bar, with a click on each beat."""
    third = 3 if minor else 4
    bars: list[Sound] = []
    bar_s = 4 * 60 / bpm
    while sum(len(bar) for bar in bars) < length_s * RATE:
        for root in (0, 5, 7, 0):
            middle = 4 if root == 7 else third  # the dominant is a major chord in minor keys, too
            bars.append(np.asarray(sum(tone(key + root + step - 12, bar_s) for step in (0, middle, 7))) / 4)
    sound = np.concatenate(bars)[: int(length_s * RATE)]
    noise = np.random.default_rng(0).normal(0, 1, 400) * np.exp(-np.arange(400) / 80)
    for beat in np.arange(0, length_s - 0.1, 60 / bpm):
        at = int(beat * RATE)
        sound[at : at + 400] += noise
    return np.asarray(sound / np.abs(sound).max() * amplitude)


def write(path: Path, sound: Sound) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((32_767 * sound).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(("bpm", "key", "minor"), [(75, 0, False), (100, 9, True), (128, 4, False), (160, 2, True)])
def test_tempo_and_key_are_those_that_were_played(bpm: float, key: int, minor: bool) -> None:
    heard = measure_sound(piece(bpm, key, minor))
    assert heard["tempo"] == pytest.approx(bpm, rel=0.02)
    assert (heard["key"], heard["mode"]) == (key, 0 if minor else 1)
    assert all(0 <= heard[name] <= 1 for name in ("energy", "valence", "danceability", "acousticness", "speechiness"))


def test_loudness_is_in_decibels_and_louder_is_more_energy() -> None:
    loud, quiet = (measure_sound(piece(110, 0, False, amplitude=amplitude)) for amplitude in (0.8, 0.08))
    assert loud["loudness"] - quiet["loudness"] == pytest.approx(20, abs=0.1)
    assert loud["energy"] > quiet["energy"]
    assert measure_sound(0.5 * tone(0, 5) / np.abs(tone(0, 5)).max())["loudness"] == pytest.approx(-9, abs=1)


def test_a_folder_becomes_a_catalogue_and_only_what_is_new_is_heard_again(tmp_path: Path) -> None:
    folder, target = tmp_path / "music", tmp_path / "catalogue.parquet"
    for number in range(3):
        write(folder / "deep" / f"song {number}.wav", piece(90 + 20 * number, number, False, 5))
    (folder / "broken.mp3").write_bytes(b"no music")
    write(folder / "short.wav", tone(0, 1))
    write(folder / "silent.wav", 0 * tone(0, 5))
    (folder / "notes.txt").write_text("no music either")
    first = scanning.scan(folder, target)
    assert (first.files, first.analysed, first.songs) == (6, 6, 3)
    assert set(first.faults) == {"broken.mp3", "short.wav", "silent.wav"}
    songs = Catalogue.load(target)
    assert all(uri.startswith("file://") for uri in songs.frame["uri"])
    assert set(songs.frame["duration_ms"]) == {5000}
    assert len(Library.build(songs).similar(songs.frame["id"][0], 0)) == 2

    again = scanning.scan(folder, target)
    assert (again.analysed, again.songs) == (0, 3)
    write(folder / "new.wav", piece(100, 5, True, 5))
    (folder / "deep" / "song 0.wav").unlink()
    with (tmp_path / "catalogue.parquet.scan.jsonl").open("a") as journal:
        journal.write('{"file": "/half a li')  # the power went here
    third = scanning.scan(folder, target)
    assert (third.analysed, third.songs) == (1, 3)
    assert scanning.scan(folder, target).analysed == 0


def test_a_scan_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, target = tmp_path / "music", tmp_path / "catalogue.parquet"
    for number in range(3):
        write(folder / f"{number}.wav", piece(100, number, False, 4))

    def stop(text: str) -> None:
        if text.startswith("3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scanning.scan(folder, target, stop)
    assert not target.exists()
    assert scanning.scan(folder, target).analysed == 1
    assert json.dumps(scanning.scan(folder, target).as_dict())


def test_a_folder_without_music_leaves_the_catalogue(tmp_path: Path) -> None:
    target = saved(tmp_path / "there", 20)
    (tmp_path / "empty").mkdir()
    for folder, fault in ((tmp_path / "empty", "no music"), (tmp_path / "nowhere", "no folder")):
        with pytest.raises(MoodstreamError, match=fault):
            scanning.scan(folder, target)
    assert len(Catalogue.load(target)) == 20


def test_what_is_no_music_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "x.flac").write_bytes(b"fLaC and nothing more")
    with pytest.raises(MoodstreamError, match=r"cannot decode x\.flac"):
        measure_file(tmp_path / "x.flac")


def test_without_the_extra_the_scan_ends_and_blames_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "music" / "one.wav", tone(0, 4))
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MoodstreamError, match=r"moodstream\[scan\]"):
        scanning.scan(tmp_path / "music", tmp_path / "songs.parquet")
    assert "fault" not in (tmp_path / "songs.parquet.scan.jsonl").read_text()

"""Music files become songs; what is measured of generated sounds is what they were made with."""

import json
import os
import shutil
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue import listening
from services.recommender.catalogue import scan as scanning
from services.recommender.catalogue.audio import measure_sound
from services.recommender.catalogue.listening import listen_to_all
from services.recommender.catalogue.pitch import key_of, pitch_classes, sounding_notes
from services.recommender.catalogue.progress import bar
from services.recommender.catalogue.sound_file import RATE, read_excerpt
from services.recommender.catalogue.spectra import Spectra
from services.recommender.catalogue.table import HEARD, Catalogue
from services.recommender.commands import moods
from services.recommender.models import ears
from services.recommender.models.ears import EARS, EARS_ALONE, FORMULAS, Ears
from services.recommender.models.tagger import TAGGER
from tests.support import music
from tests.support.random_songs import saved

Sound = npt.NDArray[np.float64]

SCALES = {
    (1, "major"): (0, 2, 4, 5, 7, 9, 11, 12),
    (0, "natural"): (0, 2, 3, 5, 7, 8, 10, 12),
    (0, "harmonic"): (0, 2, 3, 5, 7, 8, 11, 12),
}


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
    heard = measure_sound(piece(bpm, key, minor).astype(np.float32))
    assert heard["tempo"] == pytest.approx(bpm, rel=0.02)
    assert (heard["key"], heard["mode"]) == (key, 0 if minor else 1)
    assert all(0 <= heard[name] <= 1 for name in ("energy", "valence", "danceability", "acousticness", "speechiness"))


def test_loudness_is_in_decibels_and_louder_is_more_energy() -> None:
    loud, quiet = (
        measure_sound(piece(110, 0, False, amplitude=amplitude).astype(np.float32)) for amplitude in (0.8, 0.08)
    )
    assert loud["loudness"] - quiet["loudness"] == pytest.approx(20, abs=0.1)
    assert loud["energy"] > quiet["energy"]
    assert measure_sound(0.5 * tone(0, 5) / np.abs(tone(0, 5)).max())["loudness"] == pytest.approx(-9, abs=1)


@pytest.mark.parametrize("key", range(12))
def test_triads_and_scales_of_all_keys_are_known(key: int) -> None:
    def heard(*sounds: Sound) -> tuple[int, int]:
        sound = np.concatenate(sounds).astype(np.float32)
        return key_of(pitch_classes(sounding_notes(Spectra(sound).long_magnitudes)))

    for mode, third in ((1, 4), (0, 3)):
        triad = [tone(key + step - 12, 1.5) for step in (0, third, 7)]
        assert heard(np.sum(triad, axis=0)) == (key, mode)
    for (mode, name), steps in SCALES.items():
        up = [tone(key + step - 6, 0.4) for step in steps]
        assert heard(*up) == ((key + 6) % 12, mode), name
        assert heard(*up, *up[-2::-1]) == ((key + 6) % 12, mode), name


@pytest.mark.parametrize("ending", music.FORMATS)
def test_every_format_is_read(tmp_path: Path, ending: str) -> None:
    path = music.sound_file(tmp_path / f"x.{ending}", music.FORMATS[ending], music.sine(5), "stereo", title="A")
    excerpt = read_excerpt(path)
    assert excerpt.length_s == pytest.approx(5, abs=0.1)
    assert len(excerpt.sound) == pytest.approx(5 * RATE, rel=0.03)
    assert 20 * np.log10(np.sqrt(np.mean(excerpt.sound**2))) == pytest.approx(-17, abs=0.5)


@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_f32le", "pcm_u8"])
def test_of_a_long_file_of_any_depth_the_middle_is_heard(tmp_path: Path, codec: str) -> None:
    samples = music.sine(200)
    samples[: 50 * music.RATE] = 0
    samples[-50 * music.RATE :] = 0
    excerpt = read_excerpt(music.sound_file(tmp_path / "x.wav", codec, samples))
    assert excerpt.length_s == pytest.approx(200, abs=0.1)
    assert len(excerpt.sound) == 90 * RATE
    assert np.abs(excerpt.sound[1000:-1000].reshape(-1, 100)).max(axis=1).min() > 0.1


def test_the_length_of_variable_bit_rates_is_counted(tmp_path: Path) -> None:
    """Without its first frames such a file says nothing of its length, and its first bit rate is no guide."""
    random = np.random.default_rng(0)
    samples = np.concatenate([music.sine(20) / 100, random.normal(0, 0.2, 20 * music.RATE).astype(np.float32)])
    whole = music.sound_file(tmp_path / "x.mp3", "libmp3lame", samples).read_bytes()
    (tmp_path / "headless.mp3").write_bytes(whole[1500:])
    assert read_excerpt(tmp_path / "headless.mp3").length_s == pytest.approx(40, abs=0.5)
    (tmp_path / "cut.flac").write_bytes(music.sound_file(tmp_path / "x.flac", "flac", samples).read_bytes()[:-900_000])
    assert 20 < read_excerpt(tmp_path / "cut.flac").length_s < 35


def test_a_folder_becomes_a_catalogue_and_only_what_is_new_is_heard_again(tmp_path: Path) -> None:
    folder, target = tmp_path / "music", tmp_path / "catalogue.parquet"
    for number in range(3):
        write(folder / "deep" / f"song {number}.wav", piece(90 + 20 * number, number, False, 5))
    (folder / "broken.mp3").write_bytes(b"no music")
    write(folder / "short.wav", tone(0, 1))
    write(folder / "silent.wav", 0 * tone(0, 5))
    (folder / "notes.txt").write_text("no music either")
    (folder / "._song 0.wav").write_text("what macOS leaves behind")
    told: list[str] = []
    first = scanning.scan(folder, target, told.append, processes=2)
    assert (first.files, first.analysed, first.songs) == (6, 6, 3)
    assert set(first.faults) == {"broken.mp3", "short.wav", "silent.wav"}
    assert told[-1].startswith("[####################] 6 of 6, 0 s left")
    songs = Catalogue.load(target)
    assert sorted(songs.frame["uri"]) == [f"file:deep/song {number}.wav" for number in range(3)]
    assert set(songs.frame["duration_ms"]) == {5000}

    moved = folder.rename(tmp_path / "elsewhere")  # addresses and what was heard stay with the folder
    again = scanning.scan(moved, target)
    assert (again.analysed, again.songs) == (0, 3)
    assert Catalogue.load(target).frame.equals(songs.frame)
    write(moved / "new.wav", piece(100, 5, True, 5))
    (moved / "deep" / "song 0.wav").unlink()
    with (tmp_path / "catalogue.parquet.scan.jsonl").open("a") as journal:
        journal.write('{"file": "/half a li')  # the power went here
    third = scanning.scan(moved, target)
    assert (third.analysed, third.songs) == (1, 3)
    assert scanning.scan(moved, target).analysed == 0


def test_no_file_spoils_the_others(tmp_path: Path) -> None:
    folder, target = tmp_path / "music", tmp_path / "catalogue.parquet"
    good = music.sound_file(folder_of(folder) / "good.mp3", "libmp3lame", music.sine(4))
    (folder / "dangling.mp3").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.ogg")
    shutil.copy(os.fsencode(good), os.fsencode(folder) + b"/Caf\xe9.mp3")
    (folder / "folder.flac").mkdir()
    (folder / "list.mp3").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{good}\n")
    (folder / "empty.m4a").touch()
    samples = music.sine(4)
    samples[1000:1010] = np.nan
    music.sound_file(folder / "nan.wav", "pcm_f32le", samples)
    done = scanning.scan(folder, target)
    assert set(done.faults) == {"dangling.mp3", "pipe.ogg", "Caf\\xe9.mp3", "list.mp3", "empty.m4a"}
    assert done.songs == 2
    assert all(fault in done.as_text() for fault in done.faults.values())
    assert done.as_text().isascii()


def folder_of(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_addresses_are_the_names_as_they_stand_on_the_disk(tmp_path: Path) -> None:
    folder, target = folder_of(tmp_path / "music"), tmp_path / "catalogue.parquet"
    names = ["100%25 sure.wav", "a?b#c: d.wav", "Cafe\u0301.wav", "Caf\u00e9.wav", "日本語 ☕.wav"]
    for number, name in enumerate(names):
        write(folder / name, piece(100, number, False, 3.5))
    scanning.scan(folder, target)
    found = Catalogue.load(target).frame
    assert sorted(found["uri"]) == sorted(f"file:{name}" for name in names)
    assert all((folder / uri.removeprefix("file:")).is_file() for uri in found["uri"])


@pytest.mark.parametrize("ending", ["mp3", "flac", "opus", "m4a", "wma", "wav", "aiff"])
def test_tags_of_every_format_are_read(tmp_path: Path, ending: str) -> None:
    folder = folder_of(tmp_path / "music")
    path = folder / f"01.{ending}"
    tags = {"title": "Evening Song", "artist": "Some Band", "genre": "Jazz", "date": "1999-12-31"}
    music.sound_file(path, music.FORMATS[ending], music.sine(4), **tags)
    scanning.scan(folder, tmp_path / "c.parquet")
    ((_, song),) = Catalogue.load(tmp_path / "c.parquet").frame.iterrows()
    expected = {"title": "Evening Song", "artist": "Some Band", "genre": "Jazz", "year": 1999}
    if ending == "aiff":  # its own chunks know titles alone
        expected = {"title": "Evening Song"}
    assert {name: song[name] for name in expected} == expected


@pytest.mark.parametrize("ending", ["wav", "aiff", "mp3"])
def test_id3_is_read_wherever_it_stands(tmp_path: Path, ending: str) -> None:
    from mutagen import File
    from mutagen.id3 import TCON, TDRC, TIT2, TPE1

    folder = folder_of(tmp_path / "music")
    file = File(music.sound_file(folder / f"02.{ending}", music.FORMATS[ending], music.sine(4)))
    if file.tags is None:
        file.add_tags()
    for frame in (TIT2(3, "Ève\0ning"), TPE1(3, ["One", "Two"]), TCON(3, "(8)"), TDRC(3, "1987-02-01")):
        file.tags.add(frame)
    file.save()
    scanning.scan(folder, tmp_path / "c.parquet")
    song = Catalogue.load(tmp_path / "c.parquet").frame.iloc[0]
    assert (song["artist"], song["genre"], song["year"]) == ("One;Two", "Jazz", 1987)
    assert song["title"].startswith("Ève")


def test_without_tags_the_name_of_the_file_tells(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "music")
    for number, name in enumerate(["07 - Band Three - Green Noon", "track07", "1999"]):
        write(folder / f"{name}.wav", piece(100, number, False, 3.5))
    scanning.scan(folder, tmp_path / "c.parquet")
    frame = Catalogue.load(tmp_path / "c.parquet").frame
    assert set(zip(frame["artist"], frame["title"], strict=True)) == {
        ("Band Three", "Green Noon"),
        ("", "track07"),
        ("", "1999"),
    }


def test_the_same_title_and_artist_is_one_song(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "music")
    for number, (name, title, artist) in enumerate(
        [("a.flac", "Nine", "Ünder"), ("b.mp3", "nine ", "ÜNDER"), ("c.mp3", "Nine", "Other"), ("d.mp3", "Nine", "")]
    ):
        codec = music.FORMATS[name[2:]]
        music.sound_file(
            folder / name, codec, (music.sine(4) * (1 + number) / 4).astype(np.float32), title=title, artist=artist
        )
    done = scanning.scan(folder, tmp_path / "c.parquet")
    assert (done.songs, done.duplicates) == (3, {"b.mp3": "a.flac"})
    assert "b.mp3: the same song as a.flac" in done.as_text()


def test_what_was_heard_is_the_mood_and_survives_an_import(tmp_path: Path) -> None:
    folder, target = folder_of(tmp_path / "music"), tmp_path / "c.parquet"
    write(folder / "a.wav", piece(90, 0, True, 5))
    done = scanning.scan(folder, target)
    assert done.listener != FORMULAS
    heard = Catalogue.load(target).frame.loc[0, list(HEARD)].to_numpy(float)
    assert heard.sum() == pytest.approx(1, abs=1e-3)
    (said,) = moods(target)
    assert list(said["memberships"].values()) == pytest.approx(list(heard), abs=1e-3)
    assert said["mood"] == max(said["memberships"], key=lambda mood: said["memberships"][mood])


def test_without_the_model_formulas_answer_and_say_so(tmp_path: Path) -> None:
    folder, target = folder_of(tmp_path / "music"), tmp_path / "c.parquet"
    write(folder / "a.wav", piece(90, 0, True, 5))
    done = scanning.scan(folder, target, ears=tmp_path / "removed.npz")
    assert done.listener == FORMULAS
    assert "moods follow from plain formulas" in done.as_text()
    assert np.isnan(Catalogue.load(target).heard).all()
    assert scanning.scan(folder, target, ears=EARS).analysed == 1, "with the model it is heard anew"
    assert np.isfinite(Catalogue.load(target).heard).all()
    (tmp_path / "broken.npz").write_bytes(b"no model")
    with pytest.raises(MoodstreamError, match=r"cannot use the model.*broken\.npz"):
        scanning.scan(folder, target, ears=tmp_path / "broken.npz")


def test_without_the_network_that_hears_music_a_smaller_model_answers_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = folder_of(tmp_path / "music"), tmp_path / "c.parquet"
    write(folder / "a.wav", piece(90, 0, True, 5))
    not_there = replace(TAGGER, package="nobody_has_it", name="nobody-has-it.bin")
    with monkeypatch.context() as patched:
        patched.setattr(ears, "TAGGER", not_there)
        done = scanning.scan(folder, target)
    assert done.listener == Ears.load(EARS_ALONE).version
    assert "the network that hears music is not installed, so fewer moods are right" in done.as_text()
    assert np.isfinite(Catalogue.load(target).heard).all()
    again = scanning.scan(folder, target)
    assert (again.listener, again.analysed) == (Ears.load(EARS).version, 1), "with it the file is heard anew"
    assert "not installed" not in again.as_text()
    monkeypatch.setattr(TAGGER.__class__, "is_right", lambda *_: False)
    with pytest.raises(MoodstreamError, match="was cut or changed since it was fetched"):  # once, not file by file
        scanning.scan(folder, target)


def test_a_file_is_heard_on_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    threads = set[int]()

    def measure(*_: object) -> dict[str, float]:
        threads.update(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return {}

    monkeypatch.setattr(listening, "measure_sound", measure)
    write(tmp_path / "a.wav", piece(90, 0, True, 5))
    assert not listening.listen(tmp_path / "a.wav", None).fault
    assert threads == {1}


@pytest.mark.reference
def test_moods_of_real_music_are_heard(reference: Path) -> None:
    """The clips are those it was fitted on: this shows that what runs is what was fitted, not how good it is."""
    table = [line.split(",")[:2] for line in (reference / "music.csv").read_text().splitlines()[1:]]
    names = {"Q1": "happy", "Q2": "angry", "Q3": "sad", "Q4": "calm"}
    clips = {reference / "music" / file: names[quadrant] for file, quadrant in table[::60]}
    right = 0
    for path, heard in listen_to_all(list(clips), EARS):
        assert not heard.fault
        right += max(names.values(), key=lambda mood: heard.song[f"heard_{mood}"]) == clips[path]
    assert right >= 0.75 * len(clips)


def test_the_bar_says_how_long_it_will_take() -> None:
    now = [100.0]
    told: list[str] = []
    show = bar(told.append, 40, lambda: now[0])
    now[0] += 30
    show(10, "x.mp3")
    now[0] += 600
    show(20, "y.mp3")
    assert told == [
        "[#####...............] 10 of 40, 2 min left: x.mp3",
        "[##########..........] 20 of 40, 10 min left: y.mp3",
    ]


def test_a_scan_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, target = tmp_path / "music", tmp_path / "catalogue.parquet"
    for number in range(3):
        write(folder / f"{number}.wav", piece(100, number, False, 4))

    def stop(text: str) -> None:
        if "2 of 3" in text:
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


def test_without_the_extra_the_scan_ends_and_blames_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "music" / "one.wav", tone(0, 4))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MoodstreamError, match=r"moodstream\[scan\]"):
        scanning.scan(tmp_path / "music", tmp_path / "songs.parquet")
    assert "fault" not in (tmp_path / "songs.parquet.scan.jsonl").read_text()

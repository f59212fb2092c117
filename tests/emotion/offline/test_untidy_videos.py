"""Interlaced videos, and videos whose times are none or begin anew, in every place that reads a video."""

import struct
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.camera.capture.file_source import open_file
from services.camera.capture.picture import Image
from services.camera.drawn import pattern
from services.emotion.main import EmotionSettings, create_reader
from services.emotion.offline.files import read_file
from services.emotion.offline.replay import Moment, replay
from shared.settings import load
from shared.videos import MAX_GAP_S, FrameTimes, NotAVideo, open_video
from tests.support.videos import INTERLACED, RATE, SIZE, interlaced, joined, without_times, write_video


def moments_of(video: Path, rate: float = 10) -> list[Moment]:
    given = load(EmotionSettings)
    return list(replay(video, create_reader(given), given.thresholds(), rate))


def one_picture(video: Path) -> Image:
    source = open_file(str(video), once=True)
    read = source.read_frame(0.0)
    source.close()
    assert read is not None
    return read[1]


@pytest.mark.parametrize("name", sorted(INTERLACED))
def test_an_interlaced_video_shows_what_was_filmed(name: str, tmp_path: Path) -> None:
    video = interlaced(tmp_path, name)
    source = open_file(str(video), once=True)
    for at_s in (0.0, 1.0):
        read = source.read_frame(at_s)
        assert read is not None
        height, width = read[1].shape[:2]  # DV's pixels are not square
        drawn = cv2.resize(pattern.draw(1 + at_s, SIZE), (width, height))
        alike = cv2.matchTemplate(read[1], drawn, cv2.TM_CCOEFF_NORMED)[0, 0]
        assert alike > 0.98
        assert np.abs(read[1].astype(int) - drawn).mean() < 12
    source.close()
    assert {moment.mood.mood for moment in moments_of(video)[10:] if moment.mood} == {Mood.HAPPY}


@pytest.mark.slow
def test_a_video_without_times_is_read_at_its_own_pace(tmp_path: Path) -> None:
    video = without_times(tmp_path)
    moments = moments_of(video)
    assert len(moments) == 30
    assert moments[-1].time_s == pytest.approx(2.9, abs=0.1)
    looks = list(read_file(create_reader(load(EmotionSettings)), video))
    assert [look["time_s"] for look in looks] == pytest.approx([0, 0.52, 1.04, 1.56, 2.08, 2.6], abs=0.05)
    source = open_file(str(video), once=True)
    numbers = [read[0] for at in range(30) if (read := source.read_frame(at / 10)) is not None]
    source.close()
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 30


@pytest.mark.slow
def test_joined_recordings_go_on(tmp_path: Path) -> None:
    moments = moments_of(joined(tmp_path, (2.0, 3.0, 1.0)))
    assert all(0 < after.time_s - before.time_s < 0.5 for before, after in pairwise(moments))
    assert moments[-1].time_s == pytest.approx(5.9, abs=0.3)


def test_a_telephone_held_upright(tmp_path: Path) -> None:
    """Its film lies on its side, with a note of how to turn it."""
    video = write_video(tmp_path / "phone.mp4", "libx264", {})
    data, quarter = video.read_bytes(), struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    before, tkhd, after = data.partition(b"tkhd")
    video.write_bytes(before + tkhd + after.replace(upright, quarter, 1))
    picture = one_picture(video)
    assert picture.shape == (SIZE[0], SIZE[1], 3)
    drawn = np.asarray(cv2.rotate(pattern.draw(1, SIZE), cv2.ROTATE_90_CLOCKWISE))
    assert cv2.matchTemplate(picture, drawn, cv2.TM_CCOEFF_NORMED)[0, 0] > 0.98


@pytest.mark.parametrize("suffix", ["bmp", "webp", "tiff", "png", "jpg"])
def test_a_picture_of_any_kind_is_read_whatever_it_is_called(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"face.{suffix}"
    cv2.imwrite(str(path), pattern.draw(3.0))
    renamed = path.rename(tmp_path / "face.dat")
    reader = create_reader(load(EmotionSettings))
    assert [face["mood"] for look in read_file(reader, renamed) for face in look["faces"]] == ["happy"]


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.mark.parametrize(
    ("brand", "item", "tiles"), [(b"heic", b"grid", True), (b"mif1", b"grid", True), (b"heic", b"hvc1", False)]
)
def test_of_a_photograph_of_tiles_no_tile_is_taken_for_the_whole(
    brand: bytes, item: bytes, tiles: bool, tmp_path: Path
) -> None:
    """As telephones store them: a decoder that knows videos alone gives the tile in the corner."""
    listed = box(b"infe", b"\2\0\0\0" + b"\0\1\0\0" + item + b"\0")
    meta = box(b"meta", bytes(4) + box(b"iinf", bytes(4) + b"\0\1" + listed))
    photograph = tmp_path / "IMG_0001.HEIC"
    photograph.write_bytes(box(b"ftyp", brand + bytes(4) + b"mif1heic") + meta)
    [look] = read_file(create_reader(load(EmotionSettings)), photograph)
    assert ("save it as a JPEG" in look["error"]) == tiles
    with pytest.raises(NotAVideo):
        open_video(photograph)


PLAYLIST = "#EXTM3U\n#EXTINF:2,\nfile://{video}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("text", [PLAYLIST, "ffconcat version 1.0\nfile {video}\n", "no video at all\n" * 50, ""])
def test_what_only_names_a_video_opens_nothing(text: str, tmp_path: Path) -> None:
    video = write_video(tmp_path / "real.mp4", "libx264", {})
    named = tmp_path / "list.m3u8"
    named.write_text(text.format(video=video))
    with pytest.raises(MoodstreamError, match=r"not a video that can be read: .*list\.m3u8"):
        open_file(str(named), once=True)
    [look] = read_file(create_reader(load(EmotionSettings)), named)
    assert look["error"] == "neither a picture nor a video"


@pytest.mark.parametrize("cut", [0.3, 0.7])
def test_a_film_that_breaks_off_or_is_damaged_is_read_as_far_as_it_goes(cut: float, tmp_path: Path) -> None:
    video = write_video(tmp_path / "whole.mts", "libx264", {}, "mpegts", 3.0)
    data = bytearray(video.read_bytes()[: int(cut * video.stat().st_size)])
    for at in range(len(data) // 2, len(data) // 2 + 400):
        data[at] ^= 0x5A
    video.write_bytes(data)
    moments = moments_of(video)
    assert 3 <= len(moments) <= 31
    assert all(after.time_s > before.time_s for before, after in pairwise(moments))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 90_000.0])
def test_a_rate_that_is_none_is_the_usual_one(rate: float) -> None:
    times = FrameTimes(rate)
    assert [times.after(0.0) for _ in range(3)] == pytest.approx([0, 1 / RATE, 2 / RATE])


def test_times_that_begin_late_anew_or_far_away() -> None:
    times = FrameTimes(10)
    assert [times.after(told) for told in (7.0, 7.5, 8.0, 0.0, 0.5)] == pytest.approx([0, 0.5, 1, 1.1, 1.6])
    assert times.after(0.5 + MAX_GAP_S) == pytest.approx(1.7)

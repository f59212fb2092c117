"""Files: pictures that are due, and one line for what cannot be read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.file_source import open_file
from tests.support.pictures import FILM_FRAMES, FILM_RATE, encoded, film, noise


def level(read: tuple[int, np.ndarray[Any, Any]] | None) -> int:
    assert read is not None
    return round(float(read[1].mean()) / 8)


def test_a_video_gives_the_frame_that_is_due(tmp_path: Path) -> None:
    source = open_file(str(film(tmp_path / "film.avi")))
    assert [level(source.read_frame(at)) for at in (0.0, 0.5, 1.0, 2.5)] == [0, 5, 10, 25]
    assert source.read_frame(10.0) is None
    source.close()


def test_a_frame_that_is_still_due_has_its_old_number(tmp_path: Path) -> None:
    source = open_file(str(film(tmp_path / "film.avi")))
    read = [source.read_frame(at / 30) for at in range(60)]
    numbers = [one[0] for one in read if one is not None]
    assert len(set(numbers)) == pytest.approx(20, abs=1)
    assert numbers == sorted(numbers)
    source.close()


def test_a_truncated_video_ends_where_it_breaks(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    source = open_file(str(tmp_path / "cut.avi"))
    seen = [source.read_frame(at / FILM_RATE) is not None for at in range(FILM_FRAMES)]
    source.close()
    assert 5 < sum(seen) < FILM_FRAMES
    assert seen == sorted(seen, reverse=True)


def test_pictures_of_a_folder_are_shown_in_turn(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(np.full((90, 90), 80 * number, np.uint8), ".png"))
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_file(str(tmp_path))
    assert [level(source.read_frame(at)) for at in (0.0, 1.9, 2.1, 4.1)] == [0, 0, 10, 20]
    assert source.read_frame(6.1) is None


def test_a_folder_may_hold_videos_and_what_cannot_be_read_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film(tmp_path / "1.avi")
    (tmp_path / "2.mp4").write_text("no video")
    (tmp_path / "3.png").write_bytes(encoded(np.full((90, 90), 240, np.uint8), ".png"))
    film(tmp_path / "4.AVI")
    source = open_file(str(tmp_path))
    assert not source.repeats
    assert [level(source.read_frame(at)) for at in (0.0, 2.0)] == [0, 20]
    assert level(source.read_frame(3.2)) == 30
    assert source.repeats
    assert "2.mp4" in caplog.text
    assert [level(source.read_frame(at)) for at in (5.3, 6.3)] == [1, 11]
    assert source.read_frame(9.0) is None
    source.close()
    source = open_file(str(tmp_path))
    numbers = [read[0] for at in range(90) if (read := source.read_frame(at / 10)) is not None]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == pytest.approx(2 * FILM_FRAMES + 1, abs=3)


def test_a_folder_in_which_nothing_can_be_read_is_one_line(tmp_path: Path) -> None:
    for name in ("1.mp4", "2.jpg"):
        (tmp_path / name).write_text("hello")
    with pytest.raises(MoodstreamError, match="that can be read"):
        open_file(str(tmp_path))


def half(kind: str) -> bytes:
    whole = encoded(noise(200, 200), kind)
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.mp4", None, "no such camera or file"),
        ("text.mp4", b"hello", "not a video"),
        ("empty.avi", b"", "not a video"),
        ("text.jpg", b"hello", "not a picture"),
        ("empty.png", b"", "not a picture"),
        ("half.jpg", half(".jpg"), "not a picture"),
        ("half.png", half(".png"), "not a picture"),
    ],
)
def test_bad_files_are_one_line_and_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MoodstreamError, match=words) as caught:
        open_file(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="no pictures"):
        open_file(str(tmp_path))

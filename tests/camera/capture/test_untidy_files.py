"""Files whose names say something else than their bytes, and pixels that are not square."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.file_source import open_file
from services.camera.capture.picture import Image
from services.camera.drawn import pattern
from services.emotion.faces.decode import MAX_PIXELS, decode_colour, decode_grey
from services.emotion.main import EmotionSettings, create_reader
from services.emotion.offline.files import read_file
from shared.media_files import media_in
from shared.settings import load
from shared.videos import upright_width
from tests.support.pictures import encoded

FACE = pattern.draw(3.0)


def shown(path: Path) -> tuple[int, ...]:
    source = open_file(str(path))
    read = source.read_frame(0.0)
    source.close()
    assert read is not None
    return read[1].shape


def photograph(path: Path, picture: Image = FACE) -> Path:
    path.write_bytes(encoded(picture, ".jpg"))
    return path


def test_a_film_that_is_called_a_picture_is_played(tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    video = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (128, 96))
    for number in range(10):
        video.write(np.full((96, 128, 3), 20 * number, np.uint8))
    video.release()
    assert shown(film.rename(tmp_path / "film.jpg")) == (96, 128, 3)


def test_pictures_one_behind_the_other_are_a_film_and_two_are_a_photograph(tmp_path: Path) -> None:
    pictures = [encoded(np.full((96, 128), level, np.uint8)) for level in range(50, 150, 4)]
    (tmp_path / "film.mjpeg").write_bytes(b"".join(pictures))
    (tmp_path / "photograph.jpg").write_bytes(b"".join(pictures[:2]))
    reader = create_reader(load(EmotionSettings))
    assert [one["time_s"] for one in read_file(reader, tmp_path / "film.mjpeg")] == pytest.approx([0, 0.52], abs=0.05)
    assert ["time_s" in one for one in read_file(reader, tmp_path / "photograph.jpg")] == [False]
    assert [one.name for one in media_in(tmp_path)] == ["film.mjpeg", "photograph.jpg"]


@pytest.mark.parametrize("ending", [".tiff", ".gif", ".webp", ".avif"])
def test_pictures_of_every_kind_lie_in_a_folder(tmp_path: Path, ending: str) -> None:
    cv2.imwrite(str(tmp_path / f"face{ending}"), FACE)
    assert [shown(one) for one in media_in(tmp_path)] == [FACE.shape]


def test_a_photograph_that_was_cut_is_no_film(tmp_path: Path) -> None:
    path = photograph(tmp_path / "cut.jpg")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(MoodstreamError, match="not a picture that can be read"):
        open_file(str(path))


def test_a_photograph_of_24_million_pixels_is_read_smaller_and_its_face_is_found(tmp_path: Path) -> None:
    path = photograph(tmp_path / "phone.jpg", np.asarray(cv2.resize(FACE, (5712, 4284)), np.uint8))
    data = path.read_bytes()
    grey, colour = decode_grey(data, max_bytes=len(data), max_pixels=30_000_000), decode_colour(data)
    assert colour is not None
    assert grey.shape == colour.shape[:2] == (2142, 2856)
    assert grey.size <= MAX_PIXELS
    (look,) = read_file(create_reader(load(EmotionSettings)), path)
    assert look["error"] is None
    assert [face["mood"] for face in look["faces"]] == ["happy"]


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        (None, 720),
        (Fraction(0), 720),
        (Fraction(1), 720),
        (Fraction(64, 45), 1024),
        (Fraction(12, 11), 785),
        (Fraction(8, 9), 640),
        (Fraction(1, 100), 720),
        (Fraction(255, 1), 720),
    ],
)
def test_pixels_that_are_not_square_are_made_so(shape: Fraction | None, width: int) -> None:
    assert upright_width(720, shape) == width

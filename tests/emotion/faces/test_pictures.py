"""Pictures of every kind that people have: the same face is found and read in each, or a line says why not."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from moodstream.contracts.moods import Mood
from services.emotion.faces.boxes import Box, overlap
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.detection import Detector
from services.emotion.faces.reader import Reader
from services.emotion.offline.files import read_file
from tests.support.pictures import drawn_face, encoded


@pytest.fixture(scope="module", params=["yunet", "haar"])
def reader(request: pytest.FixtureRequest) -> Reader:
    detector: Detector = request.getfixturevalue(request.param)
    return Reader(detector, Classifier())


def saved(kind: str) -> bytes:
    """The drawn face as a file of this kind."""
    grey, file = drawn_face(), BytesIO()
    colour = Image.fromarray(cv2.merge([grey, grey, grey]))
    if kind == "16-bit PNG":
        return encoded(grey.astype(np.uint16) * 257, ".png")  # type: ignore[arg-type]
    if kind == "grey PNG":
        return encoded(grey, ".png")
    if kind == "PNG with transparency":
        colour.convert("RGBA").save(file, "PNG")
    elif kind == "CMYK":
        colour.convert("CMYK").save(file, "JPEG")
    elif kind == "progressive":
        colour.save(file, "JPEG", progressive=True)
    elif kind == "turned by EXIF":
        turned = Image.Exif()
        turned[0x0112] = 6  # to be shown turned by a quarter, clockwise
        colour.rotate(90, expand=True).save(file, "JPEG", exif=turned)
    elif kind == "16 megapixels":
        colour.resize((4608, 3456)).save(file, "JPEG")
    else:
        colour.convert("L").save(file, "JPEG")
    return file.getvalue()


KINDS = (
    "grey", "grey PNG", "16-bit PNG", "PNG with transparency", "CMYK", "progressive", "turned by EXIF", "16 megapixels",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_face_is_read_in_a_file_of_any_kind(kind: str, reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "face").write_bytes(saved(kind))
    [result] = read_file(reader, tmp_path / "face")
    assert result["error"] is None
    [face] = result["faces"]
    [plain] = reader.read_picture(drawn_face())
    scale = 4608 / 640 if kind == "16 megapixels" else 1
    assert overlap(Box(*(round(value / scale) for value in face["box"])), Box(*plain.box)) > 0.8
    assert (face["mood"], face["refused"]) == (Mood.HAPPY, None)


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (640, 1), (2, 3), (31, 33), (23, 23)])
def test_a_picture_too_small_for_a_face_shows_none(size: tuple[int, int], reader: Reader, tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    for kind in (".jpg", ".png"):
        (tmp_path / "small").write_bytes(encoded(picture, kind))
        [result] = read_file(reader, tmp_path / "small")
        assert (result["faces"], result["error"]) == ([], None)


def test_a_picture_larger_than_is_read_is_told_in_a_line(reader: Reader, tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("L", (16_000, 16_000), 90).save(file, "JPEG")
    (tmp_path / "large").write_bytes(file.getvalue())
    [result] = read_file(reader, tmp_path / "large")
    assert (result["faces"], result["error"]) == ([], "more than 250000000 pixels")

"""Several cameras from JSON and files, and the way of a picture: masks first, then crop, turn, mirror, size."""

import json
from pathlib import Path

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.opencv import cv2
from services.camera.capture.picture import decode, encode, look_at, prepare, sharpness
from services.camera.rules.cameras import create_cameras, read_cameras
from services.camera.rules.job import Job
from tests.support.mjpeg_server import bomb
from tests.support.pictures import encoded, noise

TWO = [{"id": "door", "address": "rtsp://u:secret@h/1", "frame_rate": 5}, {"address": "webcam:1"}]


def test_json_toml_and_json_files_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "cameras.json").write_text(json.dumps({"cameras": TWO}))
    (tmp_path / "cameras.toml").write_text(
        '[[cameras]]\nid = "door"\naddress = "rtsp://u:secret@h/1"\nframe_rate = 5\n[[cameras]]\naddress = "webcam:1"\n'
    )
    given = [json.dumps(TWO), str(tmp_path / "cameras.json"), str(tmp_path / "cameras.toml")]
    first, *others = [read_cameras(one, {"jpeg_quality": 70}) for one in given]
    assert [one.id for one in first] == ["door", "camera-2"]
    assert [one.frame_rate for one in first] == [5, 10]
    assert [one.jpeg_quality for one in first] == [70, 70]
    assert all(one == first for one in others)
    assert "secret" not in repr(first)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("no/such.toml", "cannot be read"),
        ('[{"id": "a"', "not JSON"),
        ("[]", "a list of cameras"),
        ('["rtsp://u:secret@h"]', "a list of cameras"),
        ('[{"id": "a"}]', "camera a: address"),
        ('[{"id": "a", "address": "ftp://u:secret@h/x"}]', "ftp://"),
        ('[{"id": "a", "address": "http://u:secret@[::1/x"}]', "no address of a stream"),
        ('[{"id": "a", "address": "http://u:secret@h:port/x"}]', "no address of a stream"),
        ('[{"id": "a", "address": "rtsp://u:secret@h", "rotation": 45}]', "camera a: rotation"),
        ('[{"id": "a", "address": "rtsp://u:secret@h", "colour": 1}]', "camera a: colour"),
        ('[{"id": "a", "address": "rtsp://u:secret@h", "crop": [0.5, 0, 0.6, 1]}]', "crop must lie inside"),
        ('[{"id": "a", "address": "rtsp://u:secret@h", "masks": [[[0, 0], [1, 1]]]}]', "three corners"),
        ('[{"id": "a", "address": "webcam:0"}, {"id": "a", "address": "webcam:1"}]', "same id"),
    ],
)
def test_what_cannot_be_is_one_line_without_secrets(given: str, words: str) -> None:
    with pytest.raises(MoodstreamError, match=words) as caught:
        read_cameras(given, {})
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def job(**given: object) -> Job:
    [camera] = create_cameras([{"address": "webcam:0", **given}])
    return camera.job()


def corners() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """200 x 100 px: 10 top left, 20 top right, 30 bottom right, 40 bottom left."""
    image = np.zeros((100, 200, 3), np.uint8)
    image[:50, :100], image[:50, 100:], image[50:, 100:], image[50:, :100] = 10, 20, 30, 40
    return image


def levels(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[int]:
    """Clockwise from the top left."""
    return [int(image[y, x, 0]) for y, x in ((2, 2), (2, -3), (-3, -3), (-3, 2))]


@pytest.mark.parametrize(
    ("given", "expected", "shape"),
    [
        ({}, [10, 20, 30, 40], (100, 200)),
        ({"rotation": 90}, [40, 10, 20, 30], (200, 100)),
        ({"rotation": 180}, [30, 40, 10, 20], (100, 200)),
        ({"rotation": 270}, [20, 30, 40, 10], (200, 100)),
        ({"mirror": True}, [20, 10, 40, 30], (100, 200)),
        ({"crop": [0.5, 0, 0.5, 1]}, [20, 20, 30, 30], (100, 100)),
        ({"masks": [[0, 0, 0.25, 0.25]]}, [0, 20, 30, 40], (100, 200)),
        ({"masks": [[[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]]}, [10, 20, 0, 40], (100, 200)),
        ({"masks": [[0, 0, 0.25, 0.25]], "rotation": 90, "mirror": True}, [0, 40, 30, 20], (200, 100)),
    ],
)
def test_the_way_of_a_picture(given: dict[str, object], expected: list[int], shape: tuple[int, int]) -> None:
    made = prepare(corners(), job(**given))
    assert made.shape[:2] == shape
    assert levels(made) == expected


def test_a_mask_leaves_nothing_below_it() -> None:
    image = np.asarray(np.dstack([noise(480, 640)] * 3))
    covered = decode(encode(prepare(image, job(masks=[[0.25, 0.25, 0.5, 0.5]])), 85))
    assert covered is not None
    assert covered[125:355, 165:475].max() <= 4, "a few levels are what JPEG itself adds"


def test_large_pictures_are_made_smaller_and_small_ones_stay() -> None:
    for size, expected in (((1200, 1600, 3), (480, 640)), ((90, 60, 3), (90, 60))):
        decoded = decode(encode(prepare(np.zeros(size, np.uint8), job()), 85))
        assert decoded is not None
        assert decoded.shape[:2] == expected


def test_hints_tell_light_from_dark_and_sharp_from_blurred() -> None:
    sharp = np.asarray(np.dstack([np.random.default_rng(1).integers(0, 255, (480, 640), dtype=np.uint8)] * 3))
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 15), np.uint8)
    assert look_at(np.zeros((48, 64, 3), np.uint8)).light == 0
    assert look_at(sharp).contrast > 50
    assert sharpness(sharp) > 1000 > 30 > sharpness(blurred)


def test_broken_pictures_are_none_and_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    whole = encoded(noise(200, 200))
    for data in (b"", b"<html>", whole[:500], whole[: len(whole) // 2], bomb()):
        assert decode(data) is None
    assert capfd.readouterr().err == ""

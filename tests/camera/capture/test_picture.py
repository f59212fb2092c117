"""What is done to a picture: masks first, then crop, rotation, mirror, size."""

import numpy as np
import pytest

from services.camera.capture.opencv import cv2
from services.camera.capture.picture import decode, encode, measure_levels, prepare, sharpness
from services.camera.rules.cameras import create_cameras
from services.camera.rules.job import Job
from tests.support.pictures import encoded, noise
from tests.support.servers.mjpeg_server import bomb


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
    assert measure_levels(np.zeros((48, 64, 3), np.uint8)).light == 0
    assert measure_levels(sharp).contrast > 50
    assert sharpness(sharp) > 1000 > 30 > sharpness(blurred)


def test_broken_pictures_are_none_and_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    whole = encoded(noise(200, 200))
    for data in (b"", b"<html>", whole[:500], whole[: len(whole) // 2], bomb()):
        assert decode(data) is None
    assert capfd.readouterr().err == ""

"""Webcams and cameras over HTTP: pictures, passwords, and one line for what does not answer."""

import functools
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.camera_source import CameraSource, open_camera
from services.camera.capture.errors import SourceUnavailable
from services.camera.drawn import pattern
from services.camera.rules.job import Job
from tests.support.pictures import film
from tests.support.servers.mjpeg_server import MjpegServer
from tests.support.videos import SIZE, interlaced


def test_a_wrong_webcam_name_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match="webcam:0"):
        open_camera(Job("webcam:front"))


def test_a_webcam_that_is_not_there_may_come_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceUnavailable, match="webcam:63"):
        open_camera(Job("webcam:63"))
    assert capfd.readouterr().err == ""


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    one = MjpegServer(password="secret")
    yield one
    one.end()


def with_password(address: str, password: str) -> str:
    return address.replace("http://", f"http://user:{password}@")


def five(camera: CameraSource) -> list[Any]:
    pictures = []
    for _ in range(5):
        assert camera.wait_for_picture()
        pictures.append(camera.decode_picture())
    camera.close()
    return pictures


@pytest.mark.parametrize("kind", ["address", "snapshot"])
def test_a_network_camera_with_a_password(server: MjpegServer, kind: str) -> None:
    address = getattr(server, kind)
    pictures = five(open_camera(Job(with_password(address, "secret"))))
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    with pytest.raises(SourceUnavailable, match="401: user or password is wrong") as caught:
        open_camera(Job(with_password(address, "guess")))
    assert "guess" not in str(caught.value)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The test's own output stays readable."""


def first_over_http(file: Path) -> Any:
    """The first picture of a film that a web server gives."""
    handler = functools.partial(Quiet, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        camera = open_camera(Job(f"http://127.0.0.1:{web.server_address[1]}/{file.name}"))
        assert camera.wait_for_picture()
        picture = camera.decode_picture()
        camera.close()
        web.shutdown()
    assert picture is not None
    return picture


@pytest.mark.usefixtures("either_library")
def test_what_is_no_mjpeg_is_left_to_ffmpeg(tmp_path: Path) -> None:
    film(tmp_path / "film.avi")
    assert first_over_http(tmp_path / "film.avi").shape == (120, 160, 3)


def test_an_interlaced_stream_shows_what_was_filmed(tmp_path: Path) -> None:
    picture = first_over_http(interlaced(tmp_path, "camcorder.mts"))
    assert cv2.matchTemplate(picture, pattern.draw(1, SIZE), cv2.TM_CCOEFF_NORMED)[0, 0] > 0.98


def test_a_camera_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceUnavailable, match="cannot open"):
        open_camera(Job(f"http://127.0.0.1:{silent.getsockname()[1]}/video"))

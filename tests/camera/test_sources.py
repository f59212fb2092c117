"""Sources: pictures that are due, and one line for what cannot be read."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.lost import SourceLost
from services.camera.capture.opencv import cv2
from services.camera.capture.sources import CameraSource, open_camera, open_file
from services.camera.rules.job import Job
from tests.support.mjpeg_server import MjpegServer
from tests.support.pictures import encoded, noise

FRAMES, RATE = 30, 10


def film(path: Path) -> Path:
    """A video whose frame n is grey level 8 n."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (160, 120))
    for frame in range(FRAMES):
        writer.write(np.full((120, 160, 3), 8 * frame, np.uint8))
    writer.release()
    return path


def level(read: tuple[int, np.ndarray[Any, Any]] | None) -> int:
    assert read is not None
    return round(float(read[1].mean()) / 8)


def test_a_video_gives_the_frame_that_is_due(tmp_path: Path) -> None:
    source = open_file(str(film(tmp_path / "film.avi")))
    assert [level(source.read(at)) for at in (0.0, 0.5, 1.0, 2.5)] == [0, 5, 10, 25]
    assert source.read(10.0) is None
    source.close()


def test_a_frame_that_is_still_due_has_its_old_number(tmp_path: Path) -> None:
    source = open_file(str(film(tmp_path / "film.avi")))
    read = [source.read(at / 30) for at in range(60)]
    numbers = [one[0] for one in read if one is not None]
    assert len(set(numbers)) == pytest.approx(20, abs=1)
    assert numbers == sorted(numbers)
    source.close()


def test_a_truncated_video_ends_where_it_breaks(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    source = open_file(str(tmp_path / "cut.avi"))
    seen = [source.read(at / RATE) is not None for at in range(FRAMES)]
    source.close()
    assert 5 < sum(seen) < FRAMES
    assert seen == sorted(seen, reverse=True)


def test_pictures_of_a_folder_are_shown_in_turn(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(np.full((90, 90), 80 * number, np.uint8), ".png"))
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_file(str(tmp_path))
    assert [level(source.read(at)) for at in (0.0, 1.9, 2.1, 4.1)] == [0, 0, 10, 20]
    assert source.read(6.1) is None


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


def test_an_empty_folder_and_a_wrong_webcam_name_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="no pictures"):
        open_file(str(tmp_path))
    with pytest.raises(MoodstreamError, match="webcam:0"):
        open_camera(Job("webcam:front"))


def test_a_webcam_that_is_not_there_may_come_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceLost, match="webcam:63"):
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
        assert camera.wait()
        pictures.append(camera.picture())
    camera.close()
    return pictures


@pytest.mark.parametrize("kind", ["address", "snapshot"])
def test_a_network_camera_with_a_password(server: MjpegServer, kind: str) -> None:
    address = getattr(server, kind)
    pictures = five(open_camera(Job(with_password(address, "secret"))))
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    with pytest.raises(SourceLost, match="401: user or password is wrong") as caught:
        open_camera(Job(with_password(address, "guess")))
    assert "guess" not in str(caught.value)


def test_what_is_no_mjpeg_is_left_to_ffmpeg(tmp_path: Path) -> None:
    import functools
    import http.server
    import threading

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """The test's own output stays readable."""

    film(tmp_path / "film.avi")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        camera = open_camera(Job(f"http://127.0.0.1:{web.server_address[1]}/film.avi"))
        assert camera.wait()
        picture = camera.picture()
        camera.close()
        web.shutdown()
    assert picture is not None
    assert picture.shape == (120, 160, 3)


def test_a_camera_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceLost, match="cannot open"):
        open_camera(Job(f"http://127.0.0.1:{silent.getsockname()[1]}/video"))

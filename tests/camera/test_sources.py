"""Sources: pictures that are due, and one line for what cannot be read."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.camera.opencv import cv2
from services.camera.sources import Source, SourceLost, encode, is_live, masked, now_run_id, open_source
from shared.errors import MoodstreamError
from tests.drawn import encoded, noise

FRAMES, RATE = 30, 10


def film(path: Path) -> Path:
    """A video whose frame n is grey level 8 n."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (160, 120))
    for frame in range(FRAMES):
        writer.write(np.full((120, 160, 3), 8 * frame, np.uint8))
    writer.release()
    return path


def level(image: np.ndarray[Any, Any] | None) -> int:
    assert image is not None
    return round(float(image.mean()) / 8)


def test_a_video_gives_the_frame_that_is_due(tmp_path: Path) -> None:
    source = open_source(str(film(tmp_path / "film.avi")))
    assert [level(source.read(at)) for at in (0.0, 0.5, 1.0, 2.5)] == [0, 5, 10, 25]
    assert source.read(10.0) is None
    source.close()


def test_a_truncated_video_ends_where_it_breaks(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    source = open_source(str(tmp_path / "cut.avi"))
    seen = [source.read(at / RATE) is not None for at in range(FRAMES)]
    source.close()
    assert 5 < sum(seen) < FRAMES
    assert seen == sorted(seen, reverse=True)


def test_pictures_of_a_folder_are_shown_in_turn(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(np.full((90, 90), 80 * number, np.uint8), ".png"))
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_source(str(tmp_path))
    assert [level(source.read(at)) for at in (0.0, 1.9, 2.1, 4.1)] == [0, 0, 10, 20]
    assert source.read(6.1) is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.mp4", None, "no such camera or file"),
        ("text.mp4", b"hello", "not a video"),
        ("empty.avi", b"", "not a video"),
        ("text.jpg", b"hello", "not a picture"),
        ("empty.png", b"", "not a picture"),
    ],
)
def test_bad_files_are_one_line_and_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MoodstreamError, match=words) as caught:
        open_source(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_an_empty_folder_and_a_wrong_webcam_name_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="no pictures"):
        open_source(str(tmp_path))
    with pytest.raises(MoodstreamError, match="webcam:0"):
        open_source("webcam:front")


def test_a_webcam_that_is_not_there_may_come_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceLost, match="webcam:63"):
        open_source("webcam:63")
    assert capfd.readouterr().err == ""


def test_passwords_are_masked() -> None:
    assert masked("rtsp://user:secret@10.0.0.1:554/stream") == "rtsp://10.0.0.1:554/stream"
    assert masked("http://camera/video") == "http://camera/video"
    with pytest.raises(SourceLost) as caught:
        open_source("http://user:secret@127.0.0.1:9/video")
    assert "secret" not in str(caught.value)


def test_cameras_can_come_back_and_files_cannot() -> None:
    assert all(is_live(one) for one in ("webcam:0", "/dev/video0", "rtsp://x", "http://x", "https://x"))
    assert not any(is_live(one) for one in ("pattern:", "film.mp4", "folder"))


def test_large_pictures_are_made_smaller_and_small_ones_stay() -> None:
    for size, expected in (((1200, 1600, 3), (480, 640)), ((90, 60, 3), (90, 60))):
        jpeg = np.frombuffer(encode(np.zeros(size, np.uint8), 640, 85), np.uint8)
        decoded = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        assert decoded.shape == expected


def test_run_ids_grow() -> None:
    first = now_run_id()
    time.sleep(0.001)
    assert now_run_id() > first
    assert len(now_run_id()) == len(first)


@pytest.fixture
def mjpeg() -> Iterator[tuple[str, threading.Event]]:
    """A camera on the network (MJPEG over HTTP) and an event that stops its pictures."""
    stalled = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for number in range(1000):
                if stalled.is_set():
                    time.sleep(10)
                    return
                jpeg = encoded(noise(120, 160, seed=number % 7))
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n")
                time.sleep(0.03)

        def log_message(self, format: str, *args: Any) -> None:
            """The test's own output stays readable."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/video.mjpg", stalled
    server.shutdown()
    server.server_close()


def _read_on(source: Source) -> None:
    for _ in range(100):
        source.read(0.0)


def test_a_network_camera_gives_pictures_and_a_stall_is_noticed(mjpeg: tuple[str, threading.Event]) -> None:
    address, stalled = mjpeg
    source = open_source(address)
    for _ in range(5):
        image = source.read(0.0)
        assert image is not None
        assert image.shape == (120, 160, 3)
    stalled.set()
    start = time.monotonic()
    with pytest.raises(SourceLost):
        _read_on(source)
    assert time.monotonic() - start <= 5
    source.close()

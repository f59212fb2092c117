"""A camera is told its password only once it has shown who it is, whichever library speaks to it."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.camera.capture.camera_source import open_camera
from services.camera.capture.errors import SourceUnavailable
from services.camera.rules.job import Job
from tests.support.certificates import make_certificate

pytestmark = pytest.mark.usefixtures("either_library")

TEXT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


class Impostor:
    """Answers TLS with one certificate after the other, the last for ever; keeps what was said to it."""

    def __init__(self, *certificates: tuple[Path, Path]) -> None:
        self.heard: list[bytes] = []
        self.refused = 0
        self._contexts = []
        for key, certificate in certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self._contexts.append(context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.settimeout(3)
            try:
                with self._contexts[min(number, len(self._contexts) - 1)].wrap_socket(line, server_side=True) as secure:
                    number += 1
                    self.heard.append(secure.recv(4096))
                    secure.sendall(TEXT)
            except OSError:
                self.refused += 1
            finally:
                line.close()

    @property
    def said(self) -> list[bytes]:
        """What it heard, without those who went before they had said anything."""
        return [one for one in self.heard if one]

    def end(self) -> None:
        self._listener.close()

    def has_refused(self) -> bool:
        """Whether a client broke a handshake off; the client knows it first."""
        deadline = time.monotonic() + 5
        while not self.refused and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.refused > 0


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A certificate that this machine trusts."""
    (tmp_path / "known").mkdir()
    made = make_certificate(tmp_path / "known")
    monkeypatch.setenv("SSL_CERT_FILE", str(made[1]))
    return made


@pytest.fixture
def strange(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "strange").mkdir()
    return make_certificate(tmp_path / "strange")


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "rtsps", "rtmps"])
def test_a_camera_nobody_vouches_for_hears_nothing(
    known: tuple[Path, Path], strange: tuple[Path, Path], scheme: str
) -> None:
    camera = Impostor(strange)
    with pytest.raises(SourceUnavailable):
        open_camera(Job(f"{scheme}://user:secret@127.0.0.1:{camera.port}/live"))
    camera.end()
    assert camera.said == []
    assert camera.has_refused()


def test_what_python_trusted_is_not_left_to_ffmpeg_unchecked(
    known: tuple[Path, Path], strange: tuple[Path, Path]
) -> None:
    """Neither MJPEG nor a picture comes first, from the camera itself; who answers the second time is another."""
    camera = Impostor(known, strange)
    with pytest.raises(SourceUnavailable):
        open_camera(Job(f"https://user:secret@127.0.0.1:{camera.port}/live"))
    camera.end()
    assert len(camera.said) == 1
    assert b"uthorization" not in camera.said[0]
    assert camera.has_refused()


@pytest.mark.parametrize("scheme", ["rtsps", "rtmps"])
def test_a_machine_without_authorities_trusts_nobody(
    known: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    camera = Impostor(known)
    with pytest.raises(SourceUnavailable, match="SSL_CERT_FILE"):
        open_camera(Job(f"{scheme}://user:secret@127.0.0.1:{camera.port}/live"))
    camera.end()
    assert camera.said == []


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A camera that sends everybody to another host, and what was asked there."""
    asked: list[str] = []

    class Sends(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/there":
                asked.append(str(self.headers.get("Authorization")))
            elif self.headers["User-Agent"].startswith("Python") and self.path == "/film":
                self.send_response(200)
                self.end_headers()
                return
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.connection.getsockname()[1]}/there")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sends) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


@pytest.mark.parametrize("path", ["/live", "/film"])
def test_no_camera_sends_us_to_another_host(elsewhere: tuple[str, list[str]], path: str) -> None:
    """``/film`` answers Python with what only FFmpeg may understand, and sends FFmpeg away."""
    address, asked = elsewhere
    with pytest.raises(SourceUnavailable):
        open_camera(Job(address + path))
    assert asked == []

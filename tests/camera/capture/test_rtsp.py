"""Against a real RTSP server: pictures, passwords, black and frozen pictures, the server's death and return."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.camera.capture.camera_source import open_camera
from services.camera.capture.errors import SourceUnavailable
from services.camera.rules.job import Job
from tests.support.cameras import watched
from tests.support.needs import ROOT, missing
from tests.support.ports import free_port

SERVER = ROOT / "tests" / "support" / "servers" / "rtsp_server.py"
SYSTEM_PYTHON = Path("/usr/bin/python3")


def can_serve() -> bool:
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    return SYSTEM_PYTHON.exists() and subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True).returncode == 0


if not can_serve():
    missing("GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good)")


class RtspServer:
    def __init__(self, certificate: Path | None = None) -> None:
        self._certificate = certificate
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def address(self, path: str = "noise", password: str = "secret") -> str:
        return f"rtsp{'s' if self._certificate else ''}://user:{password}@127.0.0.1:{self.port}/{path}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER), str(self.port), "user", "secret", str(self._certificate or "")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": ""},
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def server() -> Iterator[RtspServer]:
    one = RtspServer()
    yield one
    one.kill()


@pytest.mark.usefixtures("either_library")
def test_pictures_come_and_a_wrong_password_is_not_shown(server: RtspServer) -> None:
    camera = open_camera(Job(server.address()))
    for _ in range(5):
        assert camera.wait_for_picture()
    picture = camera.decode_picture()
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert camera.rate == pytest.approx(20, abs=1)
    camera.close()
    with pytest.raises(SourceUnavailable, match=r": user or password is wrong$") as caught:
        open_camera(Job(server.address(password="hunter2")))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SourceUnavailable, match=r": it wants a user and a password$"):
        open_camera(Job(server.address().replace("user:secret@", "")))


@pytest.mark.usefixtures("either_library")
def test_a_camera_that_knows_udp_alone_is_opened(server: RtspServer) -> None:
    camera = open_camera(Job(server.address("udp")))
    assert [camera.wait_for_picture() for _ in range(3)] == [True] * 3
    assert camera.decode_picture() is not None
    camera.close()


@pytest.mark.usefixtures("either_library")
def test_certificates_are_checked_unless_they_shall_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "camera.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "-", "-out", "-", *subject]
    certificate.write_bytes(subprocess.run(make, capture_output=True, check=True).stdout)
    server = RtspServer(certificate)
    try:
        with pytest.raises(SourceUnavailable, match=r"rtsps://127\.0\.0\.1.*: its certificate is not trusted$"):
            open_camera(Job(server.address()))
        taken = open_camera(Job(server.address(), verify_tls=False))
        assert taken.wait_for_picture()
        taken.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        known = open_camera(Job(server.address()))
        assert known.wait_for_picture()
        known.close()
    finally:
        server.kill()


async def test_it_dies_and_comes_back(redis_url: str, server: RtspServer) -> None:
    async with watched(redis_url, server.address()) as seen:
        await seen.until("online")
        server.kill()
        assert await seen.until("offline") <= 6
        server.start()
        assert await seen.until("online") <= 10


@pytest.mark.parametrize(("path", "code"), [("black", "black"), ("still", "frozen")])
async def test_what_shows_nothing_alive_is_offline(redis_url: str, server: RtspServer, path: str, code: str) -> None:
    async with watched(redis_url, server.address(path)) as seen:
        await seen.until("offline", code, limit_s=12)

"""``moodstream camera list|test``: devices as Linux tells them, hints, a picture in the terminal."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.capture.devices import devices
from services.camera.capture.terminal import drawn
from services.camera.rules.cameras import create_cameras
from services.camera.watch.trial import Trial, check_files, try_camera
from tests.camera.test_service import ROOT
from tests.camera.test_sources import film
from tests.support.cameras import FAKE_WEBCAM
from tests.support.mjpeg_server import MjpegServer
from tests.support.pictures import encoded


def test_devices_are_named_and_faults_told(tmp_path: Path) -> None:
    system, dev = tmp_path / "sys", tmp_path / "dev"
    dev.mkdir()
    for number, (index, name) in {0: ("0", "HD Webcam"), 1: ("1", "HD Webcam"), 2: ("0", "Capture card")}.items():
        place = system / f"video{number}"
        place.mkdir(parents=True)
        (place / "index").write_text(index + "\n")
        (place / "name").write_text(name + "\n")
    (dev / "video0").touch()
    first, second = devices(system, dev)
    assert (first.address, first.name, first.fault) == ("webcam:0", "HD Webcam", None)
    assert (second.address, second.name) == ("webcam:2", "Capture card")
    assert second.fault is not None
    assert "--device" in second.fault


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    one = MjpegServer()
    yield one
    one.end()


def tried(address: str, seconds: float = 1.5) -> Trial:
    [camera] = create_cameras([{"address": address}])
    return try_camera(camera, seconds)[0]


def test_a_trial_tells_size_rate_and_hints(server: MjpegServer) -> None:
    good = tried(server.address)
    assert (good.fault, good.width, good.height) == (None, 320, 240)
    assert 14 <= good.rate <= 24
    assert 50 < good.light < 200
    server.set("black")
    assert any("dark" in hint for hint in tried(server.address).hints)
    server.set("closed")
    assert "cannot open" in (tried(server.address).fault or "")


def test_a_webcam_in_use_by_another_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mode").write_text("busy")
    monkeypatch.setenv("FAKE_WEBCAM", str(tmp_path / "mode"))
    [camera] = create_cameras([{"address": "webcam:0"}])
    assert try_camera(camera, 1.0, FAKE_WEBCAM)[0].fault == "cannot open webcam:0"


def test_files_are_looked_into_before_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(encoded(np.zeros((40, 40, 3), np.uint8)))
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    good = [{"address": str(one)} for one in (film(tmp_path / "film.avi"), folder, folder / "one.jpg")]
    check_files(create_cameras([one | {"id": f"c{place}"} for place, one in enumerate(good)]))
    for bad, words in ((text, "not a video"), (tmp_path / "gone.mp4", "no such"), (tmp_path / "c", "no such")):
        with pytest.raises(MoodstreamError, match=rf"camera c: .*{words}"):
            check_files(create_cameras([{"id": "c", "address": str(bad)}]))


def test_the_command_shows_a_picture_and_writes_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "camera", "test", "pattern:", "--seconds", "0.5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": "/usr/bin", "COLUMNS": "60", "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {len(line) for line in lines[:-1]} == {60}
    assert len(set("".join(lines[:-1]))) > 3
    assert "640x480" in lines[-1]
    assert list(tmp_path.iterdir()) == []
    as_json = subprocess.run(
        [sys.executable, "-m", "services", "camera", "test", "pattern:", "--seconds", "0.5", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert json.loads(as_json.stdout)["width"] == 640


def test_half_blocks_carry_two_pixels() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[20:] = 255
    lines = drawn(encoded(picture), 20, colour=True)
    assert len(lines) == 10
    assert lines[0].count("\u2580") == 20
    assert "\x1b[38;2;0;0;0m" in lines[0]
    assert "\x1b[48;2;255;255;255m" in lines[-1]
    assert drawn(b"no picture", 20, colour=True) == []

"""``moodstream camera test``: hints, a picture in the terminal, and files that are tried before the start."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.camera.rules.cameras import create_cameras
from services.camera.watch.trial import Trial, check_files, try_camera
from tests.support.cameras import FAKE_WEBCAM
from tests.support.needs import ROOT
from tests.support.pictures import encoded, film
from tests.support.servers.mjpeg_server import MjpegServer


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
    at = next(number for number, line in enumerate(lines) if line.startswith("camera (pattern:)"))
    assert {len(line) for line in lines[:at]} == {60}
    assert len(set("".join(lines[:at]))) > 3
    assert "640x480" in lines[at]
    assert [line.split()[0] for line in lines[at + 1 :]] in (["frame", "face"], ["frame", "no"])
    assert list(tmp_path.iterdir()) == []
    as_json = subprocess.run(
        [sys.executable, "-m", "services", "camera", "test", "pattern:", "--seconds", "0.5", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    told = json.loads(as_json.stdout)
    assert told["width"] == 640
    assert told["view"]["size"] == [640, 480]
    assert told["view"]["best_px"] == [48, 240]

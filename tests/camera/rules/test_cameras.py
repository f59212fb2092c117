"""Several cameras from JSON and files."""

import json
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.camera.rules.cameras import read_cameras
from services.camera.settings import CameraSettings
from shared.settings import load

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


@pytest.mark.parametrize("name", ["Küche", "Indkørsel", "入口", "bar 1", "Cafe\u0301", "a/b", ".hidden", ""])
def test_a_name_that_not_every_part_can_carry_is_one_line_at_the_start(name: str) -> None:
    with pytest.raises(MoodstreamError, match="id: must be 1 to 100 letters a to z") as caught:
        read_cameras(json.dumps([{"id": name, "address": "pattern:"}]), {})
    assert "\n" not in str(caught.value)
    with pytest.raises(MoodstreamError, match=r"MOODSTREAM_CAMERA_ID.* letters a to z"):
        load(CameraSettings, camera_id=name)


@pytest.mark.parametrize("scheme", ["RTSP", "Rtsps", "HTTP", "hTTps"])
def test_schemes_in_capitals_are_those_that_ffmpeg_knows(scheme: str) -> None:
    [camera] = read_cameras(json.dumps([{"address": f"{scheme}://User:Pass@Host/Path"}]), {})
    assert camera.address == f"{scheme.lower()}://User:Pass@Host/Path"


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
        ('[{"id": "a", "address": "http://u:secret@a..b/x"}]', "no address of a stream"),
        ('[{"id": "a", "address": "rtsp://u:se/cret@h"}]', "%40 %3A %2F %3F %23"),
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

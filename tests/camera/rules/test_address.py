"""Addresses: what they name, and what of them is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.camera.rules.address import host_and_port, is_live, masked

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://user:hunter2@10.0.0.1:554/stream", "rtsp://10.0.0.1:554/stream"),
        ("http://camera/video", "http://camera/video"),
        ("http://cam/cgi?user=u&pwd=hunter2", "http://cam/cgi?user=***&pwd=***"),
        ("http://cam/cgi?user=u;pwd=hunter2;x", "http://cam/cgi?user=***&pwd=***&***"),
        ("https://cam/v?token=hunter2", "https://cam/v?token=***"),
        ("https://cam/v?hunter2", "https://cam/v?***"),
        ("https://cam/v#hunter2", "https://cam/v"),
        (
            "rtsp://10.0.0.1:554/user=admin_password=hunter2_channel=1_stream=0.sdp?real_stream",
            "rtsp://10.0.0.1:554/user=***?***",
        ),
        ("rtsp://user:hunt/er2@host/path", "rtsp://***"),
        ("rtsp://user:hunter2@x@host/path", "rtsp://host/path"),
        ("rtsp://user:hunter2?x@host/path", "rtsp://***"),
        ("RTSP://user:hunter2@host", "RTSP://host"),
        ("rtsp://host/a;pwd=hunter2/b", "rtsp://host/a;pwd=***"),
        ("webcam:0", "webcam:0"),
        ("/films/a=b.mp4", "/films/a=b.mp4"),
    ],
)
def test_passwords_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.sampled_from(
        [
            "rtsp://u:{}@h/p",
            "http://h/p?a={}",
            "http://h/a={}/b",
            "https://u:{}@h:80/p?b=1#c",
            "http://h/p?x=1&t={}&u=2",
        ]
    ),
)
def test_no_secret_is_ever_shown(around: str, form: str) -> None:
    assert "HUNTER2" not in masked(form.format(f"{around}HUNTER2"))


def test_cameras_can_come_back_and_files_cannot() -> None:
    assert all(is_live(one) for one in ("webcam:0", "/dev/video0", "rtsp://x", "http://x", "https://x"))
    assert not any(is_live(one) for one in ("pattern:", "film.mp4", "folder", "browser"))


def test_where_a_camera_is_asked() -> None:
    assert host_and_port("rtsp://u:p@host/x") == ("host", 554)
    assert host_and_port("https://[::1]:8443/x") == ("::1", 8443)
    assert host_and_port("http://host:port/x") is None
    assert host_and_port("film.mp4") is None

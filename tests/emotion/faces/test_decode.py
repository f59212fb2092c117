"""Unknown bytes: refused early, cheaply, with a reason."""

import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emotion.faces.decode import MAX_BYTES, PictureRefused, decode_grey
from tests.support.needs import ROOT
from tests.support.pictures import encoded, noise

JPEG = encoded(noise())


def bomb(side: int = 60_000) -> bytes:
    """A small JPEG whose header claims a huge picture."""
    place = JPEG.index(b"\xff\xc0")
    return JPEG[: place + 5] + struct.pack(">HH", side, side) + JPEG[place + 9 :]


def test_a_jpeg_becomes_grey_levels() -> None:
    grey = decode_grey(JPEG)
    assert grey.shape == (480, 640)
    assert grey.dtype == np.uint8
    assert abs(int(grey.mean()) - int(noise().mean())) <= 2


def test_a_huge_png_is_refused_from_its_header() -> None:
    picture = encoded(noise(60, 50), ".png")
    with pytest.raises(PictureRefused, match="pixels") as caught:
        decode_grey(picture[:16] + struct.pack(">II", 50_000, 50_000) + picture[24:], png=True)
    assert caught.value.kind == "too many pixels"


def test_the_limit_does_not_depend_on_how_opencv_was_imported() -> None:
    """A bomb is refused before OpenCV sees it, in little memory."""
    code = (
        "import cv2, resource, sys; from services.emotion.faces.decode import PictureRefused, decode_grey\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode_grey(sys.stdin.buffer.read())\n"
        "except PictureRefused as refused: print(refused.kind)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=bomb(30_000), capture_output=True, check=True, cwd=ROOT)
    kind, kib = done.stdout.decode().split("\n")[:2]
    assert kind == "too many pixels"
    assert int(kib) / (1 if sys.platform != "darwin" else 1024) < 20_000


def test_a_png_is_read_only_where_it_is_allowed() -> None:
    picture = encoded(noise(60, 50), ".png")
    assert decode_grey(picture, png=True).shape == (60, 50)
    with pytest.raises(PictureRefused, match="not a JPEG picture"):
        decode_grey(picture)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a JPEG"),
        (b"<html>404</html>", "not a JPEG"),
        (b"\xff\xd8\xff", "broken"),
        (JPEG[:3] + bytes(5000), "broken"),
        (JPEG + bytes(MAX_BYTES), "larger than"),
        (bomb(), "pixels"),
        (JPEG[:2] + b"\xff\xe1\x00\x10" + bytes(14) + bomb()[2:], "pixels"),
        (JPEG[:3] + JPEG[JPEG.index(b"\xff\xda") :], "broken"),
        (b"\xff\xd8\xff" + b"\xff\xe0\x00\x02" * 400_000, "broken"),
    ],
    ids=["empty", "HTML", "truncated", "zeros", "oversized", "bomb", "bomb behind a segment", "no size", "segments"],
)
def test_what_is_no_picture_is_refused_fast(data: bytes, words: str) -> None:
    start = time.perf_counter()
    with pytest.raises(PictureRefused, match=words):
        decode_grey(data)
    assert time.perf_counter() - start < 0.5


@given(st.binary(max_size=300), st.integers(0, len(JPEG)))
def test_no_bytes_do_more_than_be_refused(extra: bytes, cut: int) -> None:
    for data in (extra, JPEG[:cut] + extra + JPEG[cut:], JPEG[:cut] + extra):
        try:
            grey = decode_grey(data)
        except PictureRefused:
            continue
        assert grey.ndim == 2

"""The look of a place: a logo that is a picture and nothing else, and texts that leave the notice alone."""

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.gateway.look.folder import LookFolder
from services.gateway.look.png import MAX_BYTES, SIGNATURE, NoPicture, rebuild
from services.gateway.look.texts import checked, words_of


def png(channels: int = 3, height: int = 9, width: int = 20) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, channels), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


END = chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_stays_the_same_and_loses_what_rides_along(channels: int) -> None:
    plain = png(channels)
    at = plain.index(b"IDAT") - 4
    loaded = (
        plain[:at] + chunk(b"tEXt", b"Comment\0<script>alert(1)</script>") + plain[at:] + b"<script>alert(2)</script>"
    )
    rebuilt = rebuild(loaded)
    assert b"script" not in rebuilt
    before, after = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_UNCHANGED) for one in (plain, rebuilt))
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "it is something else, not a picture"),
        (b"<?xml version='1.0'?><svg onload='x()'/>", "it is an SVG, which may hold a script"),
        (b"<!DOCTYPE html><script>x()</script>", "it is a web page"),
        (b"GIF89a<script>", "it is something else"),
        (SIGNATURE + b"<script>", "its end is missing"),
        (png()[:-30], "it is a broken PNG"),
        (png()[:50] + b"\xff" + png()[51:], "a part is cut off or damaged"),
        (SIGNATURE + header(9_000, 9) + END, "9000 x 9 pixels"),
        (SIGNATURE + header(2, 2, interlaced=1) + chunk(b"IDAT", zlib.compress(bytes(14))) + END, "not interlaced"),
        (SIGNATURE + header(2, 2, depth=3) + chunk(b"IDAT", zlib.compress(bytes(14))) + END, "of a kind that is not"),
        (SIGNATURE + header(2, 2) + chunk(b"IDAT", zlib.compress(bytes(50_000_000))) + END, "size is not that of"),
        (SIGNATURE + header(2, 2) + chunk(b"IDAT", b"<script>") + END, "cannot be unpacked"),
        (SIGNATURE + chunk(b"IDAT", b"") + END, "its parts are not in order"),
        (png() + bytes(MAX_BYTES), "larger than 512 KB"),
    ],
)
def test_what_is_no_picture_is_refused_with_one_line(data: bytes, line: str) -> None:
    with pytest.raises(NoPicture, match=line) as refused:
        rebuild(data)
    assert "\n" not in str(refused.value)


def test_words_that_have_to_be_true_cannot_be_changed() -> None:
    own = words_of("en")
    assert {"attract", "goodbye", "closed_until"} <= own.keys()
    assert not [
        key for key in own if key.startswith(("notice", "agree", "decline_", "stop", "voice", "microphone", "op_"))
    ]
    assert not {"goodbye_lead", "attract_detail", "ask"} & own.keys()


def test_texts_keep_their_values_and_the_pages_own_are_not_stored() -> None:
    given = {"attract": " Come in ", "closed_until": "Back {time}", "goodbye": "Goodbye", "closed": ""}
    assert checked("en", given) == {"attract": "Come in", "closed_until": "Back {time}"}
    for key, text, line in (
        ("closed_until", "Later", "it needs {time}"),
        ("attract", "x" * 201, "one line of at most 200 letters"),
        ("attract", "a\nb", "one line"),
        ("notice_here", "no", "has to stay as it is"),
    ):
        with pytest.raises(MoodstreamError, match=line):
            checked("en", {key: text})
    with pytest.raises(MoodstreamError, match="no such language"):
        checked("../../etc/passwd", {})


def test_files_that_somebody_has_put_there_are_checked_too(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look")
    assert (folder.logo(), folder.texts("en")) == (None, {})
    folder.set_logo(png())
    folder.set_texts("de", {"attract": "Nur herein"})
    assert folder.logo() == rebuild(png())
    assert folder.texts("de") == {"attract": "Nur herein"}
    with pytest.raises(NoPicture):
        folder.set_logo(b"<svg/>")
    assert folder.logo() == rebuild(png()), "the one before"
    (folder.path / "logo.png").write_text("<svg/>")
    (folder.path / "texts" / "de.json").write_text(json.dumps({"notice_here": "no"}))
    (folder.path / "texts" / "fr.json").write_text("[1, 2")
    assert (folder.logo_version(), folder.texts("de"), folder.texts("fr")) == (None, {}, {})
    folder.set_logo(None)
    assert not (folder.path / "logo.png").exists()

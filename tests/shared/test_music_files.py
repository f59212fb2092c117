"""Covers and tags of real files of each format, and of damaged ones."""

import struct
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from mutagen import File
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.asf import ASFByteArrayAttribute  # type: ignore[attr-defined]
from mutagen.flac import Picture
from mutagen.id3 import APIC
from mutagen.mp4 import MP4Cover

from moodstream.errors import MoodstreamError
from shared.music_files import MAX_BYTES, Cover, cover_of, open_tags
from tests.support.music import FORMATS, sound_file

TAGGED = sorted(FORMATS.keys() - {"aac", "webm"})
"""Bare AAC holds no pictures, and those of Matroska are not read."""

PNG = b"\x89PNG\r\n\x1a\n" + b"a front cover"
JPEG = b"\xff\xd8\xff" + b"another picture"


def embed(path: Path, pictures: list[tuple[int, bytes]]) -> None:
    file = File(path)
    if file.tags is None:
        file.add_tags()
    flac = []
    for kind, data in pictures:
        flac.append(picture := Picture())
        picture.type, picture.data, picture.mime = kind, data, "image/png"
    match path.suffix:
        case ".wv":
            for kind, data in pictures:
                name = "Cover Art (Front)" if kind == 3 else "Cover Art (Other)"
                file[name] = APEValue(b"picture\0" + data, BINARY)
        case ".mp3" | ".wav" | ".aiff" | ".tta":
            for kind, data in pictures:
                file.tags.add(APIC(mime="image/png", type=kind, desc=f"picture {kind}", data=data))
        case ".flac":
            for picture in flac:
                file.add_picture(picture)
        case ".m4a":
            file["covr"] = [MP4Cover(data) for kind, data in sorted(pictures, reverse=True)]
        case ".wma":
            file["WM/Picture"] = [
                ASFByteArrayAttribute(
                    struct.pack("<BI", kind, len(data)) + "image/png\0cover\0".encode("utf-16-le") + data
                )
                for kind, data in pictures
            ]
        case _:
            file["metadata_block_picture"] = [b64encode(picture.write()).decode() for picture in flac]
    file.save()


@pytest.mark.parametrize("ending", TAGGED)
def test_the_front_cover_of_every_format_is_found(tmp_path: Path, ending: str) -> None:
    path = sound_file(tmp_path / f"song.{ending}", FORMATS[ending])
    assert cover_of(path) is None
    (tmp_path / "Folder.JPG").write_bytes(JPEG)
    assert cover_of(path) == Cover(JPEG, "image/jpeg")
    embed(path, [(0, JPEG + b"2"), (3, PNG)])
    assert cover_of(path) == Cover(PNG, "image/png")


@pytest.mark.parametrize("ending", ["mp3", "aac"])
def test_the_cover_of_an_ape_tag_is_found(tmp_path: Path, ending: str) -> None:
    path = sound_file(tmp_path / f"song.{ending}", FORMATS[ending])
    tags = APEv2()
    tags["Cover Art (Back)"] = APEValue(b"back.jpg\0" + JPEG, BINARY)
    tags["Cover Art (Front)"] = APEValue(b"front.png\0" + PNG, BINARY)
    tags.save(path)
    assert cover_of(path) == Cover(PNG, "image/png")


def test_the_best_picture_beside_a_file_is_its_cover(tmp_path: Path) -> None:
    song = sound_file(tmp_path / "My song.flac", "flac")
    (tmp_path / "front.png").write_bytes(PNG)
    (tmp_path / "holiday.jpg").write_bytes(JPEG)
    (tmp_path / "cover.jpg").write_bytes(b"<svg onload='alert(1)'>")
    assert cover_of(song) == Cover(PNG, "image/png")
    (tmp_path / "my SONG.webp").write_bytes(b"RIFF\0\0\0\0WEBPmine")
    found = cover_of(song)
    assert found is not None
    assert found.media_type == "image/webp"
    with (tmp_path / "my SONG.webp").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    assert cover_of(song) == Cover(PNG, "image/png")


def test_an_embedded_picture_that_is_none_or_too_large_is_passed_over(tmp_path: Path) -> None:
    song = sound_file(tmp_path / "song.mp3", "libmp3lame")
    embed(song, [(3, b"no picture"), (4, PNG.ljust(MAX_BYTES + 1)), (5, JPEG)])
    assert cover_of(song) == Cover(JPEG, "image/jpeg")


@pytest.mark.parametrize("ending", TAGGED)
def test_a_damaged_file_has_no_cover_and_one_clear_line(tmp_path: Path, ending: str) -> None:
    path = sound_file(tmp_path / f"song.{ending}", FORMATS[ending])
    embed(path, [(3, PNG)])
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole[: random.integers(1, len(whole))])
        for at in random.integers(0, len(damaged), 8):
            damaged[at] = random.integers(256)
        path.write_bytes(damaged)
        found = cover_of(path)
        assert found is None or found.data.startswith((b"\x89PNG", b"\xff\xd8\xff"))
    path.unlink()
    assert cover_of(path) is None
    with pytest.raises(MoodstreamError, match="cannot read the tags"):
        open_tags(path)

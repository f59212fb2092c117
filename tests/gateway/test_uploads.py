"""What the owner sends: told by its bytes, streamed within bounds, whole or not at all."""

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import IO

import pytest

from services.gateway.uploads import storage
from services.gateway.uploads.kinds import safe_path, sound_kind, sound_path
from services.gateway.uploads.storage import NotTaken, Uploads
from tests.support.music import FORMATS, sound_file
from tests.support.pictures import encoded, noise

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
TABLE = b"track_name,artists\nA,B\n"


async def chunks(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("ending", FORMATS)
def test_sounds_are_told_by_their_bytes(tmp_path: Path, ending: str) -> None:
    file = sound_file(tmp_path / f"sound.{ending}", FORMATS[ending])
    kind = sound_kind(file.read_bytes()[:64])
    assert kind is not None
    assert sound_path(f"a/b.{ending}", kind) == PurePosixPath(f"a/b.{ending}")
    named = sound_path("picture.png", kind)
    assert named is not None
    assert named.name.startswith("picture.png.")


@pytest.mark.parametrize(
    "data", [PNG, encoded(noise()), TABLE, b"<svg onload='alert(1)'/>", b"%PDF-1.7", b"\0\0\0\x20ftypheic", b""]
)
def test_nothing_else_is_a_sound(data: bytes) -> None:
    assert sound_kind(data[:64]) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/.ssh/id", "etc/ssh/id"),
        ("C:\\Music\\a.mp3", "C/Music/a.mp3"),
        ("a\x00b\n\u202egpm.mp3", "abgpm.mp3"),
        ("x" * 400 + ".flac", "x" * 175 + ".flac"),
        ("é" * 200, "é" * 90),
        ("1/2/3/4/5/6/7/8.mp3", "3/4/5/6/7/8.mp3"),
        ("...", None),
        ("../..", None),
    ],
)
def test_a_name_never_leads_out_of_the_folder(given: str, kept: str | None) -> None:
    assert safe_path(given) == (PurePosixPath(kept) if kept else None)


async def test_the_newest_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    await uploads.store_table("first.csv", None, chunks(TABLE))
    stored = await uploads.store_table("../second.csv", len(TABLE), chunks(TABLE))
    assert stored.path.read_bytes() == TABLE
    assert [file.name for file in uploads.tables.iterdir()] == ["second.csv"]
    assert uploads.table() == stored.path


@pytest.mark.parametrize(
    ("data", "size", "status", "line"),
    [
        (PNG, None, 415, "new.csv is a picture; nothing was changed"),
        (b"ID3" + bytes(50), None, 415, "new.csv is a sound file (mp3): send it as music; nothing was changed"),
        (b"", 0, 422, "new.csv is empty"),
        (TABLE, len(TABLE) + 9, 400, "new.csv broke off after 23 of 32 bytes; send it again"),
        (TABLE, 2 * 2**30, 413, "new.csv is larger than 512 MB; it was not taken"),
    ],
)
async def test_what_is_refused_leaves_the_table_before(
    tmp_path: Path, data: bytes, size: int | None, status: int, line: str
) -> None:
    uploads = Uploads(tmp_path)
    before = await uploads.store_table("old.csv", None, chunks(TABLE))
    with pytest.raises(NotTaken) as refused:
        await uploads.store_table("new.csv", size, chunks(data))
    assert (refused.value.status, str(refused.value)) == (status, line)
    assert list(uploads.tables.iterdir()) == [before.path]


async def test_a_lost_connection_and_a_body_that_is_too_long_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = Uploads(tmp_path)

    async def lost() -> AsyncIterator[bytes]:
        yield b"fLaC" + bytes(2 * storage.WRITE_BYTES)
        raise ConnectionResetError(errno.ECONNRESET, "gone")

    with pytest.raises(NotTaken, match="nothing was changed"):
        await uploads.store_sound("a.flac", None, lost())
    monkeypatch.setattr(storage, "MAX_SOUND_BYTES", 2**20)
    with pytest.raises(NotTaken, match=r"b.flac is larger than 1 MB"):
        await uploads.store_sound("b.flac", None, chunks(b"fLaC" + bytes(2**21), 2**16))
    assert list(uploads.music.iterdir()) == []


async def test_a_full_disk_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = Uploads(tmp_path)

    def fail(_: IO[bytes], __: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as changed:
        changed.setattr(storage, "_write", fail)
        with pytest.raises(NotTaken) as refused:
            await uploads.store_sound("a.flac", None, chunks(b"fLaC" + bytes(99)))
    assert (refused.value.status, str(refused.value)) == (
        507,
        "a.flac could not be stored: the disk is full; nothing was changed",
    )
    monkeypatch.setattr(storage, "KEPT_FREE_BYTES", 2**60)
    with pytest.raises(NotTaken, match="the disk is full"):
        await uploads.store_table("a.csv", None, chunks(TABLE))
    assert uploads.describe() == {}


async def test_no_more_files_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MAX_SOUNDS", 1)
    uploads = Uploads(tmp_path)
    await uploads.store_sound("Album/a.flac", None, chunks(b"fLaC" + bytes(9)))
    with pytest.raises(NotTaken, match="there are 1 files already"):
        await uploads.store_sound("b.flac", None, chunks(b"fLaC" + bytes(9)))
    assert uploads.describe() == {"Album/a.flac": 13}


def test_drafts_of_a_gateway_that_was_killed_go(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    assert uploads.fault() is None
    (uploads.music / f"{storage.DRAFT}1").touch()
    uploads.forget_drafts()
    assert list(uploads.music.iterdir()) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_to_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "the gateway has no folder to write to" in (Uploads(tmp_path).fault() or "")


def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "the gateway has no folder to write to" in (Uploads(tmp_path / "file").fault() or "")

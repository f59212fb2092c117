"""The operator's own music: which file an address means, what is served of it, and its cover."""

import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import cv2
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from moodstream.contracts.events import PlaybackChanged, Song
from services.gateway.covers import CoverReader
from services.gateway.music import MusicFolder
from tests.support.servers.mpd_server import tone

NAMES = ("My Song.mp3", "50% off?.wav", "a/b/häppy & ♥ 🎵.flac", "%20literal.ogg", "#1 +.opus")


def picture(kind: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(kind, np.full((8, 8, 3), 90, np.uint8))[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "my music"
    for name in NAMES:
        tone(root / name, seconds=0.1)
    (root / "secret.txt").write_text("no sound")
    tone(tmp_path / "outside.wav", seconds=0.1)
    (root / "link.wav").symlink_to(tmp_path / "outside.wav")
    return root


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=MusicFolder(folder).routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_a_song_is_found_however_its_address_is_written(folder: Path, name: str) -> None:
    music = MusicFolder(folder)
    whole = folder / name
    addresses = (f"file:{name}", f"file:{quote(name)}", whole.as_uri(), f"file://localhost{quote(str(whole))}")
    for uri in addresses:
        assert music.find_song(Song(id="1", title="t", artist="a", uri=uri)) == whole, uri


@pytest.mark.parametrize(("on_disk", "in_address"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_letters_with_marks_are_found_however_a_system_writes_them(
    tmp_path: Path, on_disk: Literal["NFC", "NFD"], in_address: Literal["NFC", "NFD"]
) -> None:
    """macOS, rsync and zip files do not agree on whether ü is one letter, or u with two dots."""
    name = "Küche/Café 100%25 #1?.wav"
    whole = tmp_path / unicodedata.normalize(on_disk, name)
    tone(whole, seconds=0.1)
    address = unicodedata.normalize(in_address, name)
    for uri in (f"file:{address}", f"file:{quote(address)}"):
        assert MusicFolder(tmp_path).find_song(Song(id="1", title="t", artist="a", uri=uri)) == whole


def test_what_the_page_sounds_like_is_told_of_songs_that_play_there(folder: Path) -> None:
    music = MusicFolder(folder)

    def sound_of(uri: str | None, output: str = "browser") -> str | None:
        song = Song(id="1", title="t", artist="a", uri=uri)
        return music.sound_of(PlaybackChanged(state="playing", output=output, song=song))

    assert sound_of("file:My Song.mp3") == "recording"
    assert sound_of("file:My Song.mp3", "house") == "recording"
    assert [sound_of(uri) for uri in ("file:gone.mp3", "spotify:track:1", "http://radio/x.mp3", None)] == ["made"] * 4
    assert sound_of("file:My Song.mp3", "mpd") is None
    assert music.sound_of(PlaybackChanged(state="ready", output="browser")) is None
    assert (
        MusicFolder(Path("/no/such/folder")).sound_of(
            PlaybackChanged(state="playing", output="house", song=Song(id="1", title="t", artist="a", uri="file:a.mp3"))
        )
        == "made"
    )


async def test_sounds_of_the_folder_are_served_and_nothing_else(client: httpx.AsyncClient, folder: Path) -> None:
    types = {"My Song.mp3": "audio/mpeg", "a/b/häppy & ♥ 🎵.flac": "audio/flac", "#1 +.opus": "audio/ogg"}
    for name, media_type in types.items():
        answer = await client.get(f"/music/{quote(name)}", headers={"Range": "bytes=0-3"})
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"RIFF", media_type)
    old = await client.get(f"/music{quote(quote(str(folder / 'My Song.mp3')))}")  # as older scans wrote it
    assert old.status_code == 200
    for path in ("secret.txt", "", "link.wav", "../outside.wav", "%2e%2e/outside.wav", "x" * 5_000 + ".wav", "%00.wav"):
        assert (await client.get(f"/music/{path}")).status_code == 404, path
        assert (await client.get(f"/cover/{path}")).status_code == 404, path


async def test_a_cover_is_served_and_its_absence_is_no_error(client: httpx.AsyncClient, folder: Path) -> None:
    assert (await client.get("/cover/My%20Song.mp3")).status_code == 204
    (folder / "a/b/Folder.PNG").write_bytes(picture(".png"))
    served = await client.get(f"/cover/{quote(NAMES[2])}")
    assert (served.headers["content-type"], served.content) == ("image/png", picture(".png"))


async def test_a_huge_tag_is_not_read_and_a_vanished_file_is_no_error(tmp_path: Path) -> None:
    for name, size in (("huge.mp3", (0x18, 0, 0, 0)), ("fair.mp3", (0, 0, 1, 0))):
        (tmp_path / name).write_bytes(b"ID3\x04\0\0" + bytes(size) + bytes(1_000))
    (tmp_path / "cover.jpg").write_bytes(picture())
    covers = CoverReader()
    assert await covers.read(tmp_path / "huge.mp3") is None
    assert await covers.read(tmp_path / "gone.mp3") is None
    assert (found := await covers.read(tmp_path / "fair.mp3")) is not None
    assert (found.data, found.media_type) == (picture(), "image/jpeg")

"""Tags as old programs, other alphabets and careless writers leave them."""

from pathlib import Path

import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2

from services.recommender.catalogue.tables.text import LONE_BYTES
from services.recommender.catalogue.tables.texts import ARTISTS
from services.recommender.catalogue.tags import song_tags, utf8_again
from tests.support.music import FORMATS, sound_file


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("KÃ¼che", "Küche"),
        ("Donâ€™t", "Don’t"),
        ("Küche", "Küche"),
        ("Ã", "Ã"),
        ("Жук", "Жук"),
        ("Ça ira", "Ça ira"),
        ("naïve Ã¼", "naïve Ã¼"),
        ("Evening Song", "Evening Song"),
    ],
)
def test_utf8_that_was_read_as_something_else_is_itself_again(read: str, meant: str) -> None:
    assert utf8_again(read) == meant


def test_bytes_of_old_tags_are_letters() -> None:
    assert b"K\xfcche".decode(errors="surrogateescape").translate(LONE_BYTES) == "Küche"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({"title": "Song", "author": "Somebody"}, ("Song", "Somebody", 0)),
        (
            {"title": "\u200eSong\u202c", "artist": "Some\u00a0Body\ufeff", "date": "5/1999"},
            ("Song", "Some Body", 1999),
        ),
        ({"title": "So\x1b[2Jng\n", "artist": "A", "year": "1999"}, ("So[2Jng", "A", 1999)),
    ],
)
def test_what_a_decoder_found_is_shown_as_one_line(
    tmp_path: Path, written: dict[str, str], found: tuple[str, str, int]
) -> None:
    tags = song_tags(tmp_path / "01 file.wav", written)
    assert (tags["title"], tags["artist"], tags["year"]) == found


def test_an_ape_tag_tells_what_the_files_own_tag_does_not(tmp_path: Path) -> None:
    """As MP3 files of some programs have it, often beside an ID3 tag with less in it."""
    path = sound_file(tmp_path / "07 file.mp3", FORMATS["mp3"])
    ape = APEv2()
    ape["Title"], ape["Artist"], ape["Genre"], ape["Year"] = "Sonę", ["A", "B"], "Folk", "1987-05"
    ape.save(path)
    assert song_tags(path, {}) == {"title": "Sonę", "artist": f"A{ARTISTS}B", "genre": "Folk", "year": 1987}
    id3 = ID3()
    id3.add(TIT2(text="Song"))
    id3.save(path)
    assert song_tags(path, {}) == {"title": "Song", "artist": f"A{ARTISTS}B", "genre": "Folk", "year": 1987}
    path.write_bytes(path.read_bytes()[:-20])
    assert song_tags(path, {})["title"] == "Song"

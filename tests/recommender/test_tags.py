"""Tags as old programs, other alphabets and careless writers leave them."""

from pathlib import Path

import pytest

from services.recommender.catalogue.tables.text import LONE_BYTES
from services.recommender.catalogue.tags import song_tags, utf8_again


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

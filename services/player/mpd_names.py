"""How a song is looked for in Music Player Daemon, and whether what was found is it. Pure."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from moodstream.contracts.events import Song
from services.player.programme.matching import bare_title, first_artist, longest_word, same_song

MOPIDYS = "local:track:"
"""Begins Mopidy's address of a file in its folder; the rest is percent-encoded."""


def searches(song: Song) -> Iterator[tuple[str, str]]:
    """Tags to search and texts to search for, the surest first: daemons compare accents and signs letter by letter."""
    title = bare_title(song.title)
    texts = dict.fromkeys(text for text in (title, longest_word(title)) if text)
    yield from ((tag, text) for text in texts for tag in ("title", "file"))
    if artist := first_artist(song.artist):
        yield "artist", artist


def ends_of(path: str) -> Iterator[str]:
    """The path in a song's address, and of a whole path what lies below each folder on the way, the longest first.

    Addresses of other programs and of older scans begin at the root of a disk, names of the daemon in its own folder.
    """
    yield path
    parts = path.strip("/").split("/") if path.startswith("/") else []
    yield from ("/".join(parts[begin:]) for begin in range(1, len(parts)))


def may_be(song: Song, found: dict[str, Any]) -> bool:
    """Whether the tags of what was found, if it has any, are those of the song."""
    return "title" not in found or is_of(song, found)


def is_of(song: Song, found: dict[str, Any]) -> bool:
    """By the tags of what was found, or by a file name such as ``Artist - Title.mp3``."""
    artists = [name for tag in ("artist", "albumartist") for name in _texts(found.get(tag))]
    if any(same_song(song.title, song.artist, title, artists) for title in _texts(found.get("title"))):
        return True
    artist, _, title = PurePosixPath(unquote(found["file"].removeprefix(MOPIDYS))).stem.partition(" - ")
    return same_song(song.title, song.artist, title, [artist])


def _texts(value: Any) -> list[str]:
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else [str(value)]

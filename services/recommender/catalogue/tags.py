"""Who made a song and what it is called, from its tags, whatever their kind, or from the name of the file."""

import logging
import re
import unicodedata
from collections.abc import Mapping, MutableSequence
from pathlib import Path
from typing import Any

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.texts import ARTISTS
from shared.music_files import ape_tags, open_tags

log = logging.getLogger("moodstream.recommender")

KEYS: Mapping[str, tuple[str, ...]] = {
    "title": ("TIT2", "\xa9nam", "title", "WM/Title"),
    "artist": ("TPE1", "\xa9ART", "artist", "Author", "TPE2", "aART", "albumartist", "album artist", "WM/AlbumArtist"),
    "genre": ("TCON", "\xa9gen", "genre", "WM/Genre"),
    "year": ("TDRC", "TDRL", "TDOR", "TYER", "\xa9day", "date", "year", "WM/Year", "originaldate", "originalyear"),
}
"""ID3 (MP3, WAV, AIFF), MP4, Vorbis comments and APE, Windows Media; compared without regard to case."""

WRITTEN: Mapping[str, tuple[str, ...]] = {"artist": ("artist", "author", "album_artist"), "year": ("date", "year")}
"""What the decoder calls them where that is something else; AIFF names an author."""

NUMBERED = re.compile(r"^\s*\d{1,3}(?:[-.]\d{1,3})?[\s._-]+(?=\S)")
"""A track's number in front of a name."""


DIRECTIONS = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Signs that are not seen: marks of direction, of no width, and of the order of bytes."""


def song_tags(path: Path, written: Mapping[str, str]) -> dict[str, Any]:
    """Title, artist, genre and year.

    ``written`` is what the decoder found in the file, for tags that mutagen does not know (the chunks of WAV and AIFF).
    Without a title the name of the file tells it, and the artist where it reads "Artist - Title".
    """
    found = _read(path)
    texts = {name: found[name] or [_clean(_written(written, name))] for name in KEYS}
    title, artist = texts["title"][0], ARTISTS.join(filter(None, texts["artist"]))
    if not title:
        named_artist, title = _from_name(path.stem)
        artist = artist or named_artist
    year = re.search(r"\d{4}", texts["year"][0])
    return {"title": title, "artist": artist, "genre": texts["genre"][0], "year": int(year[0]) if year else 0}


def _written(written: Mapping[str, str], name: str) -> str:
    return next((written[key] for key in WRITTEN.get(name, (name,)) if written.get(key)), "")


def _read(path: Path) -> dict[str, list[str]]:
    """Every text of each tag; empty lists for a file whose tags cannot be read: its sound may be sound all the same."""
    try:
        own = _by_name(getattr(open_tags(path), "tags", None))
    except MoodstreamError as error:
        log.debug("%s: %s", path, error)
        own = _by_name(None)
    if all(own.values()):
        return own
    added = _by_name(ape_tags(path))
    return {name: own[name] or added[name] for name in KEYS}


def _by_name(tags: Any) -> dict[str, list[str]]:
    keys = {str(key).casefold(): key for key in (tags.keys() if tags is not None else ())}
    found: dict[str, list[str]] = {}
    for name, candidates in KEYS.items():
        values = (_texts(tags[keys[key.casefold()]]) for key in candidates if key.casefold() in keys)
        found[name] = next((texts for texts in values if texts), [])
    return found


def _texts(value: Any) -> list[str]:
    """Of an ID3 frame (genres by their names), a Windows Media attribute, a text of APE, or a plain list."""
    several = getattr(value, "genres", None) or getattr(value, "text", None) or value
    several = several if isinstance(several, tuple | MutableSequence) else [several]
    return list(dict.fromkeys(text for one in several if (text := _clean(str(getattr(one, "value", one))))))


def _clean(text: str) -> str:
    """As one line that can be shown and stored: no control characters, no marks of direction, spaces of one kind."""
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in utf8_again(text))
    kept = (one for one in spaced if unicodedata.category(one) not in ("Cc", "Cs") and one not in DIRECTIONS)
    return "".join(kept).strip()


def utf8_again(text: str) -> str:
    """A text in UTF-8 whose bytes were read as Latin-1 or Windows-1252: "KÃ¼che" is "Küche"; others as they are."""
    if text.isascii():
        return text
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _from_name(stem: str) -> tuple[str, str]:
    """Artist, where there is one, and title."""
    name = NUMBERED.sub("", stem) or stem
    artist, dash, title = name.partition(" - ")
    return (artist.strip(), title.strip()) if dash and artist.strip() and title.strip() else ("", name.strip() or stem)

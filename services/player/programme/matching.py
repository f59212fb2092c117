"""Whether two names mean the same song. Pure."""

import re
import unicodedata
from collections.abc import Iterable

_ADDED = re.compile(
    r"\s*[\(\[](?:(?:feat|ft|featuring|with)\b|(?:remaster|live|mono|stereo|bonus|radio|single|album)\w*)[^\)\]]*[\)\]]"
    r"|\s+-\s+(?:\d{4}\s+)?(?:remaster|live|mono|stereo|radio|single|album|bonus)\w*\b.*$",
    re.IGNORECASE,
)
"""What shops add to titles."""
_FEATURED = re.compile(r"\s*(?:,|;|&|\bfeat\b\.?|\bft\b\.?|\bwith\b)\s*", re.IGNORECASE)


def plain(text: str) -> str:
    """Letters and digits alone, small, without accents."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in spread if letter.isalnum())


def bare_title(title: str) -> str:
    """Without what shops add: (Remastered 2011), - Live."""
    return _ADDED.sub("", title).strip() or title


def title_key(title: str) -> str:
    return plain(bare_title(title))


def artist_keys(artist: str) -> set[str]:
    """The whole name and each of the artists in it."""
    return {plain(name) for name in (artist, *_FEATURED.split(artist)) if plain(name)}


def same_song(title: str, artist: str, other_title: str, other_artists: Iterable[str]) -> bool:
    """By title and one common artist."""
    theirs = set[str]().union(*(artist_keys(name) for name in other_artists))
    return title_key(title) == title_key(other_title) and bool(artist_keys(artist) & theirs)

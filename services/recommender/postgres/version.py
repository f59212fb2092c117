"""One version of the tables: rows of songs as they are asked for, and what is held in memory of every song."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
from psycopg import sql

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.songs import UnknownSong
from services.recommender.catalogue.table import COLUMNS, FEATURES, HEARD, Catalogue, song_of, standardise
from services.recommender.choice.filters import Filters, Mask
from services.recommender.models.song_moods import SongMoods
from services.recommender.models.vectors import Floats, Positions, Singles
from services.recommender.postgres import tables
from services.recommender.postgres.conditions import condition
from services.recommender.postgres.database import Database, SongsUnreachable, TablesMissing, Values

Field = tuple[str, str, tuple[int, ...]]
"""Name, kind and shape, as numpy has them."""
_HEADER = 19
"""Bytes before the rows of a binary COPY; two more end it."""


@dataclass(frozen=True, eq=False)
class Version:
    """A whole version, which does not change any more; a later import may drop it."""

    database: Database
    number: int
    count: int
    notes: dict[str, Any]

    def ask(self, query: str, values: Values = (), **parts: str) -> list[tuple[Any, ...]]:
        """``{table}`` in the query is that of the songs, ``{vocabulary}`` that of the words, others are ``parts``.

        Raises SongsUnreachable, also where a later import has dropped this version.
        """
        texts = {name: sql.SQL(part) for name, part in parts.items()}
        names = {"table": tables.table(self.number), "vocabulary": tables.vocabulary(self.number)}
        named = sql.SQL(query).format(**names, **texts)
        try:
            return self.database.rows(named, values)
        except TablesMissing:
            raise SongsUnreachable(f"{self.database.where}: version {self.number} was replaced meanwhile") from None


def newest(database: Database) -> Version:
    """The version in use. Raises MoodstreamError where there is none."""
    try:
        found = database.rows(
            sql.SQL("SELECT version, songs, notes FROM {} WHERE whole ORDER BY version DESC LIMIT 1").format(
                tables.VERSIONS
            )
        )
    except TablesMissing:
        found = []
    if not found:
        raise MoodstreamError(f"{database.where}: no songs there yet: `moodstream songs upload` brings them")
    [(number, count, notes)] = found
    return Version(database, number, count, notes)


@dataclass(frozen=True, eq=False)
class InMemory:
    """What is held of every song: 60 bytes, from which songs are drawn, and 164 to rank them after others."""

    moods: SongMoods
    allowed: Mask
    artists: npt.NDArray[np.int32]
    """[n] the same number for the same first artist, 0 for an unknown one"""
    kept: Singles | None
    """[n, d] for ``SessionRanking``; None where that is off"""


def read_in_memory(version: Version, filters: Filters, *, sessions: bool = False) -> InMemory:
    """The moods of all songs, which of them the filters let through, and what ``sessions`` need.

    Raises MoodstreamError, or SongsUnreachable.
    """
    where, values = condition(filters)
    kinds = {"mood": "i1", "valence_of_mood": "f8", "arousal_of_mood": "f8", "artist_number": "i4"}
    kinds |= {f"membership_{at}": "f8" for at in range(4)}
    sent = {"mood": ">i2", "artist_number": ">i4"}
    fields: list[Field] = [(name, sent.get(name, ">f8"), ()) for name in kinds]
    fields.append(("allowed", "i1", ()))
    names = ", ".join([*kinds, f"({where})"])
    if sessions:
        names, fields = f"{names}, session", [*fields, ("session", ">f4", (version.notes["session"],))]
    rows = _read(version, names, values, fields)
    held = {name: rows[name].astype(kind) for name, kind in kinds.items()}
    memberships = np.stack([held[f"membership_{at}"] for at in range(4)], axis=1)
    moods = SongMoods(held["mood"], held["valence_of_mood"], held["arousal_of_mood"], memberships)
    kept = rows["session"].astype(np.float32) if sessions else None
    return InMemory(moods, rows["allowed"].astype(bool), held["artist_number"], kept)


def _read(version: Version, columns: str, values: dict[str, Any], fields: list[Field]) -> npt.NDArray[Any]:
    """Columns of all songs, by position: [n] of a structure with these fields."""
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY position) TO STDOUT (FORMAT binary)").format(
        sql.SQL(columns), tables.table(version.number)
    )
    with version.database.session() as connection:
        # COPY takes no parameters, so they are written into the text by the client's own rules of quoting
        whole = psycopg.ClientCursor(connection).mogrify(query, values)
        with connection.cursor() as cursor, cursor.copy(whole.encode()) as copy:
            data = b"".join(copy)
    # every row has the number of its fields, each field its length, a vector its dimensions before it
    parts: list[tuple[str, Any]] = [("", ">i2")]
    for name, kind, shape in fields:
        ahead = 4 if shape else 0
        parts += [(f"before {name}", f"V{4 + ahead}"), (name, (kind, shape))]
    rows = np.frombuffer(data[_HEADER:-2], np.dtype(parts))
    if len(rows) != version.count:
        raise MoodstreamError(f"{version.database.where}: version {version.number} lacks songs; import them again")
    return rows


class StoredSongs:
    """The interface ``Songs`` over one version."""

    def __init__(self, version: Version, artists: npt.NDArray[np.int32]) -> None:
        self._version, self._artists = version, artists

    def __len__(self) -> int:
        return self._version.count

    def find(self, song_ids: Iterable[str]) -> dict[str, int]:
        asked = [song_id for song_id in dict.fromkeys(song_ids) if "\0" not in song_id]
        if not asked:
            return {}
        known = dict(self._version.ask("SELECT id, position FROM {table} WHERE id = ANY(%s)", (asked,)))
        return {song_id: known[song_id] for song_id in asked if song_id in known}

    def position(self, song_id: str) -> int:
        try:
            return self.find([song_id])[song_id]
        except KeyError:
            raise UnknownSong(song_id) from None

    def ids(self, positions: Sequence[int]) -> list[str]:
        return [song.id for song in self.songs(positions)]

    def songs(self, positions: Sequence[int]) -> list[Song]:
        rows = self._version.ask(
            "SELECT position, id, title, artist, genre, uri, duration_ms::int8 FROM {table} WHERE position = ANY(%s)",
            (list(positions),),
        )
        by_position = {position: song_of(texts, duration) for position, *texts, duration in rows}
        return [by_position[position] for position in positions]

    def artist(self, position: int) -> str:
        number = self._artists[position]
        return str(number) if number else ""


@dataclass(frozen=True, eq=False)
class StoredPoints:
    """The points that similarity is measured in, exact: the interface ``Rows``."""

    version: Version

    def __getitem__(self, positions: Positions, /) -> Floats:
        rows = by_position(self.version, "point", positions)
        return np.array([np.frombuffer(point, "<f8") for point in rows], dtype=np.float64).reshape(len(rows), -1)


@dataclass(frozen=True, eq=False)
class StoredFeatures:
    """The standardised features: the interface ``Rows``."""

    version: Version

    def __getitem__(self, positions: Positions, /) -> Floats:
        rows = by_position(self.version, "ARRAY[" + ", ".join(FEATURES) + "]", positions)
        centre, scale = np.array(self.version.notes["centre"]), np.array(self.version.notes["scale"], dtype=np.float64)
        features = np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))
        return standardise(features, centre, np.where(np.isnan(scale), np.inf, scale))


def by_position(version: Version, what: str, positions: Positions) -> list[Any]:
    """An expression over the columns, for each of these songs."""
    asked = np.asarray(positions).tolist()
    query = "SELECT position, {what} FROM {table} WHERE position = ANY(%s)"
    found = dict(version.ask(query, (asked,), what=what)) if asked else {}
    return [found[position] for position in asked]


def export(version: Version) -> Catalogue:
    """The whole version as a catalogue in memory, as it was imported."""
    names = [*COLUMNS, *(HEARD if version.notes["heard"] else ())]
    query = sql.SQL("SELECT {} FROM {} ORDER BY position").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), tables.table(version.number)
    )
    with (
        version.database.session() as connection,
        connection.transaction(),
        connection.cursor("export", binary=True) as cursor,
    ):
        cursor.itersize = 10_000
        frame = pd.DataFrame(cursor.execute(query), columns=names)
    return Catalogue(frame)

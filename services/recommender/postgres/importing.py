"""A catalogue becomes the tables of a new version, by COPY; the version in use stays until the new one is whole."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg import errors, sql

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.table import COLUMNS, HEARD, Catalogue
from services.recommender.catalogue.tables.texts import ARTISTS
from services.recommender.choice.filters import RUDE
from services.recommender.choice.occasions import WORDS, matches
from services.recommender.choice.outliers import outliers
from services.recommender.choice.search import fold
from services.recommender.models import song_moods
from services.recommender.models.session import SessionModel, kept_of
from services.recommender.models.song_moods import Method
from services.recommender.models.vectors import Embedding
from services.recommender.postgres import tables
from services.recommender.postgres.database import SCHEMA, Database, version_fault

PART = 10_000
"""Songs that are sent at once."""
LOCK = 0x6D6F6F64
"""The advisory lock of an import, so that two never run at once."""
BYTES_PER_SONG = 1_000
"""Working memory to ask for while the graph of neighbours is built."""
MAX_WORK_MB = 2_000

Connection = psycopg.Connection[Any]


def write(database: Database, catalogue: Catalogue, method: Method, progress: Progress = lambda _: None) -> int:
    """Import a catalogue whose moods are found by this method; returns the number of the new version.

    Whatever goes wrong, the version in use stays. Raises MoodstreamError, in one line.
    """
    notes, parts = _prepare(catalogue, method, progress)
    with database.session() as connection:
        _make_ready(database, connection)
        _tidy(connection)
        newest = sql.SQL("SELECT coalesce(max(version), 0) FROM {}").format(tables.VERSIONS)
        version = 1 + int(connection.execute(newest).fetchall()[0][0])
        try:
            _fill(connection, version, len(catalogue), notes, parts, progress)
        except BaseException:
            with suppress(psycopg.Error):  # the next import tidies up what a lost connection leaves
                _tidy(connection)
            raise
        finally:
            with suppress(psycopg.Error):  # now: the server notices some time later that the connection was closed
                connection.execute("SELECT pg_advisory_unlock_all()")
    progress(f"version {version} is in use")
    return version


def _make_ready(database: Database, connection: Connection) -> None:
    # where that is not allowed, what is missing is told in plain words just below
    with suppress(errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile):
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    installed = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if fault := version_fault(connection.info.server_version, installed[0] if installed else None):
        raise MoodstreamError(f"{database.where}: {fault}")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
    connection.execute(tables.MAKE_VERSIONS)
    [(locked,)] = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchall()
    if not locked:
        raise MoodstreamError(f"{database.where}: another import is running; try again when it is done")


def _tidy(connection: Connection) -> None:
    """Drop all versions but the one in use: what an import left that did not come to its end, and older ones."""
    known = connection.execute(
        sql.SQL(
            "SELECT version FROM {0} WHERE version < (SELECT max(version) FROM {0} WHERE whole) OR NOT whole"
        ).format(tables.VERSIONS)
    ).fetchall()
    for (version,) in known:
        with connection.transaction():
            for one in (tables.table(version), tables.vocabulary(version)):
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(one))
            connection.execute(sql.SQL("DELETE FROM {} WHERE version = %s").format(tables.VERSIONS), (version,))


def _fill(
    connection: Connection,
    version: int,
    count: int,
    notes: dict[str, Any],
    parts: Iterator[tuple[pd.DataFrame, set[str]]],
    progress: Progress,
) -> None:
    # before the tables, so that the next import knows of them whatever happens to this one
    connection.execute(
        sql.SQL("INSERT INTO {} (version, songs, notes) VALUES (%s, %s, %s)").format(tables.VERSIONS),
        (version, count, json.dumps(notes)),
    )
    table, vocabulary = tables.table(version), tables.vocabulary(version)
    columns = ", ".join(f'"{name}" {kind.format(**notes)}' for name, kind in tables.COLUMNS.items())
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(columns)))
    connection.execute(sql.SQL("CREATE TABLE {} (word text NOT NULL)").format(vocabulary))
    words, done = set[str](), 0
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(table)) as copy,
    ):
        for part, some in parts:
            copy.write(_as_csv(part))
            words |= some
            done += len(part)
            progress(f"sent {done:,} of {count:,} songs")
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(vocabulary)) as copy:
        for word in sorted(words):
            copy.write_row([word])
    work = min(MAX_WORK_MB, max(64, count * BYTES_PER_SONG // 2**20))
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(sql.Literal(f"{work}MB")))
    for what, made in tables.INDEXES.items():
        progress(f"index of {what} over {count:,} songs")
        connection.execute(sql.SQL("CREATE " + made).format(table=table))
    connection.execute(sql.SQL("ANALYZE {}").format(table))
    connection.execute(sql.SQL("UPDATE {} SET whole = true WHERE version = %s").format(tables.VERSIONS), (version,))


def _prepare(
    catalogue: Catalogue, method: Method, progress: Progress
) -> tuple[dict[str, Any], Iterator[tuple[pd.DataFrame, set[str]]]]:
    """What is true of the whole catalogue, and its rows with the words in them, part by part."""
    progress(f"finding the moods of {len(catalogue):,} songs")
    moods, embedding = song_moods.fit(catalogue, method), Embedding.load()
    inputs = catalogue.inputs
    points = embedding.points(inputs)
    model = SessionModel.load()
    kept = kept_of(model.vectors(inputs, *catalogue.names), points)
    centre, scale = catalogue.standardisation
    notes: dict[str, Any] = {
        "method": method,
        "typical": embedding.typical,
        "centre": centre.tolist(),
        "scale": [one if np.isfinite(one) else None for one in scale.tolist()],
        "near": points.shape[1],
        "session": kept.shape[1],
        "session_version": model.version,
        "heard": bool(np.isfinite(catalogue.heard).any()),
    }
    of_moods: dict[str, Any] = {
        "mood": moods.codes,
        "valence_of_mood": moods.valence,
        "arousal_of_mood": moods.arousal,
        **{f"membership_{at}": moods.memberships[:, at] for at in range(4)},
        "artist_number": _artist_numbers(catalogue),
        "odd": outliers(catalogue),
        "rude": matches(catalogue.frame["title"], RUDE),
    }
    seasons = {name: matches(catalogue.frame["title"], words) for name, words in WORDS.items()}

    def parts() -> Iterator[tuple[pd.DataFrame, set[str]]]:
        for start in range(0, len(catalogue), PART):
            rows = slice(start, start + PART)
            part = catalogue.frame.iloc[rows].reindex(columns=[*COLUMNS, *HEARD])
            part = part.assign(position=part.index, **{name: values[rows] for name, values in of_moods.items()})
            part["seasons"] = _lists([[name for name in seasons if seasons[name][at]] for at in part.index])
            artists = part["artist"].str.casefold()
            part["artists"] = _lists([artist.split(";") for artist in artists])
            part["folded_genre"] = part["genre"].str.casefold()
            folded = [
                f"{fold(title)} {fold(artist)}" for title, artist in zip(part["title"], part["artist"], strict=True)
            ]
            words = [sorted(set(text.split())) for text in folded]
            part["folded"], part["words"] = folded, _lists(words)
            part["point"] = ["\\x" + row.tobytes().hex() for row in points[rows].astype("<f8")]
            part["near"] = [str(row) for row in points[rows].astype(np.float32).tolist()]
            part["session"] = [str(row) for row in kept[rows].tolist()]
            yield part.loc[:, list(tables.COLUMNS)], {word for song in words for word in song}

    return notes, parts()


def _artist_numbers(catalogue: Catalogue) -> np.typing.NDArray[np.int32]:
    names = catalogue.frame["artist"].str.partition(ARTISTS)[0].str.casefold()
    numbers = pd.factorize(names)[0] + 1
    return np.where(names == "", 0, numbers).astype(np.int32)


def _lists(rows: Sequence[Sequence[str]]) -> list[str]:
    """Arrays of texts as PostgreSQL writes them."""
    return [
        "{" + ",".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in row) + "}" for row in rows
    ]


def _as_csv(part: pd.DataFrame) -> str:
    text = io.StringIO()
    # every text in quotes, since an empty one without is NULL
    part.to_csv(text, header=False, index=False, quoting=csv.QUOTE_NONNUMERIC, na_rep="NaN", lineterminator="\n")
    return text.getvalue().replace("\0", "")

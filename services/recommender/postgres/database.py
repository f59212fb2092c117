"""A PostgreSQL server with pgvector: connections, retries, and its faults in one line each."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from moodstream.errors import MoodstreamError, SettingError

# The pool's own log would repeat what is told in one line by who asked.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)

SETTING = "MOODSTREAM_SONGS_URL"
MIN_SERVER = 18
"""Major version of PostgreSQL from which on this is tested."""
MIN_VECTOR = (0, 8)
"""Version of pgvector that brought iterative scans, without which a filter loses songs."""
CONNECT_S = 3
ANSWER_S = 3.0
"""How long a question may take, all tries together: less than a handler's time."""
TRIES = 3
SCHEMA = "moodstream"

Query = sql.SQL | sql.Composed
Values = Sequence[Any] | Mapping[str, Any]


class SongsUnreachable(ConnectionError):
    """The server is away, or full for the moment: what asked is tried again, as when Redis is away."""


class Database:
    """One server, as the setting ``songs_url`` names it. Nothing connects before the first question."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        """Raises SettingError for an address that cannot be right."""
        try:
            given = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise SettingError(SETTING, f"not an address of PostgreSQL: {one_line(error)}") from None
        defaults: dict[str, Any] = {"connect_timeout": CONNECT_S, "application_name": "moodstream"}
        self._options = make_conninfo(url, **(defaults | given))
        host, port = given.get("host") or "localhost", given.get("port")
        self.where = f"PostgreSQL at {host}{f':{port}' if port else ''}/{given.get('dbname') or ''}"
        """as people may see it"""
        self._pool = ConnectionPool(
            self._options,
            kwargs={"autocommit": True},
            min_size=0,
            max_size=connections,
            open=False,
            configure=_prepare,
            timeout=ANSWER_S,
            reconnect_timeout=1,
            max_idle=300,
        )

    def rows(self, query: Query, values: Values = ()) -> list[tuple[Any, ...]]:
        """What a question is answered, asked again where the connection had died.

        Raises SongsUnreachable, or MoodstreamError where another try would not help.
        """
        deadline_s, tried = time.monotonic() + ANSWER_S, 0
        while True:
            try:
                self._pool.open()  # does nothing where it is open
                with self._pool.connection(max(0.1, deadline_s - time.monotonic())) as connection:
                    return connection.cursor(binary=True).execute(query, values).fetchall()
            except (psycopg.Error, PoolTimeout) as error:
                tried += 1
                if not _passes(error) or tried == TRIES or time.monotonic() > deadline_s:
                    raise self.fault(error) from None

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own for long work, in autocommit. Raises as ``rows`` does."""
        try:
            with psycopg.connect(self._options, autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            raise self.fault(error) from None

    def reach(self) -> None:
        """Raises SongsUnreachable, with the reason, where the server is away or refuses this user."""
        with self.session():
            return

    def check(self) -> None:
        """Raises MoodstreamError, in one line, where the server or its pgvector is too old or missing."""
        with self.session() as connection:  # not of the pool, which does not tell why it has none
            number = connection.info.server_version
            installed = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
        if fault := version_fault(number, installed[0] if installed else None):
            raise MoodstreamError(f"{self.where}: {fault}")

    def fault(self, error: psycopg.Error | PoolTimeout) -> Exception:
        """The same in one line, without a password."""
        text = f"{self.where}: {one_line(error)}"
        if isinstance(error, (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded)):
            return SongsFull(text)
        if isinstance(error, (errors.UndefinedTable, errors.InvalidSchemaName)):
            return TablesMissing(text)
        return SongsUnreachable(text) if _passes(error) else MoodstreamError(text)

    def close(self) -> None:
        self._pool.close()


class SongsFull(MoodstreamError):
    """No room is left on the server."""


class TablesMissing(MoodstreamError):
    """There are no such tables, or none any more."""


def version_fault(server: int, vector: str | None) -> str | None:
    """What is wrong with a server of this number, such as 180004, and its pgvector; None when nothing is."""
    if server < MIN_SERVER * 10_000:
        return f"this is PostgreSQL {server // 10_000}; {MIN_SERVER} or newer is needed"
    if vector is None:
        return "the extension pgvector is missing; run `CREATE EXTENSION vector` there as its administrator"
    if tuple(int(part) for part in vector.split(".")[:2]) < MIN_VECTOR:
        wanted = ".".join(map(str, MIN_VECTOR))
        return f"its pgvector is {vector}; {wanted} or newer is needed: `ALTER EXTENSION vector UPDATE`"
    return None


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _passes(error: BaseException) -> bool:
    """Whether another try may help: the server is away, starts, ends, or has no connection left."""
    if isinstance(error, PoolTimeout):
        return True
    return isinstance(error, psycopg.OperationalError) and not isinstance(
        error, (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded)
    )


def _prepare(connection: psycopg.Connection[Any]) -> None:
    # Strict order: without iterative scans a filter by mood leaves out songs, and with relaxed ones ties stand anyhow.
    connection.execute("SET hnsw.iterative_scan = strict_order; SET hnsw.ef_search = 200; SET statement_timeout = 3000")

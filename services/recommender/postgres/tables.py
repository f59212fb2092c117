"""The tables: each version of a catalogue has one of its own, and one row says which is in use.

``moodstream.versions`` lists them; the newest that is ``whole`` is in use. ``moodstream.songs_N`` has a row a song.
"""

from psycopg import sql

from moodstream.contracts.moods import MOODS
from services.recommender.catalogue.table import HEARD, NUMBERS, UNKNOWN
from services.recommender.postgres.database import SCHEMA

VERSIONS = sql.Identifier(SCHEMA, "versions")

TEXT = 'text COLLATE "C" NOT NULL'
COLUMNS: dict[str, str] = {
    "position": "int4 NOT NULL",
    "id": TEXT,
    "title": TEXT,
    "artist": TEXT,
    "genre": TEXT,
    "uri": TEXT,
    **dict.fromkeys(NUMBERS, "float8 NOT NULL"),
    **dict.fromkeys(UNKNOWN, "int2 NOT NULL"),
    **dict.fromkeys(HEARD, "float8 NOT NULL"),
    "mood": "int2 NOT NULL",
    "valence_of_mood": "float8 NOT NULL",
    "arousal_of_mood": "float8 NOT NULL",
    **{f"membership_{at}": "float8 NOT NULL" for at in range(4)},
    "artist_number": "int4 NOT NULL",
    "rude": "bool NOT NULL",
    "odd": "bool NOT NULL",
    "seasons": "text[] NOT NULL",
    "artists": "text[] NOT NULL",
    "folded_genre": TEXT,
    "folded": TEXT,
    "words": "text[] NOT NULL",
    "point": "bytea NOT NULL",
    "near": "vector({near}) NOT NULL",
    "session": "vector({session}) NOT NULL",
}
"""By column its type. ``mood`` is a position in ``MOODS``; ``artist_number`` is the same for the same first artist, 0
for an unknown one; ``point`` is exact, ``near`` the same in single precision; ``session`` is what is kept of a song to
rank it after others."""

INDEXES = {
    "position": "UNIQUE INDEX ON {table} (position)",
    "id": "UNIQUE INDEX ON {table} (id)",
    "words": "INDEX ON {table} USING gin (words)",
    # a graph for each mood: in one of all songs, those of another mood than the song's lie beyond what a scan visits
    **{
        f"similarity of {mood} ones": f"INDEX ON {{table}} USING hnsw (near vector_l2_ops) WHERE mood = {at}"
        for at, mood in enumerate(MOODS)
    },
}

MAKE_VERSIONS = sql.SQL(
    "CREATE TABLE IF NOT EXISTS {} (version int4 PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now(), "
    "whole bool NOT NULL DEFAULT false, songs int4 NOT NULL, notes jsonb NOT NULL)"
).format(VERSIONS)


def table(version: int) -> sql.Identifier:
    return sql.Identifier(SCHEMA, f"songs_{version}")


def vocabulary(version: int) -> sql.Identifier:
    """The different words of all titles and artists."""
    return sql.Identifier(SCHEMA, f"words_{version}")

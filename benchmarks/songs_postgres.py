"""Songs in PostgreSQL beside songs in memory: ``python -m benchmarks.songs_postgres [--songs N]``.

One run, one catalogue made at random: how long the import takes and how much it fills, how many of the 100 nearest
songs the graph of neighbours finds, whether the rankings are the same, and how long both take. It starts a PostgreSQL
of its own.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
from psycopg import sql

from benchmarks.songs import resident_mb
from moodstream.contracts.moods import MOODS
from services.recommender.choice.history import Past
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.choice.song_library import SongLibrary
from services.recommender.models.session import Kind
from services.recommender.postgres import importing, library
from services.recommender.postgres.database import Database
from services.recommender.postgres.rankings import StoredRanking
from services.recommender.postgres.version import newest
from tests.support.random_songs import catalogue
from tests.support.servers.postgres_server import PostgresServer

ASKED = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=1_000_000)
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; times are by the wall's clock")
    with tempfile.TemporaryDirectory(prefix="moodstream-postgres-") as folder, PostgresServer(Path(folder)) as server:
        database = Database(server.url())
        run(database, given.songs)
        database.close()


def run(database: Database, count: int) -> None:
    songs = catalogue(count)
    ids = songs.frame["id"].tolist()
    steps = Steps()
    importing.write(database, songs, "listeners", steps.tell)
    steps.report()
    size = "SELECT pg_total_relation_size(c.oid), pg_relation_size(c.oid) FROM pg_class c WHERE relname = 'songs_1'"
    [(whole, rows)] = database.rows(sql.SQL(size))
    print(f"{whole / 2**20:,.0f} MB on disk, {rows / 2**20:,.0f} MB of it rows")
    gc.collect()
    before, begun = resident_mb(), time.perf_counter()
    stored = library.build(newest(database), LibraryOptions())
    print(f"ready in {time.perf_counter() - begun:.1f} s, {resident_mb() - before:,.0f} MB in the recommender")
    before, begun = resident_mb(), time.perf_counter()
    in_memory = Library.build(songs)
    took = time.perf_counter() - begun
    print(f"k-d tree: ready in {took:.1f} s, {resident_mb() - before:,.0f} MB beside the table that it is made of")
    recall(in_memory, stored)
    compare(ids, in_memory, stored)


def recall(in_memory: Library, stored: SongLibrary) -> None:
    """Of the 100 nearest of a mood, how many are among as many candidates of the graph."""
    found, random = [], np.random.default_rng(5)
    for position in random.integers(0, len(in_memory.songs), ASKED).tolist():
        mood = in_memory.moods.mood(position)
        exact = set(in_memory.of_mood[mood].nearest(position, 99)[0].tolist()) | {position}
        ranking = stored.of_mood[mood]
        assert isinstance(ranking, StoredRanking)
        rows = ranking.neighbours.nearest(in_memory.points[position], mood, 100)
        found.append(len(exact & {row[0] for row in rows}) / 100)
    print(f"recall@100 of the graph, in a mood, {ASKED} songs: mean {np.mean(found):.4f}, least {min(found):.2f}")


def compare(ids: list[str], in_memory: Library, stored: SongLibrary) -> None:
    random = np.random.default_rng(1)
    asked = [[ids[at] for at in random.integers(0, len(ids), 4)] for _ in range(ASKED)]
    for what, ask in questions().items():
        answers, times = [], []
        for one in (in_memory, stored):
            for number in range(20):
                ask(one, number, asked[number])
            took = []
            for number in range(ASKED):
                begun = time.perf_counter()
                answers.append(ask(one, number, asked[number]))
                took.append(1_000 * (time.perf_counter() - begun))
            times.append("p50 {:.2f} ms, p99 {:.2f} ms".format(*np.quantile(took, [0.5, 0.99])))
        same = sum(known == found for known, found in zip(answers[:ASKED], answers[ASKED:], strict=True))
        print(f"{what}: {same} of {ASKED} the same; k-d tree {times[0]}; PostgreSQL {times[1]}", flush=True)


def questions() -> dict[str, Callable[[SongLibrary, int, list[str]], object]]:
    def history(songs: list[str]) -> list[Past]:
        return [Past(song, kind, 60.0 * (at + 1)) for at, (song, kind) in enumerate(zip(songs, KINDS, strict=True))]

    return {
        "offer of 5": lambda one, number, _: one.offer(MOODS[number % 4], str(UUID(int=number))),
        "ranking of 10": lambda one, number, songs: one.ranked(songs[0], 10, MOODS[number % 4]),
        "ranking of 10 after three songs": lambda one, number, songs: one.ranked(
            songs[0], 10, MOODS[number % 4], history=history(songs[1:])
        ),
    }


KINDS: tuple[Kind, ...] = ("picked", "liked", "skipped")


class Steps:
    """How long each step of an import took."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._step, self._took = "", dict[str, float]()

    def tell(self, text: str) -> None:
        now = time.perf_counter()
        if self._step:
            self._took[self._step] = self._took.get(self._step, 0.0) + now - self._last
        self._step, self._last = "COPY" if text.startswith("sent") else text, now

    def report(self) -> None:
        for step, took in self._took.items():
            print(f"  {took:7.1f} s  {step}")
        print(f"imported in {time.perf_counter() - self._began:.1f} s", flush=True)


if __name__ == "__main__":
    main()

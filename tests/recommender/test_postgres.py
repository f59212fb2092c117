"""Songs in a real PostgreSQL with pgvector: the same answers as from memory, and nothing is lost by any fault."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from moodstream.contracts.events import SongsOffered, SongsRanked
from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError, SettingError
from services.__main__ import main
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.filters import Filters
from services.recommender.choice.goals import Limits
from services.recommender.choice.history import Past
from services.recommender.choice.learned import Counts, Learned
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.choice.preferences import Preferences
from services.recommender.choice.song_library import SongLibrary
from services.recommender.postgres import importing, library
from services.recommender.postgres.database import Database, SongsUnreachable, version_fault
from services.recommender.postgres.rankings import StoredRanking
from services.recommender.postgres.version import export, newest, read_in_memory
from tests.support.random_songs import catalogue, saved, table
from tests.support.recommenders import picked, recommender, until
from tests.support.servers.postgres_server import OLDEST, PostgresServer

SONGS = int(os.environ.get("MOODSTREAM_TEST_SONGS", "2000"))
"""How many songs the answers are compared on; `make songs-compare` takes 100,000."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def songs() -> Catalogue:
    return catalogue(SONGS)


@pytest.fixture(scope="module")
def in_memory(songs: Catalogue) -> Library:
    return Library.build(songs)


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Iterator[Database]:
    database = made(server, "compared")
    yield database
    database.close()


@pytest.fixture(scope="module")
def stored(database: Database, songs: Catalogue) -> SongLibrary:
    importing.write(database, songs, "listeners")
    return library.build(newest(database), LibraryOptions())


def made(server: PostgresServer, name: str, user: str = "postgres") -> Database:
    server.run(f"CREATE DATABASE {name}")
    return Database(server.url(name, user))


@pytest.fixture
def empty(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of its own for a test."""
    database = made(server, request.node.name.lower()[:60])
    yield database
    database.close()


def asked(songs: Catalogue, count: int) -> Iterator[tuple[str, Mood, str, list[Past]]]:
    """A song, a mood, a cause and a history, different each time and the same in each run."""
    random, ids = np.random.default_rng(3), songs.frame["id"].tolist()
    for number in range(count):
        song, liked, heard, skipped = (ids[at] for at in random.integers(0, len(ids), 4))
        history = [Past(heard, "picked", 600.0), Past(liked, "liked", 300.0), Past(skipped, "skipped", 60.0)]
        yield song, MOODS[number % 4], str(UUID(int=number)), history


def test_both_offer_the_same_five_and_rank_alike(songs: Catalogue, in_memory: Library, stored: SongLibrary) -> None:
    for song, mood, cause, history in asked(songs, 60):
        ids = [one.song_id for one in history]
        likes, learned = Preferences(tuple(ids[:2]), tuple(ids[2:])), {mood: Learned({ids[0]: Counts(wrong=9.0)})}
        for one in ([], history):
            assert stored.offer(mood, cause, ids, history=one) == in_memory.offer(mood, cause, ids, history=one)
            expected = in_memory.ranked(song, 10, mood, likes, one, learned, cause)
            assert stored.ranked(song, 10, mood, likes, one, learned, cause) == expected
        assert stored.ranked(song, 10) == in_memory.ranked(song, 10)
        assert stored.after(ids, 10, mood) == in_memory.after(ids, 10, mood)


def test_songs_of_a_mood_are_found_however_far_they_lie(
    server: PostgresServer, empty: Database, songs: Catalogue
) -> None:
    """In one graph of all moods a scan ends before it meets those of another mood than the song's."""
    importing.write(empty, songs, "listeners")
    name = empty.where.rpartition("/")[2]
    for setting in ("hnsw.max_scan_tuples = 1", "enable_seqscan = off"):  # as if there were ever so many songs
        server.run(f"ALTER DATABASE {name} SET {setting}")
    fresh = Database(server.url(name))
    stored = library.build(newest(fresh), LibraryOptions())
    for position in (0, 7, 300):
        for mood in MOODS:
            ranking = stored.of_mood[mood]
            assert isinstance(ranking, StoredRanking)
            [point] = ranking.points[np.array([position])]
            assert len(ranking.neighbours.nearest(point, mood, 100)) == 100
    fresh.close()


def test_paths_searches_and_whole_rankings_are_the_same(
    songs: Catalogue, in_memory: Library, stored: SongLibrary
) -> None:
    for song, mood, _, _ in asked(songs, 4):
        assert stored.path(song, "lift", mood, 8, Limits()) == in_memory.path(song, "lift", mood, 8, Limits())
    alone = [match.position for match in stored.similar(song, 0, mood)]
    assert alone == [match.position for match in in_memory.similar(song, 0, mood)]
    assert stored.after([song], 0) == in_memory.after([song], 0)
    name = str(songs.frame["title"][7])
    for text in (name, f"artist 12 {name[:6]}", "artsit 17", "%", ""):
        assert stored.search(text, 5) == in_memory.search(text, 5)
    with pytest.raises(MoodstreamError, match="no song with the id 'nobody'"):
        stored.ranked("nobody", 10)


def test_equal_songs_stand_by_id(empty: Database) -> None:
    rows = table(600)
    numbers = [name for name in rows.columns if name not in ("id", "title", "artist", "genre", "uri")]
    rows.loc[:400, numbers] = rows[numbers].iloc[0].to_numpy()
    songs = Catalogue(rows)
    importing.write(empty, songs, "listeners")
    stored, known = library.build(newest(empty), LibraryOptions()), Library.build(songs)
    for song in rows["id"].iloc[:3]:
        assert stored.ranked(song, 10) == known.ranked(song, 10)
        assert [m.position for m in stored.similar(song, 30)] == [m.position for m in known.similar(song, 30)]


NAMED = [
    "Jingle Bells",
    "Stille Nacht",
    "Monster Mash",
    "Fuck It",
    "Intro",
    "Karaoke Night",
    'A "quoted" \\ one, {odd}',
    "Été",
]
FILTERS = [
    Filters(),
    Filters(explicit=False),
    Filters(genres=frozenset({"POP", "rock"}), year_from=1990, year_to=2005),
    Filters(seasons=frozenset({"christmas"}), oddities=True),
    Filters(seasons=frozenset(), explicit=False, oddities=True),
    Filters(allowed=frozenset({"artist 3", 'Ärtist; "A"', f"{5:022d}"}), oddities=True),
    Filters(blocked=frozenset({"Artist 1", f"{9:022d}"})),
]


def test_filters_let_the_same_songs_through(empty: Database) -> None:
    rows, random = table(400), np.random.default_rng(1)
    rows["title"] = random.choice([*NAMED, "Song"], 400)
    rows["artist"] = random.choice(["Artist 1", "artist 3;Other", 'Ärtist; "A"', 'X;ärtist; "a"', ""], 400)
    rows["year"], rows["explicit"] = random.choice([0, 1985, 1999], 400), random.choice([-1, 0, 1], 400)
    rows["duration_ms"] = random.integers(20_000, 300_000, 400)
    songs = Catalogue(rows)
    importing.write(empty, songs, "listeners")
    version = newest(empty)
    for filters in FILTERS:
        mask = filters.mask(songs)
        assert 0 < mask.sum() < 400
        assert np.array_equal(read_in_memory(version, filters).allowed, mask), filters
    assert export(version).frame.equals(songs.frame)


def test_few_songs_are_ranked_all(empty: Database) -> None:
    songs = catalogue(300)
    importing.write(empty, songs, "quadrant")
    few = frozenset(songs.frame["id"].iloc[:25])
    options = LibraryOptions(method="quadrant", filters=Filters(allowed=few))
    stored, known = library.build(newest(empty), options), Library.build(songs, options)
    for song in songs.frame["id"].iloc[20:30]:
        assert stored.ranked(song, 10) == known.ranked(song, 10)
        assert stored.after([song], 10, Mood.CALM) == known.after([song], 10, Mood.CALM)


def test_what_the_tables_were_not_made_for_is_refused(empty: Database) -> None:
    with pytest.raises(MoodstreamError, match="no songs there yet"):
        newest(empty)
    importing.write(empty, catalogue(50), "quadrant")
    version = newest(empty)
    with pytest.raises(MoodstreamError, match="MOODSTREAM_SONG_MOODS=quadrant, not listeners"):
        library.build(version, LibraryOptions())
    with pytest.raises(MoodstreamError, match="MOODSTREAM_SIMILARITY=article needs the songs in a file"):
        library.build(version, LibraryOptions("article", "quadrant"))
    with pytest.raises(MoodstreamError, match="leave no song"):
        library.build(version, LibraryOptions(method="quadrant", filters=Filters(allowed=frozenset())))


def test_a_server_without_the_extension_or_with_an_old_one_is_one_clear_line(
    server: PostgresServer, empty: Database
) -> None:
    server.run("CREATE ROLE guest LOGIN")
    guest = made(server, "of_a_guest", "guest")
    server.run("GRANT CREATE ON DATABASE of_a_guest TO guest")
    with pytest.raises(MoodstreamError, match=r"pgvector is missing; run `CREATE EXTENSION vector`"):
        importing.write(guest, catalogue(50), "quadrant")
    server.run("CREATE EXTENSION vector", "of_a_guest")
    importing.write(guest, catalogue(50), "quadrant")
    server.run("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'", "of_a_guest")
    with pytest.raises(MoodstreamError, match=r"pgvector is 0\.7\.4; 0\.8 or newer is needed"):
        guest.check()
    guest.close()
    assert version_fault(180_004, "0.10.0") is None


def test_a_server_of_another_version_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    with PostgresServer(tmp_path_factory.mktemp("old"), OLDEST) as server:
        database = Database(server.url())
        for ask in (database.check, lambda: importing.write(database, catalogue(50), "quadrant")):
            with pytest.raises(MoodstreamError, match=r"this is PostgreSQL 16; 18 or newer is needed$"):
                ask()
        database.close()


def test_an_import_that_is_cut_off_leaves_the_old_catalogue(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PART", 100)
    with PostgresServer(tmp_path_factory.mktemp("restarted")) as server:
        database, old = Database(server.url()), catalogue(50)
        importing.write(database, old, "quadrant")
        for moment in ("sent 300", "index of similarity"):
            with pytest.raises((MoodstreamError, SongsUnreachable)) as told:
                importing.write(database, catalogue(1_000), "quadrant", once(moment, server.kill))
            assert "\n" not in str(told.value)
            with pytest.raises(SongsUnreachable):
                newest(database)
            server.start()
            assert newest(database).number == 1
            assert export(newest(database)).frame.equals(old.frame)
        assert importing.write(database, catalogue(1_000), "quadrant") > 1
        assert len(export(newest(database))) == 1_000
        # nothing is left of those that were cut off, nor of the one before the last
        assert importing.write(database, old, "quadrant") > 2
        tables = database.rows(psycopg.sql.SQL("SELECT count(*) FROM pg_tables WHERE schemaname = 'moodstream'"))
        assert tables == [(5,)]
        database.close()


def once(moment: str, act: Callable[[], None]) -> Callable[[str], None]:
    """A progress that acts when the moment is told."""
    left = [act]

    def tell(text: str) -> None:
        if text.startswith(moment) and left:
            left.pop()()

    return tell


def test_a_full_server_keeps_the_old_catalogue_and_says_so(server: PostgresServer, empty: Database) -> None:
    importing.write(empty, catalogue(50), "quadrant")
    name = empty.where.rpartition("/")[2]
    server.run(
        "CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
        name,
    )
    server.run(
        "CREATE EVENT TRIGGER f ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION full_disk()", name
    )
    with pytest.raises(MoodstreamError, match="No space left on device"):
        importing.write(empty, catalogue(200), "quadrant")
    assert (newest(empty).number, newest(empty).count) == (1, 50)
    assert empty.rows(psycopg.sql.SQL("SELECT count(*) FROM moodstream.versions")) == [(1,)]
    server.run("DROP EVENT TRIGGER f", name)


def test_two_imports_at_once_do_not_mix(empty: Database) -> None:
    def import_too() -> None:
        with pytest.raises(MoodstreamError, match="another import is running"):
            importing.write(empty, catalogue(60), "quadrant")

    importing.write(empty, catalogue(50), "quadrant", once("index", import_too))
    assert newest(empty).count == 50


def test_commands_copy_a_catalogue_there_and_back(
    server: PostgresServer,
    empty: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, back = saved(tmp_path, 120), tmp_path / "back.parquet"
    assert main(["songs", "upload", "--catalogue", str(path)]) == 1
    assert "set MOODSTREAM_SONGS_URL" in capsys.readouterr().err
    monkeypatch.setenv("MOODSTREAM_SONGS_URL", server.url(empty.where.rpartition("/")[2]))
    assert main(["songs", "upload", "--catalogue", str(path)]) == 0
    assert main(["songs", "download", "--catalogue", str(back)]) == 0
    assert "120 songs" in capsys.readouterr().out
    assert Catalogue.load(back).frame.equals(Catalogue.load(path).frame)
    for url, line in (
        ("mysql://host/songs", "MOODSTREAM_SONGS_URL: an address of PostgreSQL begins with"),
        ("postgresql://u:secret@127.0.0.1:1/songs", "127.0.0.1:1/songs"),
        (server.url("nothing_there"), "does not exist"),
    ):
        monkeypatch.setenv("MOODSTREAM_SONGS_URL", url)
        assert main(["songs", "upload", "--catalogue", str(path)]) == 1
        error = capsys.readouterr().err
        assert line in error
        assert "secret" not in error
        assert error.count("\n") == 1
    with pytest.raises(SettingError, match="not an address of PostgreSQL"):
        Database("postgresql://host/songs?nonsense=1")


async def test_a_site_goes_on_where_it_was_when_the_server_comes_back_and_takes_new_songs(
    redis_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with PostgresServer(tmp_path_factory.mktemp("of_a_site")) as server:
        database = Database(server.url())
        importing.write(database, catalogue(300), "listeners")
        async with recommender(redis_url, tmp_path / "none.parquet", songs_url=server.url()) as site:
            await site.mood(Mood.HAPPY, phase="start")
            (offer,) = await site.all(SongsOffered)
            assert len(offer.songs) == 5
            server.kill()
            await site.bus.publish(picked(offer))
            server.start()

            async def ranked() -> bool:
                return bool(await site.all(SongsRanked))

            await until(ranked, 30)
            (ranking,) = await site.all(SongsRanked)
            assert len(ranking.ranking) == 10
            importing.write(database, catalogue(40, seed=7), "listeners")
            known = {str(one) for one in catalogue(40, seed=7).frame["id"]}

            async def renewed() -> bool:
                site.session = str(uuid4())
                await site.mood(Mood.CALM, phase="start")
                return {song.id for song in (await site.all(SongsOffered))[-1].songs} <= known

            await until(renewed, 30)
        database.close()

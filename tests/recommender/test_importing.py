"""The process of an import: what it makes, what it refuses, and what stands in the record that outlives it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moodstream.contracts.events import utc_now
from moodstream.contracts.requests import AskImport, CancelImport, ImportState, SongsImport, StartImport
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue
from services.recommender.importing.importer import Importer
from services.recommender.importing.record import MAX_TRIES, Record, RecordFile
from services.recommender.importing.work import Told, make_catalogue
from services.recommender.main import RecommenderSettings
from services.recommender.reloader import Reloader
from services.recommender.sources import FileSource
from shared.settings import load
from tests.support.random_songs import saved, table

MADE = AskImport().made()


def record(path: Path, **fields: object) -> Record:
    values = {"id": "1", "state": "running", "source": "table", "path": str(path), "begun_at": utc_now()}
    return Record.model_validate(values | fields)


def test_the_new_catalogue_takes_the_place_of_the_old_one_at_the_end(tmp_path: Path) -> None:
    target = saved(tmp_path, 50)
    songs = table(30, seed=1)
    songs.loc[0, "duration_ms"] = 9_000
    songs.to_csv(tmp_path / "new.csv", index=False)
    told = Told(RecordFile(target), record(tmp_path / "new.csv"))
    report = make_catalogue(told.record, target, told)
    assert (report["rows"], report["kept"], report["offered"]) == (30, 30, 29)
    assert len(Catalogue.load(target)) == 30
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "catalogue.parquet",
        "catalogue.parquet.import.json",
        "new.csv",
    ]


def test_songs_of_which_none_may_be_offered_change_nothing(tmp_path: Path) -> None:
    target = saved(tmp_path, 50)
    before = target.read_bytes()
    table(30, seed=1).assign(duration_ms=9_000).to_csv(tmp_path / "short.csv", index=False)
    told = Told(RecordFile(target), record(tmp_path / "short.csv"))
    with pytest.raises(MoodstreamError, match=r"none of its 30 songs may be offered here: pieces below 45 s"):
        make_catalogue(told.record, target, told)
    assert target.read_bytes() == before
    assert not [file for file in tmp_path.iterdir() if ".new" in file.name]


def test_a_record_that_is_none_counts_for_nothing(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "catalogue.parquet")
    assert file.read() is None
    file.path.write_text('{"state": "runn')
    assert file.read() is None


@contextlib.asynccontextmanager
async def importer(target: Path, *, in_database: bool = False) -> AsyncIterator[Importer]:
    settings = load(RecommenderSettings, catalogue=target)
    reloader = Reloader(FileSource(target), settings.library_options, settings.today)
    await reloader.load()
    made = Importer(target, reloader, in_database=in_database)
    jobs = [asyncio.create_task(made.run()), asyncio.create_task(reloader.watch())]
    try:
        yield made
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def ended(one: Importer) -> SongsImport:
    async with asyncio.timeout(60):
        while (told := await one.ask(AskImport(), MADE)).state == "running" or not told.in_use:
            await asyncio.sleep(0.1)
    return told


async def test_an_import_that_was_cut_off_goes_on_with_the_next_recommender(tmp_path: Path) -> None:
    target = saved(tmp_path, 50)
    table(30, seed=1).to_csv(tmp_path / "new.csv", index=False)
    asked = StartImport(source="table", path=str(tmp_path / "new.csv"), name="new.csv")
    async with importer(target) as first:
        assert (await first.start(asked, asked.made())).state == "running"
        with pytest.raises(MoodstreamError, match="an import is running already"):
            await first.start(asked, asked.made())
        await asyncio.sleep(0.3)
    kept = RecordFile(target).read()
    assert kept is not None
    assert (kept.state, kept.tries) == ("running", 0), "it did not fail"
    async with importer(target) as second:
        told = await ended(second)
        assert (told.state, told.songs, told.name) == ("done", 30, "new.csv")
        assert (await second.start(StartImport(source="sample"), MADE)).state == "running"
        await second.cancel(CancelImport(), MADE)
        assert (await ended(second)).state == "cancelled"
    assert len(Catalogue.load(target)) == 30


async def test_an_import_that_kills_its_process_again_and_again_is_given_up(tmp_path: Path) -> None:
    target = saved(tmp_path, 50)
    RecordFile(target).write(record(tmp_path / "new.csv", tries=MAX_TRIES))
    async with importer(target) as one:
        told = await ended(one)
    assert told.state == "failed"
    assert told.error == "it has ended its process several times; perhaps the memory is too small"


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (StartImport(source="table", path="/site/uploads/a.csv"), "it has no folder in common with the gateway"),
        (StartImport(source="folder", path="/no/such"), "the recommender sees no folder /no/such"),
    ],
)
async def test_what_the_recommender_does_not_see_is_said_before_it_begins(
    tmp_path: Path, asked: StartImport, line: str
) -> None:
    async with importer(saved(tmp_path, 50)) as one:
        with pytest.raises(MoodstreamError, match=line):
            await one.start(asked, MADE)
        state: ImportState = (await one.ask(AskImport(), MADE)).state
        assert state == "none"


async def test_songs_in_a_database_are_imported_elsewhere(tmp_path: Path) -> None:
    async with importer(saved(tmp_path, 50), in_database=True) as one:
        with pytest.raises(MoodstreamError, match="the songs are in PostgreSQL"):
            await one.start(StartImport(source="sample"), MADE)
        assert "PostgreSQL" in ((await one.ask(AskImport(), MADE)).refused or "")

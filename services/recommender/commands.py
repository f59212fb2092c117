"""What the command line does with songs, as plain functions; the results are objects to print, one a line."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from moodstream.contracts.events import NAMESPACE, new_id
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import Goal
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.import_report import ImportReport
from services.recommender.catalogue.importers import ImportOptions, import_songs
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.sample import sample_wanted, take_sample
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.goals import Limits
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.models import song_moods
from services.recommender.models.song_moods import Method

if TYPE_CHECKING:
    from services.recommender.postgres.database import Database

log = logging.getLogger("moodstream.recommender")


def import_file(
    path: Path, target: Path, options: ImportOptions | None = None, progress: Progress = lambda _: None
) -> ImportReport:
    """``moodstream songs import``: the file becomes the catalogue at ``target``. Raises MoodstreamError."""
    catalogue, report = import_songs(path, options, progress)
    progress(f"writing {report.kept:,} songs")
    catalogue.save(target)
    return report


def upload(path: Path, songs_url: str | None, method: Method, progress: Progress = lambda _: None) -> int:
    """``moodstream songs upload``: a catalogue file goes into PostgreSQL. Raises MoodstreamError."""
    from services.recommender.postgres import importing

    with _database(songs_url) as database:
        database.reach()  # before minutes are spent on the moods
        progress(f"reading {path}")
        catalogue = take_sample(path) if sample_wanted(path) else Catalogue.load(path)
        importing.write(database, catalogue, method, progress)
    return len(catalogue)


def download(songs_url: str | None, path: Path) -> int:
    """``moodstream songs download``: what is in use in PostgreSQL goes into a file. Raises MoodstreamError."""
    from services.recommender.postgres.version import export, newest

    with _database(songs_url) as database:
        database.check()
        catalogue = export(newest(database))
    catalogue.save(path)
    return len(catalogue)


@contextmanager
def _database(songs_url: str | None) -> "Iterator[Database]":
    from services.recommender.postgres.database import SETTING, Database, SongsUnreachable

    if songs_url is None:
        raise MoodstreamError(f"set {SETTING} to the address of PostgreSQL")
    database = Database(songs_url)
    try:
        yield database
    except SongsUnreachable as error:
        raise MoodstreamError(str(error)) from None
    finally:
        database.close()


def open_songs(path: Path) -> Catalogue:
    """A saved catalogue, or any table that can be imported; of a song all versions, so that every id is known.

    Every id is answered for, too: what a row lacks beside energy and valence counts as typical.
    """
    if sample_wanted(path):
        return take_sample(path)
    return import_songs(path, ImportOptions(one_version=False, fill=True))[0]


def moods(catalogue_path: Path, method: Method = "listeners", ids: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """``moodstream songs mood``: mood, place, memberships and margin of every song, or of those with the ids.

    Raises MoodstreamError for an id that is not there, before anything is told.
    """
    catalogue = open_songs(catalogue_path)
    wanted = [catalogue.position(song_id) for song_id in ids] if ids else range(len(catalogue))
    fitted = song_moods.fit(catalogue, method)
    for note in fitted.notes:
        log.warning("by the method %s %s", method, note)
    names, titles = catalogue.frame["id"].tolist(), catalogue.frame["title"].tolist()
    for position in wanted:
        described = fitted.describe(names[position], position)
        yield {"id": described.pop("id"), "title": titles[position], **described}


def find(text: str, catalogue_path: Path, n: int = 10, options: LibraryOptions | None = None) -> list[dict[str, Any]]:
    """``moodstream songs find``: the songs whose title and artist fit a text best. Raises MoodstreamError."""
    if n < 1:
        raise MoodstreamError(f"cannot find {n} songs: give a positive number")
    library = Library.build(open_songs(catalogue_path), options)
    return [
        library.song(at).model_dump(mode="json") | {"mood": library.moods.mood(at).value, "exact": exact}
        for at, exact in library.search(text, n)
    ]


def similar(
    ids: Sequence[str], catalogue_path: Path, n: int = 10, options: LibraryOptions | None = None, any_mood: bool = False
) -> Iterator[dict[str, Any]]:
    """``moodstream songs similar``: for each id, the most similar songs; n = 0 ranks them all.

    They are of the song's own mood, or of any; songs out of season and what is no song are ranked, too. Raises
    MoodstreamError for an id that is not there, before anything is ranked.
    """
    if n < 0:
        raise MoodstreamError(f"cannot rank {n} songs: 0 ranks all, a positive number the best")
    library = _library_of_all(catalogue_path, options)
    positions = [library.catalogue.position(song_id) for song_id in ids]
    names, songs = library.catalogue.frame["id"].tolist(), library.catalogue.labels
    for song_id, position in zip(ids, positions, strict=True):
        mood = None if any_mood else library.moods.mood(position)
        ranking = [
            {
                "id": names[match.position],
                "title": songs[match.position],
                "similarity": match.similarity,
                "reason": match.reason,
            }
            for match in library.similar(song_id, n, mood)
        ]
        yield {"id": song_id, "title": songs[position], "ranking": ranking}


def next_songs(
    ids: Sequence[str], catalogue_path: Path, n: int = 10, options: LibraryOptions | None = None, any_mood: bool = False
) -> dict[str, Any]:
    """``moodstream songs next``: what comes next after songs that were heard, the oldest first; n = 0 ranks all.

    Of the last one's mood, or of any; songs out of season and what is no song are ranked, too. Raises MoodstreamError.
    """
    if n < 0:
        raise MoodstreamError(f"cannot rank {n} songs: 0 ranks all, a positive number the best")
    library = _library_of_all(catalogue_path, options)
    positions = [library.catalogue.position(song_id) for song_id in ids]
    mood = None if any_mood else library.moods.mood(positions[-1])
    labels, at = library.catalogue.labels, library.catalogue.positions
    ranking = [
        {
            "id": found.song.id,
            "title": labels[at[found.song.id]],
            "score": found.score,
            "because": [
                {"id": one.song.id, "title": labels[at[one.song.id]], "kind": one.kind, "weight": one.weight}
                for one in found.because
            ],
        }
        for found in library.after(ids, n, mood)
    ]
    return {"ids": list(ids), "ranking": ranking}


def _library_of_all(catalogue_path: Path, options: LibraryOptions | None) -> Library:
    """With songs out of season and what is no song."""
    options = options or LibraryOptions()
    everything = replace(options, filters=replace(options.filters, seasons=None, oddities=True))
    return Library.build(open_songs(catalogue_path), everything)


def offer(
    mood: Mood, catalogue_path: Path, options: LibraryOptions | None = None, seed: int | None = None
) -> dict[str, Any]:
    """``moodstream songs offer``: five songs of a mood; the same for the same seed. Raises MoodstreamError."""
    cause = new_id() if seed is None else str(uuid5(NAMESPACE, str(seed)))
    offered = Library.build(open_songs(catalogue_path), options).offer(mood, cause)
    songs = [song.model_dump(mode="json") for song in offered.songs]
    return {"mood": mood.value, "songs": songs, "filled": [one.value for one in offered.filled]}


def path(
    song_id: str, goal: Goal, catalogue_path: Path, options: LibraryOptions | None, limits: Limits, n: int = 10
) -> dict[str, Any]:
    """``moodstream songs path``: songs that lead from a song's mood to a goal. Raises MoodstreamError."""
    library = Library.build(open_songs(catalogue_path), options)
    position = library.catalogue.position(song_id)
    start = library.moods.mood(position)
    songs = []
    for song in library.path(song_id, goal, start, n, limits):
        described = library.moods.describe(song.id, library.catalogue.position(song.id))
        songs.append(song.model_dump(mode="json") | {name: described[name] for name in ("mood", "valence", "arousal")})
    return {"id": song_id, "goal": goal, "from": start.value, "songs": songs}

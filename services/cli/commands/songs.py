"""``moodstream songs``."""

import argparse
import json
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.cli.options import Commands, add_command, add_group, add_json
from services.recommender import commands as recommender
from services.recommender.catalogue.importers import ImportOptions
from services.recommender.catalogue.refusals import UnknownColumns
from services.recommender.main import RecommenderSettings
from shared.plain_text import plain, raw
from shared.settings import load

SIMILARITIES = ("learned", "standardised", "article")
METHODS = ("listeners", "article", "dbscan", "birch", "gmm", "quadrant")


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    songs = add_group(commands, "songs")
    text = "Import a catalogue, and report which rows were dropped and why."
    imports = add_json(add_command(songs, "import", songs_import, text))
    imports.add_argument("table", type=Path, metavar="FILE", help="CSV, JSON lines, parquet, workbook; packed or not")
    imports.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="which column of your table holds our column; repeatable",
    )
    imports.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="OURS",
        help="import although the table lacks this column of ours: all songs count as alike in it; repeatable",
    )
    imports.add_argument(
        "--features", type=Path, metavar="TABLE", help="take the features of the songs that FILE names from this table"
    )
    imports.add_argument("--guess", action="store_true", help="take what is proposed for columns of unknown names")
    imports.add_argument("--encoding", metavar="NAME", help="encoding of the text, where it cannot be told: shift_jis")
    imports.add_argument(
        "--report", type=Path, metavar="FILE", help="also write the report to a file: .html, .json, .csv or text"
    )
    text = "Copy the catalogue, as it is, from its file into the PostgreSQL of MOODSTREAM_SONGS_URL."
    uploads = add_command(songs, "upload", songs_upload, text)
    downloads = add_command(songs, "download", songs_download, "Copy the catalogue from PostgreSQL back into its file.")
    text = "Make a catalogue from a folder of music; needs moodstream[scan]."
    scans = add_json(add_command(songs, "scan", songs_scan, text))
    scans.add_argument("folder", type=Path, metavar="FOLDER")
    text = "listen on the workers of this Dask cluster (tcp://HOST:8786), which see FOLDER, too; needs moodstream[dask]"
    scans.add_argument("--dask", metavar="ADDRESS", help=text)
    moods = add_json(add_command(songs, "mood", songs_mood, "Print mood, valence and arousal of songs."))
    moods.add_argument("ids", nargs="*", metavar="ID", help="only these songs (default: the whole catalogue)")
    finds = add_json(add_command(songs, "find", songs_find, "Find songs by title and artist, also with mistakes."))
    finds.add_argument("text", nargs="+", metavar="TEXT")
    finds.add_argument("-n", type=int, default=10, help="number of songs (default: 10)")
    similar = add_json(add_command(songs, "similar", songs_similar, "Rank songs by similarity to given songs."))
    similar.add_argument("ids", nargs="+", metavar="ID")
    similar.add_argument("-n", type=int, default=10, help="number of songs; 0 for all (default: 10)")
    similar.add_argument("--any-mood", action="store_true", help="rank songs of all moods, not only of the song's own")
    nexts = add_json(add_command(songs, "next", songs_next, "Rank songs by how they go on after those heard."))
    nexts.add_argument("ids", nargs="+", metavar="ID", help="songs that were heard, the oldest first")
    nexts.add_argument("-n", type=int, default=10, help="number of songs; 0 for all (default: 10)")
    nexts.add_argument("--any-mood", action="store_true", help="rank songs of all moods, not only of the last song's")
    offers = add_json(add_command(songs, "offer", songs_offer, "Offer five songs of a mood."))
    offers.add_argument("mood", choices=[mood.value for mood in MOODS])
    offers.add_argument("--seed", type=int, help="the same seed gives the same songs")
    paths = add_json(add_command(songs, "path", songs_path, "Find songs that lead from a song's mood to a goal."))
    paths.add_argument("id", metavar="ID")
    paths.add_argument("--goal", choices=("match", "lift", "calm"), required=True)
    paths.add_argument("-n", type=int, default=10, help="number of songs (default: 10)")
    reports = add_command(songs, "report", songs_report, "Write a page with charts of the catalogue and its moods.")
    reports.add_argument("folder", type=Path, metavar="DIR")
    reports.add_argument(
        "--table", type=Path, metavar="FILE", help="the table that was imported, to show its numbers before cleaning"
    )
    text = "work on the workers of this Dask cluster (tcp://HOST:8786); needs moodstream[dask,report] there, too"
    reports.add_argument("--dask", metavar="ADDRESS", help=text)
    for one in (imports, uploads, downloads, scans, moods, finds, similar, nexts, offers, paths, reports):
        one.add_argument(
            "--catalogue", type=Path, metavar="FILE", help="use this catalogue instead of MOODSTREAM_CATALOGUE"
        )
    for one in (uploads, moods, finds, similar, nexts, offers, paths, reports):
        one.add_argument("--method", choices=METHODS, help="how songs get their moods")
    for one in (similar, paths):
        one.add_argument("--similarity", choices=SIMILARITIES, help="how songs are compared")


def songs_import(given: argparse.Namespace) -> int:
    """Import a catalogue and report what was dropped."""
    if wrong := [pair for pair in given.column if "=" not in pair]:
        raise MoodstreamError(f"--column {wrong[0]}: write it as OURS=THEIRS, for example title=Name")
    columns = dict(pair.split("=", 1) for pair in given.column)
    options = ImportOptions(columns, given.without, given.guess, given.encoding, features=given.features)
    try:
        with Progress() as progress:
            report = recommender.import_file(given.table, _settings(given).catalogue, options, progress.show)
    except UnknownColumns as error:
        print(json.dumps(error.proposal.as_dict()) if given.json else error.proposal.as_text())
        raise
    if given.report:
        forms = {".html": report.as_html(), ".json": json.dumps(report.as_dict()), ".csv": report.as_csv()}
        _write(given.report, forms.get(given.report.suffix, report.as_text()))
    print(json.dumps(report.as_dict()) if given.json else report.as_text())
    return 0


def songs_upload(given: argparse.Namespace) -> int:
    """Copy the catalogue into PostgreSQL."""
    settings = _settings(given)
    with Progress() as progress:
        count = recommender.upload(settings.catalogue, settings.songs_url, settings.song_moods, progress.show)
    print(f"{count:,} songs are in PostgreSQL and in use")
    return 0


def songs_download(given: argparse.Namespace) -> int:
    """Copy the catalogue back from PostgreSQL."""
    settings = _settings(given)
    count = recommender.download(settings.songs_url, settings.catalogue)
    print(f"{count:,} songs are in {settings.catalogue}; unset MOODSTREAM_SONGS_URL to use them")
    return 0


def songs_scan(given: argparse.Namespace) -> int:
    """Make a catalogue from a folder of music."""
    # needs packages of moodstream[scan]
    from services.recommender.catalogue.scan import scan
    from services.recommender.dask_listening import listen_on_dask

    listen = partial(listen_on_dask, folder=given.folder, address=given.dask) if given.dask else None
    with Progress() as progress:
        done = scan(given.folder, _settings(given).catalogue, progress.show, listen=listen)
    print(json.dumps(done.as_dict()) if given.json else done.as_text())
    return 0


def songs_mood(given: argparse.Namespace) -> int:
    """Print mood, valence and arousal of every song, or of the given ones."""
    settings = _settings(given)
    for song in recommender.moods(settings.catalogue, settings.song_moods, given.ids):
        text = f"{song['id']}  {song['mood']:<6}{song['valence']:+.2f} {song['arousal']:+.2f}  {song['title']}"
        print(json.dumps(song) if given.json else text)
    return 0


def songs_find(given: argparse.Namespace) -> int:
    """Print the songs that fit a text."""
    settings = _settings(given)
    found = recommender.find(" ".join(given.text), settings.catalogue, given.n, settings.library_options())
    for song in found:
        text = f"{song['id']}  {song['title']} - {song['artist']}  ({song['mood']})" + ("" if song["exact"] else "  ?")
        print(json.dumps(song) if given.json else text)
    if not found:
        raise MoodstreamError(f"no song in {settings.catalogue} is like {' '.join(given.text)!r}")
    return 0


def songs_similar(given: argparse.Namespace) -> int:
    """Rank songs by similarity to the given songs."""
    settings = _settings(given)
    options = settings.library_options()
    for found in recommender.similar(given.ids, settings.catalogue, given.n, options, given.any_mood):
        if given.json:
            print(json.dumps(found))
            continue
        print(f"{found['id']}  {found['title']}")
        for song in found["ranking"]:
            print(f"  {song['similarity']:.3f}  {song['id']}  {song['title']}  ({song['reason'].rstrip('.')})")
    return 0


def songs_next(given: argparse.Namespace) -> int:
    """Rank songs by how they go on after the given ones."""
    settings = _settings(given)
    found = recommender.next_songs(given.ids, settings.catalogue, given.n, settings.library_options(), given.any_mood)
    if given.json:
        print(json.dumps(found))
        return 0
    for song in found["ranking"]:
        parts = ", ".join(f"{one['weight']:+.2f} {one['title']}" for one in song["because"])
        print(f"{song['score']:+.2f}  {song['id']}  {song['title']}  ({parts})")
    return 0


def songs_offer(given: argparse.Namespace) -> int:
    """Offer five songs of a mood."""
    settings = _settings(given)
    _print_songs(given, recommender.offer(Mood(given.mood), settings.catalogue, settings.library_options(), given.seed))
    return 0


def songs_path(given: argparse.Namespace) -> int:
    """Find songs that lead from a song's mood to a goal."""
    if given.n < 1:
        raise MoodstreamError(f"-n {given.n}: a path needs at least one song")
    settings = _settings(given)
    options, limits = settings.library_options(), settings.ranking_options().limits
    _print_songs(given, recommender.path(given.id, given.goal, settings.catalogue, options, limits, given.n))
    return 0


def songs_report(given: argparse.Namespace) -> int:
    """Write a page with charts of the catalogue."""
    # needs packages of moodstream[report]
    from services.recommender.dask_work import on_dask, one_by_one
    from services.recommender.report.page import write_report

    spread = on_dask(given.dask, "moodstream songs report") if given.dask else nullcontext(one_by_one)
    with Progress() as progress, spread as each:
        page = write_report(given.folder, _settings(given), progress.show, given.table, each)
    print(page)
    return 0


class Progress:
    """One line on a terminal's standard error that is written over, and gone at the end."""

    def __enter__(self) -> "Progress":
        self._shown = sys.stderr.isatty()
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, text: str) -> None:
        self._write(text)

    def _write(self, text: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{plain(text[:100])}", end="", file=raw(sys.stderr), flush=True)


def _print_songs(given: argparse.Namespace, found: dict[str, Any]) -> None:
    if given.json:
        print(json.dumps(found))
        return
    for song in found["songs"]:
        print(f"{song['id']}  {song['title']} - {song['artist']}" + (f"  ({song['mood']})" if "mood" in song else ""))
    if found.get("filled"):
        print(f"too few songs of this mood: added {', '.join(found['filled'])}", file=sys.stderr)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MoodstreamError(f"cannot write the report {path}: {error.strerror}") from None


def _settings(given: argparse.Namespace) -> RecommenderSettings:
    return load(
        RecommenderSettings,
        catalogue=given.catalogue,
        similarity=getattr(given, "similarity", None),
        song_moods=getattr(given, "method", None),
    )

"""Reads a table of songs in any of the known layouts; says what was dropped, and why."""

import ast
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.import_report import ImportReport
from services.recommender.catalogue.layouts import GENERIC, NUMERIC, Layout, recognise
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.table import (
    ARTISTS,
    COLUMNS,
    HEARD,
    NUMBERS,
    TEXTS,
    UNKNOWN,
    WHOLE,
    Catalogue,
    Floats,
)
from services.recommender.catalogue.table_files import read_table

LIMITS: Mapping[str, tuple[float, float]] = dict.fromkeys(NUMBERS, (0, 1)) | {
    "key": (-1, 11),  # -1: Spotify detected none
    "loudness": (-60, 10),  # decibels; loud masters are a little above 0
    "tempo": (0, 300),
    "duration_ms": (1, 86_400_000),
}
"""Least and greatest value of each number, in Spotify's units."""

SPOTIFY_ID = r"[0-9A-Za-z]{22}"


def import_songs(
    path: Path, one_version: bool = True, columns: Mapping[str, str] | None = None, progress: Progress = lambda _: None
) -> tuple[Catalogue, ImportReport]:
    """The songs of a CSV (plain or gzip) or parquet file, 42 k rows in well under 2 s.

    Of rows with the same id the first good one stays, and so it is with the same title by the same artist, since a
    visitor would hear the same song again; ``one_version=False`` keeps those, for work that must answer for every id.
    Without a known artist a title alone proves nothing, and nothing is dropped for it.

    A table without ids (the layout ``numeric``) is taken in too: moods and similarity need only the numbers. A song's
    id is then a hash of its numbers, so that it stays the same in every import and equal rows are known as one song.
    Such songs have no title and cannot be played, which the report says, as it says which features were not there.

    ``columns`` names columns of a table of one's own: ours to theirs. ``progress`` hears what is being done.

    Raises MoodstreamError when the file is missing or broken, lacks a needed column, or has no good row.
    """
    progress("reading")
    table, broken = read_table(path)
    progress(f"checking {len(table):,} rows")
    try:
        if columns:
            return _clean(_renamed(table, columns), broken, GENERIC, one_version)
        return _clean(table, broken, recognise(table.columns), one_version)
    except MoodstreamError as error:
        raise MoodstreamError(f"{path}: {error}") from None


def _renamed(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    if lacking := [theirs for theirs in columns.values() if theirs not in table.columns]:
        raise MoodstreamError(f"it has no column {', '.join(lacking)}")
    if unknown := [ours for ours in columns if ours not in COLUMNS]:
        raise MoodstreamError(f"songs have no {', '.join(unknown)}; they have {', '.join(COLUMNS)}")
    table = table.drop(columns=[ours for ours, theirs in columns.items() if ours != theirs], errors="ignore")
    table = table.rename(columns={theirs: ours for ours, theirs in columns.items()})
    if missing := GENERIC.missing(table.columns):
        raise MoodstreamError(f"it lacks {', '.join(missing)}; name their columns too")
    return table


class _Sieve:
    """Counts each row once, under the first reason to drop it."""

    def __init__(self, rows: int) -> None:
        self.good = np.ones(rows, dtype=bool)
        self.dropped: dict[str, int] = {}

    def drop(self, bad: "pd.Series[bool]", reason: str) -> None:
        hit = self.good & bad.to_numpy(dtype=bool)
        if hit.any():
            self.dropped[reason] = int(hit.sum())
            self.good &= ~hit


def _clean(table: pd.DataFrame, broken: int, layout: Layout, one_version: bool) -> tuple[Catalogue, ImportReport]:
    sieve = _Sieve(len(table))
    songs = _songs(table, layout, sieve)
    sieve.drop(songs["id"] == "", "no id")
    sieve.drop(songs["title"] == "", "no title")
    what = "numbers" if layout is NUMERIC else "id"
    sieve.drop(_repeated(songs[["id"]], sieve.good), f"the {what} of an earlier row")
    if one_version:
        names = pd.DataFrame({name: songs[name].str.casefold() for name in ("title", "artist")})
        known = sieve.good & (songs["artist"] != "").to_numpy(dtype=bool)
        sieve.drop(_repeated(names, known), "the title and artist of an earlier row")
    kept = songs[sieve.good]
    dropped = sieve.dropped | ({"more cells than columns": broken} if broken else {})
    if kept.empty:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items()) or "the table is empty"
        raise MoodstreamError(f"no song is left ({reasons})")
    report = ImportReport(layout.name, len(table) + broken, len(kept), dropped, _notes(layout, kept))
    return Catalogue(kept), report


def _songs(table: pd.DataFrame, layout: Layout, sieve: _Sieve) -> pd.DataFrame:
    """The table in the columns of a catalogue; rows with a bad number are left to the sieve."""
    songs = pd.DataFrame({text: _text(table, names) for text, names in layout.sources(table.columns).items()})
    for name in NUMBERS:
        songs[name] = layout.neutral[name] if name in layout.neutral else _number(table[name], name, sieve)
    for text in TEXTS:
        if text not in songs:
            songs[text] = ""
    songs["explicit"] = _explicit(table)
    songs["year"] = _year(table)
    if set(HEARD) <= set(table.columns):
        songs[list(HEARD)] = table[list(HEARD)].apply(pd.to_numeric, errors="coerce")
    if layout is NUMERIC:
        numbers: Floats = songs.loc[:, list(NUMBERS)].to_numpy(dtype="<f8")
        songs["id"] = [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in numbers]
        songs["title"] = "Untitled (" + songs["genre"] + ")"
    if layout.name == "million":
        songs["artist"] = songs["artist"].map(_listed)
    unknown = (songs["uri"] == "") & songs["id"].str.fullmatch(SPOTIFY_ID)
    songs.loc[unknown, "uri"] = "spotify:track:" + songs.loc[unknown, "id"]
    return songs


def _text(table: pd.DataFrame, names: list[str]) -> "pd.Series[str]":
    """The first of the columns that is not empty, row by row."""
    text = pd.Series("", index=table.index, dtype="str")
    for name in names:
        column = table[name].fillna("").astype("str").str.strip()
        text = text.where(text != "", column)
    return text


def _number(column: "pd.Series[Any]", name: str, sieve: _Sieve) -> "pd.Series[float]":
    missing = column.isna()
    if not pd.api.types.is_numeric_dtype(column):
        missing |= column.fillna("").astype("str").str.strip().str.lower().isin(["", "na", "nan", "null", "none"])
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    sieve.drop(missing, f"{name} is missing")
    sieve.drop(values.isna(), f"{name} is not a number")
    if name == "tempo":
        sieve.drop(values == 0, "tempo is 0: Spotify heard no beat")
    least, greatest = LIMITS[name]
    sieve.drop((values < least) | (values > greatest), f"{name} is not in {least:g}..{greatest:g}")
    if name in WHOLE:
        sieve.drop(values % 1 != 0, f"{name} is not a whole number")
    return values


def _explicit(table: pd.DataFrame) -> "pd.Series[int] | int":
    if "explicit" not in table.columns:
        return UNKNOWN["explicit"]
    words = table["explicit"].astype("str").str.strip().str.casefold()
    said = words.map({"true": 1, "1": 1, "1.0": 1, "yes": 1, "false": 0, "0": 0, "0.0": 0, "no": 0})
    return said.fillna(UNKNOWN["explicit"]).astype("int64")


def _year(table: pd.DataFrame) -> "pd.Series[int] | int":
    """From whichever column tells when a song came out, as a year or as a date that begins with one."""
    for name in ("year", "release_date", "track_album_release_date", "album_release_date"):
        if name in table.columns:
            digits = table[name].astype("str").str.extract(r"^\s*(\d{4})", expand=False)
            return pd.to_numeric(digits).fillna(UNKNOWN["year"]).astype("int64")
    return UNKNOWN["year"]


def _listed(artists: str) -> str:
    """Python's way to write a list of names, as in the layout ``million``, in the catalogue's way."""
    try:
        names = ast.literal_eval(artists)
    except (ValueError, SyntaxError):
        return artists
    return ARTISTS.join(str(name) for name in names) if isinstance(names, list) else artists


def _repeated(texts: pd.DataFrame, among: npt.NDArray[np.bool_]) -> "pd.Series[bool]":
    """Rows with the same texts as an earlier one, of those among which to look."""
    repeated = pd.Series(False, index=texts.index)
    repeated[among] = texts[among].duplicated()
    return repeated


def _notes(layout: Layout, kept: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    if layout.neutral:
        lacking = " and ".join(layout.neutral)
        notes.append(f"{lacking} are not in this table: all songs count as alike in them")
    if layout is NUMERIC:
        notes.append("ids are made from the numbers; the songs have no titles and cannot be played")
    elif "artist" not in layout.texts:
        notes.append("this table knows no artists: songs of the same title were all kept")
    if unplayable := int((kept["uri"] == "").sum()) if layout is not NUMERIC else 0:
        notes.append(f"{unplayable} songs have no Spotify address")
    return tuple(notes)

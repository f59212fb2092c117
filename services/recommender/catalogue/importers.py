"""Reads a table of songs, however its columns are called; says what was dropped, and why."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.import_report import ImportReport
from services.recommender.catalogue.layouts import NUMERIC, TYPICAL, Layout, recognise
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.refusals import UnknownColumns, explain_missing, hides_names
from services.recommender.catalogue.table import (
    COLUMNS,
    HEARD,
    NUMBERS,
    TEXTS,
    UNKNOWN,
    WHOLE,
    Catalogue,
    Floats,
    name_key,
)
from services.recommender.catalogue.tables import texts
from services.recommender.catalogue.tables.files import MAX_UNPACKED, RawTable, read_table
from services.recommender.catalogue.tables.headings import plain
from services.recommender.catalogue.tables.numbers import mode_of_key, numbers
from services.recommender.catalogue.tables.proposals import propose

LIMITS: Mapping[str, tuple[float, float]] = dict.fromkeys(NUMBERS, (0, 1)) | {
    "key": (-1, 11),  # -1: Spotify detected none
    "loudness": (-60, 10),  # decibels; loud masters are a little above 0
    "tempo": (0, 300),
    "duration_ms": (1, 86_400_000),
}
"""Least and greatest value of each number, in Spotify's units."""

DECISIVE = ("energy", "valence")
"""features without which nobody can tell a mood"""


@dataclass(frozen=True)
class ImportOptions:
    """What a person says about a table."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """which of its columns are ours: ours to theirs"""
    without: Collection[str] = ()
    """our columns that it may lack: all songs count as alike in them"""
    guess: bool = False
    """take what is proposed for columns of unknown names"""
    encoding: str | None = None
    """of its text, where that cannot be told"""
    one_version: bool = True
    """of the same title by the same artist only the first stays; False keeps all"""
    features: Path | None = None
    """a table with the features of songs that this one only names"""
    fill: bool = False
    """a missing feature counts as typical instead of dropping the row, except energy and valence"""
    max_unpacked: int = MAX_UNPACKED
    """bytes of a packed table"""


def import_songs(
    path: Path, options: ImportOptions | None = None, progress: Progress = lambda _: None
) -> tuple[Catalogue, ImportReport]:
    """The songs of any table that ``tables/files.py`` reads, 42 k rows in well under 2 s.

    Of rows with the same id the first good one stays, and so it is with the same title by the same artist, since a
    visitor would hear the same song again. Without a known artist a title alone proves nothing, and nothing is dropped
    for it. A table without ids gets them from its addresses, else from title and artist.

    A table without any names (the layout ``numeric``) is taken in too: moods and similarity need only the numbers. A
    song's id is then a hash of its numbers, so that it stays the same in every import and equal rows are known as one
    song. Such songs have no title and cannot be played, which the report says, as it says which features were lacking.

    Raises MoodstreamError when the file is missing or broken, or has no good row, and its kind UnknownColumns, with a
    proposal, when a needed column is not known by its heading.
    """
    options = options or ImportOptions()
    progress("reading")
    raw = read_table(path, options.encoding, options.max_unpacked)
    progress(f"checking {len(raw.frame):,} rows")
    try:
        table = raw.frame.rename(columns=str)
        if options.features:
            progress("reading the features")
            return _joined(table, raw, options, options.features)
        return _clean(table, _layout(table, options), raw, options)
    except UnknownColumns as error:
        raise UnknownColumns(f"{path}: {error}", error.proposal) from None
    except MoodstreamError as error:
        raise MoodstreamError(f"{path}: {error}") from None


def raw_numbers(path: Path) -> pd.DataFrame:
    """The features of a table as they stand there, before any row is dropped; NaN where a cell is no number.

    Raises MoodstreamError when the file cannot be read.
    """
    table = read_table(path).frame.rename(columns=str)
    layout = recognise(list(table.columns), without=NUMBERS)
    return pd.DataFrame(
        {name: _best(table, layout.sources[name], name)[0] for name in NUMBERS if name in layout.sources}
    )


def _joined(table: pd.DataFrame, raw: RawTable, options: ImportOptions, path: Path) -> tuple[Catalogue, ImportReport]:
    """The songs of another table that this one names, by their ids, else by title and first artist."""
    layout = recognise(list(table.columns), _named(table, options.columns), NUMBERS)
    if "title" not in layout.sources and "uri" not in layout.sources and "id" not in layout.sources:
        raise explain_missing(table, layout, propose(table, ("title", "artist"), layout.unused))
    songs = _texts(table, layout)
    features = import_songs(path, replace(options, columns={}, features=None, one_version=False))[0]
    names = {features.name_key(at): at for at in reversed(range(len(features)))}
    ids = texts.spotify_ids(songs["uri"]).where(songs["uri"] != "", songs["id"])
    found = [
        features.positions.get(song, names.get(name_key(title, artist)))
        for song, title, artist in zip(ids, songs["title"], songs["artist"], strict=True)
    ]
    known = list(dict.fromkeys(at for at in found if at is not None))
    lost = sum(at is None for at in found)
    dropped = {f"not in {path.name}": lost, "the song of an earlier row": len(found) - lost - len(known)}
    dropped = {why: count for why, count in dropped.items() if count}
    if not known:
        raise MoodstreamError(f"none of its {len(found)} rows names a song of {path}")
    report = ImportReport(layout.name, len(found) + raw.broken, len(known), dropped, raw.notes)
    return Catalogue(features.frame.iloc[sorted(known)]), report


def _layout(table: pd.DataFrame, options: ImportOptions) -> Layout:
    columns = _named(table, options.columns)
    if unknown := [name for name in (*columns, *options.without) if name not in COLUMNS]:
        raise MoodstreamError(f"songs have no {', '.join(unknown)}; they have {', '.join(COLUMNS)}")
    if kept := [name for name in options.without if name in DECISIVE]:
        raise MoodstreamError(f"songs need {' and '.join(kept)}: their moods come from there")
    without = {*options.without, *((set(NUMBERS) - set(DECISIVE)) if options.fill else ())}
    layout = recognise(list(table.columns), columns, without)
    if "mode" in layout.missing and _told_by_keys(table, layout) is not None:
        left = tuple(name for name in layout.missing if name != "mode")
        layout = replace(layout, missing=left, absent=(*layout.absent, "mode"))
    if hides_names(table, layout):
        layout = recognise(list(table.columns), columns, without, nameless=False)
    if not layout.missing:
        return layout
    guesses = propose(table, layout.missing, layout.unused)
    guessed = layout.guess({guess.ours: guess.theirs for guess in guesses})
    if options.guess and guesses and not guessed.missing:
        return guessed
    raise explain_missing(table, layout, guesses)


def _named(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, str]:
    """The columns as they are called in the table: case, accents and spaces do not matter where one is meant."""
    found = {}
    for ours, theirs in columns.items():
        alike = [name for name in table.columns if plain(name) == plain(theirs)]
        if theirs not in table.columns and len(alike) != 1:
            raise MoodstreamError(f"it has no column {theirs}; it has {', '.join(table.columns[:30])}")
        found[ours] = theirs if theirs in table.columns else alike[0]
    return found


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


def _clean(
    table: pd.DataFrame, layout: Layout, raw: RawTable, options: ImportOptions
) -> tuple[Catalogue, ImportReport]:
    sieve, notes = _Sieve(len(table)), list(raw.notes)
    songs = _texts(table, layout)
    _add_numbers(songs, table, layout, sieve, notes, options)
    _add_ids(songs, layout, notes)
    sieve.drop(songs["id"] == "", "no id")
    sieve.drop(songs["title"] == "", "no title")
    what = "numbers" if layout.name == NUMERIC else "id"
    sieve.drop(_repeated(songs[["id"]], sieve.good), f"the {what} of an earlier row")
    if options.one_version:
        names = pd.DataFrame({name: songs[name].str.casefold() for name in ("title", "artist")})
        known = sieve.good & (songs["artist"] != "").to_numpy(dtype=bool)
        sieve.drop(_repeated(names, known), "the title and artist of an earlier row")
    kept = songs[sieve.good]
    dropped = sieve.dropped | ({"more cells than columns": raw.broken} if raw.broken else {})
    if kept.empty:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items()) or "the table is empty"
        raise MoodstreamError(f"no song is left ({reasons})")
    notes += _notes(layout, kept, options)
    report = ImportReport(layout.name, len(table) + raw.broken, len(kept), dropped, tuple(notes))
    return Catalogue(kept), replace(report, columns={name: list(one) for name, one in layout.sources.items()})


def _texts(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Everything but the numbers, in the columns of a catalogue."""
    cells = {name: [texts.text(table[one]) for one in layout.sources.get(name, ())] for name in (*TEXTS, *UNKNOWN)}
    songs = pd.DataFrame({name: _first(found, table.index) for name, found in cells.items() if name in TEXTS})
    songs["id"] = texts.ids(songs["id"])
    songs["uri"] = _addresses(layout, cells, songs)
    found = texts.spotify_ids(songs["id"])
    songs["id"] = songs["id"].where(found == "", found)
    songs["artist"] = texts.artists(songs["artist"], _several(layout, "artist"))
    songs["genre"] = texts.genres(songs["genre"], _several(layout, "genre"))
    explicit = _first(cells["explicit"], table.index)
    songs["explicit"] = texts.explicit(explicit, UNKNOWN["explicit"])
    songs["year"] = texts.years(_first(cells["year"], table.index), UNKNOWN["year"])
    if set(HEARD) <= set(table.columns):  # of a catalogue that `songs scan` made
        songs[list(HEARD)] = table[list(HEARD)].apply(pd.to_numeric, errors="coerce")
    return songs


def _first(columns: "list[pd.Series[str]]", index: pd.Index) -> "pd.Series[str]":
    """The first of the columns that is not empty, row by row; a column of numbers only where no other is."""
    text = pd.Series("", index=index, dtype="str")
    for column in columns:
        text = text.where(text != "", column)
    return text


def _addresses(layout: Layout, cells: "Mapping[str, list[pd.Series[str]]]", songs: pd.DataFrame) -> "pd.Series[str]":
    """Spotify's address of a song from whichever column has one; others only from one that is called so, or ``uri``."""
    address = pd.Series("", index=songs.index, dtype="str")
    for column in (*cells["uri"], *cells["id"]):
        ids = texts.spotify_ids(column)
        address = address.where((address != "") | (ids == ""), "spotify:track:" + ids)
    for name, column in zip(layout.sources.get("uri", ()), cells["uri"], strict=True):
        if plain(name) == "uri" or layout.name == "generic":
            address = address.where(address != "", column.where(column.str.contains(":", regex=False), ""))
    bare = (address == "") & songs["id"].str.fullmatch(texts.SPOTIFY_ID)
    return address.where(~bare, "spotify:track:" + songs["id"])


def _several(layout: Layout, name: str) -> bool:
    """Whether a heading speaks of several: "Artist Name(s)", "artists", "Genres"."""
    return any(
        "(s)" in heading.lower() or "(n)" in heading.lower() or plain(heading).endswith("s") or "_s_" in plain(heading)
        for heading in layout.sources.get(name, ())
    )


def _add_numbers(
    songs: pd.DataFrame,
    table: pd.DataFrame,
    layout: Layout,
    sieve: _Sieve,
    notes: list[str],
    options: ImportOptions,
) -> None:
    """The features; rows with a bad one are left to the sieve."""
    for name in NUMBERS:
        columns = layout.sources.get(name, ())
        if not columns and name == "mode" and (told := _told_by_keys(table, layout)) is not None:
            songs[name] = told
            sieve.drop(told.isna(), "mode is missing")
            continue
        if not columns:
            songs[name] = TYPICAL[name]
            continue
        values, missing, note = _best(table, columns, name)
        if note:
            notes.append(note)
        if options.fill and name not in DECISIVE:
            missing |= (values == 0) if name == "tempo" else missing
            middle = values.mode().iloc[0] if name in WHOLE and values.notna().any() else values.median()
            values = values.where(~missing, TYPICAL[name] if pd.isna(middle) else middle)
            missing &= False
        songs[name] = _checked(values, missing, name, sieve)


def _told_by_keys(table: pd.DataFrame, layout: Layout) -> "pd.Series[float] | None":
    """Modes out of keys such as ``A minor`` and ``8A``; None where most keys do not say it."""
    if "key" not in layout.sources:
        return None
    told = texts.text(table[layout.sources["key"][0]]).map(mode_of_key).astype("float64")
    return told if told.notna().mean() > 0.5 else None


def _best(table: pd.DataFrame, columns: Collection[str], name: str) -> "tuple[pd.Series[float], pd.Series[bool], str]":
    """The column with the most numbers in range, where several have the name: ``Time`` may be a date."""
    read = [numbers(table[column], name) for column in columns]
    if len(read) == 1:
        return read[0]
    low, high = LIMITS[name]
    return max(read, key=lambda one: int(one[0].between(low, high).sum()))


def _checked(values: "pd.Series[float]", missing: "pd.Series[bool]", name: str, sieve: _Sieve) -> "pd.Series[float]":
    sieve.drop(missing, f"{name} is missing")
    sieve.drop(values.isna(), f"{name} is not a number")
    if name == "tempo":
        sieve.drop(values == 0, "tempo is 0: Spotify heard no beat")
    least, greatest = LIMITS[name]
    sieve.drop((values < least) | (values > greatest), f"{name} is not in {least:g}..{greatest:g}")
    if name in WHOLE:
        sieve.drop(values % 1 != 0, f"{name} is not a whole number")
    return values


def _add_ids(songs: pd.DataFrame, layout: Layout, notes: list[str]) -> None:
    """Ids for songs that have none: from the address, from title and artist, or from the numbers."""
    if layout.name == NUMERIC:
        values: Floats = songs.loc[:, list(NUMBERS)].to_numpy(dtype="<f8")
        songs["id"] = [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in values]
        songs["title"] = "Untitled (" + songs["genre"] + ")"
        return
    if "title" in layout.absent:
        songs["title"] = "Untitled (" + songs["id"] + ")"
    if "id" in layout.sources:
        return
    addresses = texts.spotify_ids(songs["uri"])
    songs["id"] = addresses.where(addresses != "", songs["uri"])
    lacking = (songs["id"] == "") & (songs["title"] != "")
    if lacking.any():
        names = songs["title"].str.casefold() + "\n" + songs["artist"].str.casefold()
        songs.loc[lacking, "id"] = [
            hashlib.blake2b(name.encode(), digest_size=8).hexdigest() for name in names[lacking]
        ]
        notes.append(f"{int(lacking.sum())} songs had no id: theirs are made from title and artist")


def _repeated(texts: pd.DataFrame, among: npt.NDArray[np.bool_]) -> "pd.Series[bool]":
    """Rows with the same texts as an earlier one, of those among which to look."""
    repeated = pd.Series(False, index=texts.index)
    repeated[among] = texts[among].duplicated()
    return repeated


def _notes(layout: Layout, kept: pd.DataFrame, options: ImportOptions) -> list[str]:
    notes = [f"guessed: {ours} is “{theirs}”" for ours, theirs in layout.guessed.items()]
    lacking = [name for name in layout.absent if name in NUMBERS]
    if "mode" in lacking and kept["mode"].nunique() > 1:
        lacking.remove("mode")
        notes.append("mode is taken from the names of the keys")
    if lacking:
        notes.append(f"{' and '.join(lacking)} are not in this table: all songs count as alike in them")
    if layout.name == NUMERIC:
        notes.append("ids are made from the numbers; the songs have no titles and cannot be played")
    elif "artist" in layout.absent:
        notes.append("this table knows no artists: songs of the same title were all kept")
    if unplayable := int((kept["uri"] == "").sum()) if layout.name != NUMERIC else 0:
        notes.append(f"{unplayable} songs have no Spotify address")
    return notes

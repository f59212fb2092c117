"""Cells as texts: ids out of addresses, artists out of lists, years out of dates."""

import ast
import json
import re
from typing import Any

import pandas as pd

SPOTIFY_ID = r"[0-9A-Za-z]{22}"
SPOTIFY_TRACK = rf"(?:spotify:track:|open\.spotify\.com/(?:intl-[a-z]+/)?track/)({SPOTIFY_ID})"
ARTISTS = ";"
"""Stands between the artists of one song in a catalogue."""

_TRUE = ("true", "1", "1.0", "yes", "y", "e", "explicit", "wahr", "ja", "oui", "si", "sí", "vrai", "verdadero", "evet")
_FALSE = ("false", "0", "0.0", "no", "n", "clean", "falsch", "nein", "non", "faux", "falso", "nee", "hayır", "")
_GUARDED = re.compile(r'^="(.*)"$')
"""As tables are written so that Excel takes ids for text."""
_NOT_THE = re.compile(r"\s*(?<!\\),\s*(?!\s|(?:The|the)\b)")


def text(column: "pd.Series[Any]") -> "pd.Series[str]":
    """The cells as people read them: 22 and not 22.0, lists as JSON; empty where there is nothing."""
    if not isinstance(column.dtype, pd.StringDtype):
        return column.map(_as_text).astype("str")
    cells = column.fillna("").str.strip()
    guarded = cells.str.startswith('="')
    return cells.where(~guarded, cells.str.replace(_GUARDED, r"\1", regex=True)) if guarded.any() else cells


def _as_text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float):
        return "" if cell != cell else str(int(cell)) if cell.is_integer() else str(cell)
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return ""
    if not isinstance(cell, bytes) and hasattr(cell, "__iter__"):
        return json.dumps([str(one) for one in cell], ensure_ascii=False)
    return str(cell).strip()


def ids(column: "pd.Series[str]") -> "pd.Series[str]":
    """Without the apostrophe that marks text in a sheet, where each cell has one."""
    filled = column[column != ""]
    return column.str.removeprefix("'") if len(filled) and filled.str.startswith("'").all() else column


def spotify_ids(column: "pd.Series[str]") -> "pd.Series[str]":
    """The ids in Spotify's addresses of songs; empty where a cell is none."""
    return column.str.extract(SPOTIFY_TRACK, expand=False).fillna("").astype("str")


def artists(column: "pd.Series[str]", several: bool) -> "pd.Series[str]":
    """Names with ``;`` between them, from lists as Python and JSON write them, or separated by ``;`` or bars.

    ``several`` says that the heading speaks of several artists: then commas separate them, too, unless the table has
    another sign for it or a comma belongs to a name ("Tyler, The Creator", "Earth, Wind & Fire").
    """
    several = several and not column.str.contains(";", regex=False).any()
    cells = {cell: _names(cell, several) for cell in column.unique()}
    return column.map(cells).astype("str")


def _names(cell: str, several: bool) -> str:
    if cell.startswith("[") and (names := _listed(cell)) is not None:
        return ARTISTS.join(names)
    if ARTISTS in cell:
        return ARTISTS.join(name.strip() for name in cell.split(ARTISTS) if name.strip())
    if not several or "," not in cell:
        return cell
    if re.search(r"\s(?:&|and|y|und|et)\s[^,]*$", cell):
        return cell.replace("\\,", ",")
    return ARTISTS.join(name.replace("\\,", ",").strip() for name in _NOT_THE.split(cell) if name.strip())


def _listed(cell: str) -> list[str] | None:
    """A list of names as Python or JSON write it; None when it is none."""
    for read in (json.loads, ast.literal_eval):
        try:
            names = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(names, list):
            return [str(name).strip() for name in names]
    return None


def genres(column: "pd.Series[str]", several: bool) -> "pd.Series[str]":
    """The first genre of a list; other cells as they are."""
    cells = {cell: _first_genre(cell, several) for cell in column.unique()}
    return column.map(cells).astype("str")


def _first_genre(cell: str, several: bool) -> str:
    if cell.startswith("[") and (names := _listed(cell)) is not None:
        return names[0] if names else ""
    return re.split(r"[;,|]", cell)[0].strip() if several else cell


def explicit(column: "pd.Series[str]", unknown: int) -> "pd.Series[int]":
    words = dict.fromkeys(_TRUE, 1) | dict.fromkeys(_FALSE[:-1], 0)
    return column.str.casefold().map(words).fillna(unknown).astype("int64")


def years(column: "pd.Series[str]", unknown: int) -> "pd.Series[int]":
    """The year of a date in whichever order."""
    digits = column.str.extract(r"(?<!\d)((?:1[89]|20)\d\d)(?!\d)", expand=False)
    return pd.to_numeric(digits).fillna(unknown).astype("int64")

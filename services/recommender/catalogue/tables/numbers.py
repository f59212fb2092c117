"""Cells as numbers in Spotify's units: decimal commas, percent, units, keys by name, lengths in minutes."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from services.recommender.catalogue.tables.headings import plain, unit

SHARES = frozenset({"danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence"})
"""features from 0 to 1"""
MISSING = frozenset({"", "na", "nan", "null", "none", "n/a", "#n/a", "<na>", "-", "?"})

PITCHES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
ACCIDENTALS = {"#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1}
_KEY_NAME = re.compile(
    r"^([a-h])\s*([#♯b♭]?)(?:\s*/\s*[a-h][#♯b♭]?)?\s*(m|min|minor|moll|maj|major|dur)?$", re.IGNORECASE
)
_CAMELOT = re.compile(r"^(\d{1,2})\s*([ab])$", re.IGNORECASE)
_MODES = {
    "major": 1, "maj": 1, "dur": 1, "majeur": 1, "mayor": 1, "maggiore": 1, "maior": 1, "majeure": 1, "true": 1,
    "minor": 0, "min": 0, "moll": 0, "mineur": 0, "menor": 0, "minore": 0, "mineure": 0, "false": 0,
}  # fmt: skip
_CLOCK = re.compile(r"^(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d+)?)$")
_SPELLED = re.compile(
    r"^(?:pt)?\s*(?:(\d+)\s*h[a-z]*\s*)?(?:(\d+)\s*m(?:in)?[a-z]*\s*)?(?:(\d+(?:\.\d+)?)\s*s[a-z]*)?$", re.IGNORECASE
)
_MARKED = re.compile(
    r"^(?:0 days? )?(?:(\d{1,2})[:h°])?(\d{1,3})(?:['’′m:])(\d{2}(?:\.\d+)?)(?:[\"”″s]|'')?$", re.IGNORECASE
)
"""A clock as people and pandas write it: 3'45", 3m45, 0 days 00:03:45."""
_MILLISECONDS = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(?:ms|msec)$", re.IGNORECASE)
_HOURS_FOR_MINUTES = r"\d+:\d{1,2}:00(?:\.0+)?"
_THOUSANDS = re.compile(r"^-?\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+$")
_UNIT_BEHIND = re.compile(r"\s*(?:%|db|dbfs|lufs|bpm|ms|msec|sec|s|min)\s*$", re.IGNORECASE)

MANY = 20
"""lengths that show how all of a column are written"""
MIN_SONG_MS = 1_000
"""No song is shorter in the middle of a table: smaller numbers are no milliseconds."""
MAX_MEDIAN_MS = 3 * 3_600_000
MIDDLE_S = 25.0
"""Below it lengths are minutes, from it on seconds."""


def numbers(column: "pd.Series[Any]", field: str) -> "tuple[pd.Series[float], pd.Series[bool], str]":
    """The cells as float64 in the units of a catalogue, NaN where they are none; which are missing; what to know."""
    missing = column.isna()
    if pd.api.types.is_numeric_dtype(column):
        values = column.astype("float64")
    else:
        text = _texts(column.where(~missing, ""))
        missing |= text.str.lower().isin(MISSING)
        values = pd.to_numeric(text, errors="coerce").astype("float64")
        odd = values.isna() & ~missing
        whole = field == "duration_ms" and bool((text[~missing].str.fullmatch(_THOUSANDS)).all())
        if whole or odd.any():
            cells = text[~missing] if whole else text[odd]
            read = READERS.get(field, _decimal)
            parsed = {cell: read(cell) for cell in cells.unique()}
            values[cells.index] = cells.map(parsed).astype("float64")
            if (
                field == "duration_ms"
                and cells.str.fullmatch(_HOURS_FOR_MINUTES).all()
                and values.median() >= 3_600_000
            ):
                values = values / 60  # Excel takes "3:45" for a quarter to four
        if field == "duration_ms" and _is_dotted_clock(text[~missing]):
            values = values.floordiv(1) * 60_000 + (values % 1 * 100).round() * 1_000
            return values, missing, "lengths are read as minutes and seconds"
    note = ""
    if field in SHARES:
        values, note = _shares(values, field)
    elif field == "duration_ms":
        values, note = _milliseconds(values, str(column.name))
    return values, missing, note


def _is_dotted_clock(cells: "pd.Series[str]") -> bool:
    """Whether lengths such as 3.45 or 3,45 are minutes and seconds: no minute has more than 59 hundredths by chance."""
    clocks = cells.str.fullmatch(r"\d{1,2}[.,][0-5]\d")
    return len(cells) >= MANY and bool(clocks.all()) and cells.nunique() > MANY / 2


def _texts(column: "pd.Series[Any]") -> "pd.Series[str]":
    if isinstance(column.dtype, pd.StringDtype):
        return column.str.strip()
    return column.map(_clock_text).astype("str").str.strip()


def _clock_text(cell: object) -> str:
    """A length that Excel keeps as a time of the day may go beyond a day."""
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _shares(values: "pd.Series[float]", field: str) -> "tuple[pd.Series[float], str]":
    """0..1 from 0..100: a column whose middle is above 1 and whose end is at most 100 is in percent."""
    known = values.dropna()
    if known.empty or not (known.median() > 1 and 1.5 < known.quantile(0.98) <= 100):
        return values, ""
    return values / 100, f"{field} is in percent"


def _milliseconds(values: "pd.Series[float]", heading: str) -> "tuple[pd.Series[float], str]":
    """From whichever unit the heading names, unless no song could be that long; else from the middle of the column."""
    middle = values.median()
    if pd.isna(middle):
        return values, ""
    said = unit(heading)
    in_ms = {"ms": 1, "s": 1_000, "min": 60_000}
    if said not in in_ms or not MIN_SONG_MS <= middle * in_ms[said] <= MAX_MEDIAN_MS:
        said = "ms" if middle >= 5_000 else "s" if middle >= MIDDLE_S else "min"
    note = "" if said == "ms" else f"lengths are in {'seconds' if said == 's' else 'minutes'}"
    scaled = values * in_ms[said]
    return (scaled if said == "ms" else scaled.round()), note


def _decimal(cell: str) -> float | None:
    """A number with a decimal comma, a unit or a percent sign behind it; None when it is none."""
    text = cell.replace("\u2212", "-").replace("\u00a0", "").replace("\u202f", "").strip("'\"= ")
    bare = _UNIT_BEHIND.sub("", text)
    if "," in bare and "." in bare:  # the last one stands before the decimals
        thousands = "." if bare.rfind(",") > bare.rfind(".") else ","
        bare = bare.replace(thousands, "")
    try:
        value = float(bare.replace(",", "."))
    except ValueError:
        return None
    return value / 100 if text.endswith("%") else value


def _length(cell: str) -> float | None:
    """Milliseconds of ``3:45``, ``1:02:03`` or ``3m 45s``; whole numbers with thousands apart as they are."""
    if clock := _CLOCK.match(cell):
        hours, minutes, seconds = clock.groups()
        return round(1000 * (int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))))
    if marked := _MARKED.match(cell):
        hours, minutes, seconds = marked.groups()
        return round(1000 * (int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)))
    if exact := _MILLISECONDS.match(cell):
        return float(exact[1].replace(",", "."))
    if _THOUSANDS.match(cell):
        return float(re.sub(r"\D", "", cell))
    if cell and (spelled := _SPELLED.match(cell)) and any(spelled.groups()):
        hours, minutes, seconds = (float(part or 0) for part in spelled.groups())
        return round(1000 * (hours * 3600 + minutes * 60 + seconds))
    return _decimal(cell)


def _key(cell: str) -> float | None:
    """0..11 from C: ``F#``, ``D♭ major``, ``A minor``, or Camelot's ``8B``."""
    if camelot := _CAMELOT.match(cell):
        hour, side = int(camelot[1]), camelot[2].lower()
        # 8B is C major and 8A its relative, A minor; each hour is a fifth up.
        return float(((hour - 8) * 7 + (0 if side == "b" else 9)) % 12) if 1 <= hour <= 12 else None
    if not (name := _KEY_NAME.match(cell)):
        return _decimal(cell)
    return float((PITCHES[name[1].lower()] + ACCIDENTALS.get(name[2].lower(), 0)) % 12)


def mode_of_key(cell: str) -> float | None:
    """1 or 0, where the name of a key says major or minor."""
    if camelot := _CAMELOT.match(cell):
        return float(camelot[2].lower() == "b")
    name = _KEY_NAME.match(cell)
    if not name or not name[3]:
        return None
    return 0.0 if name[3] == "m" or name[3].lower() in ("min", "minor", "moll") else 1.0


def _mode(cell: str) -> float | None:
    if (said := _MODES.get(plain(cell), mode_of_key(cell))) is not None:
        return float(said)
    return _decimal(cell)


READERS: Mapping[str, Callable[[str], float | None]] = {"duration_ms": _length, "key": _key, "mode": _mode}

"""Which column could be which, where headings do not say it: by likeness of names and by the values' range."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.recommender.catalogue.tables.headings import SYNONYMS, plain
from services.recommender.catalogue.tables.numbers import SHARES, numbers
from services.recommender.catalogue.tables.texts import SPOTIFY_ID, SPOTIFY_TRACK, text

SAMPLE = 2_000
"""rows that are looked at"""
LIKE = 0.75
"""likeness of names, 0 to 1, from which one is proposed"""
OTHER = frozenset(
    {"album", "playlist", "ids", "url", "href", "isrc", "label", "subgenre", "added", "type", "popularity"}
)
"""words in headings of columns that are known to be something else"""
SHORT = 4
"""letters; shorter words stand within too many others"""

QUANTILES = (0.1, 0.5, 0.9)
USUAL: dict[str, tuple[float, float, float]] = {
    "danceability": (0.36, 0.58, 0.77),
    "energy": (0.28, 0.69, 0.93),
    "speechiness": (0.03, 0.05, 0.18),
    "acousticness": (0.0, 0.17, 0.84),
    "instrumentalness": (0.0, 0.0, 0.79),
    "liveness": (0.08, 0.13, 0.38),
    "valence": (0.13, 0.46, 0.82),
}
"""of features from 0 to 1, where a tenth, half and nine tenths of a large table of songs lie"""


@dataclass(frozen=True)
class Guess:
    """A column that could be one of ours."""

    ours: str
    theirs: str
    why: str


@dataclass(frozen=True)
class Column:
    """What the values of a column are like."""

    heading: str
    texts: "pd.Series[str]"
    filled: "pd.Series[str]"
    numeric: float
    """share of the filled cells that are numbers"""
    distinct: float
    """distinct cells among the filled ones, 0 to 1"""

    @classmethod
    def of(cls, heading: str, column: "pd.Series[Any]") -> "Column":
        texts = text(column.iloc[:SAMPLE])
        filled = texts[texts != ""]
        parsed = numbers(filled, "")[0] if len(filled) else pd.Series(dtype="float64")
        many = max(1, len(filled))
        return cls(heading, texts, filled, float(parsed.notna().sum()) / many, filled.nunique() / many)

    def values(self, field: str) -> npt.NDArray[np.float64]:
        """As numbers of a field in our units, without those that are none."""
        read = numbers(self.filled.rename(self.heading), field)[0].dropna()
        return np.asarray(read, dtype=np.float64) if len(read) > 0.9 * len(self.filled) else np.empty(0)


def propose(table: pd.DataFrame, missing: Collection[str], unused: Sequence[str]) -> tuple[Guess, ...]:
    """For each missing column the best of the unused ones, where one fits; no column is proposed twice."""
    possible = [name for name in unused if not OTHER & set(plain(name).split("_"))]
    columns = [column for name in possible if len((column := Column.of(name, table[name])).filled)]
    guesses: list[Guess] = []
    for find in (_by_name, _by_range, _by_spread):
        left = [name for name in missing if name not in {guess.ours for guess in guesses}]
        taken = {guess.theirs for guess in guesses}
        guesses += find(left, [column for column in columns if column.heading not in taken])
    order = list(missing)
    return tuple(sorted(guesses, key=lambda guess: order.index(guess.ours)))


def _by_name(missing: Sequence[str], columns: Sequence[Column]) -> list[Guess]:
    likeness = {(ours, one.heading): _likeness(ours, one.heading) for ours in missing for one in columns}
    found: list[Guess] = []
    for (ours, theirs), likely in sorted(likeness.items(), key=lambda entry: -entry[1]):
        column = next(one for one in columns if one.heading == theirs)
        taken = any(guess.ours == ours or guess.theirs == theirs for guess in found)
        if likely >= LIKE and not taken and _could_be(ours, column):
            found.append(Guess(ours, theirs, "its name is like it"))
    return found


def _likeness(ours: str, heading: str) -> float:
    name = plain(heading)
    words = set(name.split("_"))
    best = 0.0
    for word in SYNONYMS[ours]:
        if len(word) >= SHORT and (word in words or (word in name and "_" in word)):
            best = max(best, 0.9)
        best = max(best, SequenceMatcher(None, word, name).ratio() if len(word) >= SHORT else 0.0)
    return best


def _could_be(ours: str, column: Column) -> bool:
    """Whether most values of the column are such as ours may have."""
    if ours in ("title", "artist", "genre"):
        return column.numeric < 0.5
    if ours in ("id", "uri"):
        return column.distinct > 0.5
    return len(_in_range(ours, column)) > 0


def _in_range(ours: str, column: Column) -> npt.NDArray[np.float64]:
    low, high = _RANGES.get(ours, (0.0, 1.0))
    values = column.values(ours)
    return values if len(values) and ((values >= low) & (values <= high)).mean() > 0.95 else np.empty(0)


_RANGES = {
    "key": (-1.0, 11.0),
    "mode": (0.0, 1.0),
    "loudness": (-60.0, 10.0),
    "tempo": (0.0, 300.0),
    "duration_ms": (1.0, 86_400_000.0),
}


def _by_range(missing: Sequence[str], columns: Sequence[Column]) -> list[Guess]:
    """Ids, tempo, loudness, keys and lengths have ranges of their own; titles differ in nearly every row."""
    found: list[Guess] = []
    left = list(columns)
    for ours, fits, why in _RULES:
        if ours in missing and (
            match := max((one for one in left if fits(one)), key=lambda one: one.distinct, default=None)
        ):
            left.remove(match)
            found.append(Guess(ours, match.heading, why))
    return found


def _all_match(column: Column, pattern: str) -> bool:
    return bool(np.mean([bool(re.search(pattern, cell)) for cell in column.filled]) > 0.9)


def _is_length(one: Column) -> bool:
    clocks = _all_match(one, r"^\d{1,3}:\d\d(?::\d\d)?$")
    values = one.values("")  # as they are: fewer than thousands could be beats as well as seconds
    return clocks or (len(values) > 0 and 60_000 <= float(np.median(values)) <= 600_000)


def _is_tempo(one: Column) -> bool:
    values = one.values("tempo")
    return len(values) > 0 and bool(
        70 <= np.median(values) <= 170 and np.quantile(values, 0.02) >= 30 and values.max() <= 260
    )


def _is_loudness(one: Column) -> bool:
    values = one.values("loudness")
    return len(values) > 0 and bool(-30 <= np.median(values) <= -2 and values.max() <= 6)


def _is_key(one: Column) -> bool:
    values = one.values("key")
    return len(values) > 0 and bool(set(values) <= set(range(-1, 12)) and len(set(values)) >= 6)


def _is_mode(one: Column) -> bool:
    values = one.values("mode")
    return len(values) > 0 and set(values) == {0.0, 1.0}


_WORDS = re.compile(r"[^\W\d_]")
_RULES = (
    ("id", lambda one: _all_match(one, rf"^{SPOTIFY_ID}$|{SPOTIFY_TRACK}"), "it looks like Spotify's ids"),
    ("duration_ms", _is_length, "lengths of songs"),
    ("tempo", _is_tempo, "numbers as of beats per minute"),
    ("loudness", _is_loudness, "numbers as of decibels"),
    ("key", _is_key, "whole numbers from 0 to 11, or names of keys"),
    ("mode", _is_mode, "0 and 1, or major and minor"),
    ("title", lambda one: _is_text(one) and one.distinct > 0.7, "text, another in nearly every row"),
    ("artist", lambda one: _is_text(one) and one.distinct > 0.02, "text that comes again"),
)  # fmt: skip


def _is_text(one: Column) -> bool:
    return (
        one.numeric < 0.3
        and _all_match(one, _WORDS.pattern)
        and not _all_match(one, r"^(?:https?:|spotify:)|^\S{20,}$")
    )


def _by_spread(missing: Sequence[str], columns: Sequence[Column]) -> list[Guess]:
    """Features from 0 to 1 differ in how they are spread: each goes to the column that is spread most like it."""
    from scipy.optimize import linear_sum_assignment

    shares = [name for name in missing if name in SHARES]
    spread = {
        one.heading: values for one in columns if len(values := _in_range("energy", one)) and len(set(values)) > 2
    }
    if not shares or not spread:
        return []
    found = np.array([np.quantile(values, QUANTILES) for values in spread.values()])
    usual = np.array([USUAL[name] for name in shares])
    rows, matched = linear_sum_assignment(((usual[:, None] - found[None]) ** 2).sum(axis=2))
    headings = list(spread)
    return [
        Guess(shares[row], headings[column], "numbers from 0 to 1, spread like it: look closely")
        for row, column in zip(rows, matched, strict=True)
    ]

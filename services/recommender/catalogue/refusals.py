"""What to say when a table cannot be taken as it is: what is there, what could be meant, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.layouts import NUMERIC, Layout, numbers_known
from services.recommender.catalogue.table import NUMBERS
from services.recommender.catalogue.tables.headings import plain
from services.recommender.catalogue.tables.proposals import Column, Guess
from services.recommender.catalogue.tables.texts import text

SHOWN_ROWS = 5
SHOWN_COLUMNS = ("id", "title", "artist", "genre", *NUMBERS)
WIDTH = 24
"""letters of a cell that are shown"""
HEARD = frozenset({"ms_played", "end_time", "master_metadata_track_name"})
"""headings of Spotify's record of what somebody heard"""


@dataclass(frozen=True)
class Proposal:
    """Which columns could be which, and how the first rows would then read."""

    known: dict[str, str]
    """ours to theirs, by their names"""
    guesses: tuple[Guess, ...]
    unused: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    """the first five, in our columns"""

    def as_dict(self) -> dict[str, Any]:
        return {
            "columns": self.known,
            "proposed": {one.ours: {"column": one.theirs, "why": one.why} for one in self.guesses},
            "unused": list(self.unused),
            "rows": list(self.rows),
        }

    def as_text(self) -> str:
        lines = [f"  {ours:<16} {theirs}" for ours, theirs in self.known.items()]
        lines += [f"  {one.ours:<16} {one.theirs}   ({one.why})?" for one in self.guesses]
        if self.unused:
            lines.append(f"not used: {', '.join(self.unused)}")
        lines += ["", "the first rows would read:"]
        for row in self.rows:
            lines.append("  " + " | ".join(f"{name} {_short(cell)}" for name, cell in row.items()))
        return "\n".join(lines)


class UnknownColumns(MoodstreamError):
    """A needed column is not known by its heading."""

    def __init__(self, text: str, proposal: Proposal) -> None:
        super().__init__(text)
        self.proposal = proposal


def hides_names(table: pd.DataFrame, layout: Layout) -> bool:
    """Whether a table without names has text that looks like titles all the same: it must not be lost unseen."""
    if layout.name != NUMERIC:
        return False
    columns = (Column.of(name, table[name]) for name in layout.unused)
    return any(len(one.filled) and one.numeric < 0.5 and one.distinct > 0.5 for one in columns)


def explain_missing(table: pd.DataFrame, layout: Layout, guesses: tuple[Guess, ...]) -> UnknownColumns:
    """The refusal of a table, with what could be done about it."""
    wanted = list(layout.missing)
    proposed = {guess.ours: guess.theirs for guess in guesses}
    guessed = layout.guess(proposed)
    unused = [name for name in guessed.unused if name.strip()]
    if guesses:
        said = f"no heading is known to mean {', '.join(wanted)}"
    else:
        said = f"it lacks the {'column' if len(wanted) == 1 else 'columns'} {', '.join(wanted)}"
    advice = _advice(layout, guesses, wanted, unused)
    known = {ours: theirs[0] for ours, theirs in layout.sources.items()}
    return UnknownColumns(f"{said}{advice}", Proposal(known, guesses, tuple(unused), _rows(table, guessed)))


def _advice(layout: Layout, guesses: tuple[Guess, ...], wanted: Sequence[str], unused: Sequence[str]) -> str:
    headings = {plain(name) for name in (*layout.unused, *(one for names in layout.sources.values() for one in names))}
    if headings & HEARD or (numbers_known(layout) == 0 and not guesses and "title" in layout.sources):
        kind = "Spotify's record of what was heard" if headings & HEARD else "a list of songs"
        return f": it is {kind}, without audio features; add a table that has them: --features TABLE"
    left = list(layout.guess({guess.ours: guess.theirs for guess in guesses}).missing) if guesses else list(wanted)
    parts = []
    if guesses:
        pairs = ", ".join(f"{guess.ours}={guess.theirs}" for guess in guesses)
        parts.append(f"; perhaps {pairs}: if that is right, add --guess")
    if left and unused:
        others = f"{', '.join(unused[:12])}{' …' if len(unused) > 12 else ''}"
        parts.append(f" its other columns are {others}; name one with --column {left[0]}=HEADING")
    possible = [name for name in left if name in (*NUMBERS, "artist") and name not in ("energy", "valence")]
    if possible and len(possible) == len(left):
        parts.append(f" import it all the same with {' '.join(f'--without {name}' for name in possible)}")
    elif left and not unused:
        parts.append(" songs need Spotify's audio features, title and artist")
    return (parts[0] if guesses else ":" + parts[0] if parts else "") + "".join(f";{part}" for part in parts[1:])


def _rows(table: pd.DataFrame, layout: Layout) -> tuple[dict[str, str], ...]:
    first = table.iloc[:SHOWN_ROWS]
    columns = {name: text(first[layout.sources[name][0]]) for name in SHOWN_COLUMNS if name in layout.sources}
    return tuple({name: str(cells.iloc[at]) for name, cells in columns.items()} for at in range(len(first)))


def _short(cell: str) -> str:
    return cell if len(cell) <= WIDTH else f"{cell[: WIDTH - 1]}…"

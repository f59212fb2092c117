"""Rows of cells become a table: which row has the headings, and what stands above them."""

from collections.abc import Sequence

import pandas as pd

from services.recommender.catalogue.tables.headings import known

SEARCHED = 12
"""rows from the top among which the headings are looked for"""
FEW = 3
"""headings that must be known for a row below the first to have them"""


def header_row(rows: Sequence[Sequence[object]]) -> int:
    """Which row has the headings: that with the most known ones, else the first that is not empty.

    Sheets may begin with a title, a date or nothing.
    """
    counts = [known(row) for row in rows[:SEARCHED]]
    if counts and max(counts) >= FEW:
        return counts.index(max(counts))
    filled = [at for at, row in enumerate(rows[:SEARCHED]) if any(str(cell).strip() for cell in row)]
    return filled[0] if filled else 0


def unique_names(headings: Sequence[object]) -> list[str]:
    """Each heading once: an empty one gets a number, a second one of the same name another name."""
    names: list[str] = []
    for at, heading in enumerate(headings):
        name = str(heading).strip() or f"column {at + 1}"
        again = 1
        while name in names:
            again += 1
            name = f"{str(heading).strip()} ({again})"
        names.append(name)
    return names


def table_of(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """The rows below the headings, each filled up to the width of the headings."""
    if not rows:
        return pd.DataFrame()
    at = header_row(rows)
    width = max(len(row) for row in rows[at:])
    names = unique_names([*rows[at], *[""] * (width - len(rows[at]))])
    filled = [[*row, *[""] * (width - len(row))] for row in rows[at + 1 :] if any(str(cell).strip() for cell in row)]
    return pd.DataFrame(filled, columns=names, dtype="object")

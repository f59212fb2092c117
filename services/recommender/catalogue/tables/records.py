"""JSON: one object a line, or a list of them, or a list within an object; nested ones become flat."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.headings import known

LISTS = ("tracks", "items", "songs", "data", "audio_features", "results", "rows", "playlists")
"""where a list of songs stands within an object"""


def looks_like_json(data: bytes) -> bool:
    return data.lstrip()[:1] in (b"{", b"[")


def read_records(data: bytes) -> tuple[pd.DataFrame, int]:
    """The table and how many lines are no objects. ``data`` is UTF-8. Raises MoodstreamError when nothing is one."""
    text = data.decode("utf-8")
    try:
        found = json.loads(text)
    except ValueError as error:
        return _lines(text, error)
    if isinstance(found, dict) and (table := _of_pandas(found)) is not None:
        return table, 0
    if isinstance(found, dict) and (columns := _by_columns(found)) is not None:
        return columns, 0
    rows = [flat(row) for row in _rows(found) if isinstance(row, dict)]
    if not rows:
        raise MoodstreamError("its JSON holds no list of songs: each song must be an object with one field per column")
    return pd.DataFrame(rows, dtype="object"), 0


def _lines(text: str, whole: ValueError) -> tuple[pd.DataFrame, int]:
    rows, broken = [], 0
    for line in text.splitlines():
        if not (line := line.strip().rstrip(",")) or line in "[]":
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(flat(row))
        else:
            broken += 1
    if not rows:
        raise MoodstreamError(f"it is not JSON: {whole}")
    return pd.DataFrame(rows, dtype="object"), broken


def _of_pandas(found: Mapping[str, Any]) -> pd.DataFrame | None:
    """``{"columns": [...], "data": [[...]]}``, or ``{"0": {"title": ...}, "1": {...}}``, as pandas writes them, too."""
    headings, rows = found.get("columns"), found.get("data")
    if isinstance(headings, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        width = len(headings)
        filled = [[*row[:width], *[None] * (width - len(row))] for row in rows]
        return pd.DataFrame(filled, columns=[str(one) for one in headings], dtype="object")
    values = list(found.values())
    alike = values and all(isinstance(one, dict) and one.keys() == values[0].keys() for one in values)
    if not alike or known(list(values[0])) <= known(list(found)):
        return None
    return pd.DataFrame([flat(one) for one in values], dtype="object")


def _by_columns(found: Mapping[str, Any]) -> pd.DataFrame | None:
    """``{"title": {"0": ...}, "tempo": {"0": ...}}`` as pandas writes it, or the same with lists."""
    columns = list(found.values())
    if len(columns) < 2 or not all(isinstance(column, dict | list) for column in columns):
        return None
    if len({len(column) for column in columns}) != 1 or any(
        isinstance(cell, dict)
        for column in columns
        for cell in (column.values() if isinstance(column, dict) else column)
    ):
        return None
    return pd.DataFrame(
        {name: list(column.values() if isinstance(column, dict) else column) for name, column in found.items()},
        dtype="object",
    )


def _rows(found: Any) -> Iterator[Any]:
    if isinstance(found, list):
        for one in found:
            yield from _rows(one)
        return
    inner = _inner(found) if isinstance(found, dict) else None
    if inner is None:
        yield found
    else:
        yield from _rows(inner)


def _inner(found: Mapping[str, Any]) -> list[Any] | None:
    """The list of songs within an object: directly, or one level deeper as in ``{"tracks": {"items": [...]}}``."""
    for name in LISTS:
        value = found.get(name)
        if isinstance(value, dict) and any(isinstance(value.get(deeper), list) for deeper in LISTS):
            return _inner(value)
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            return value
    return None


def flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """``{"track": {"name": ...}}`` as ``track_name``; lists of objects as the list of their names."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        whole = f"{before}_{name}" if before else str(name)
        if isinstance(value, dict):
            cells |= flat(value, whole)
        elif isinstance(value, list):
            cells[whole] = [one.get("name", "") if isinstance(one, dict) else one for one in value]
        else:
            cells[whole] = value
    return cells

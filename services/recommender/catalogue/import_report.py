"""What became of the rows of an imported table, for people and programs."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any


@dataclass(frozen=True)
class ImportReport:
    """What became of the rows of a table."""

    layout: str
    rows: int
    kept: int
    dropped: Mapping[str, int]
    """rows for each reason; a row counts once, for the first reason found"""
    notes: tuple[str, ...] = ()
    """what else a person should know about the result"""
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    """by our name of a column, the headings it was taken from"""

    def as_dict(self) -> dict[str, Any]:
        return {
            "layout": self.layout,
            "rows": self.rows,
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
            "columns": dict(self.columns),
        }

    def as_text(self) -> str:
        lines = [f"layout {self.layout}: {self.rows} rows, {self.kept} kept, {self.rows - self.kept} dropped"]
        lines += [f"  {count:>7}  {reason}" for reason, count in self.dropped.items()]
        other = [f"{ours} = {', '.join(theirs)}" for ours, theirs in self.columns.items() if theirs != [ours]]
        lines += [f"  columns: {'; '.join(other)}"] if other else []
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def as_csv(self) -> str:
        """A row for each reason, as for the songs that were kept."""
        out = io.StringIO()
        csv.writer(out).writerows(
            [("rows", "what"), (self.kept, "kept"), *((n, why) for why, n in self.dropped.items())]
        )
        return out.getvalue()

    def as_html(self) -> str:
        """A page of its own, that needs nothing from elsewhere."""
        rows = "".join(f"<tr><td>{escape(why)}<td>{count:,}" for why, count in self.dropped.items())
        notes = "".join(f"<li>{escape(note)}" for note in self.notes)
        return (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Import of songs</title>"
            "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
            "td,th{padding:.2rem 1rem .2rem 0;text-align:left}td+td{text-align:right}</style>"
            f"<h1>Import of songs</h1><p>Layout <b>{escape(self.layout)}</b>: {self.rows:,} rows, {self.kept:,} kept, "
            f"{self.rows - self.kept:,} dropped.</p><table><tr><th>Why a row was dropped<th>Rows{rows}</table>"
            f"<ul>{notes}</ul></html>\n"
        )

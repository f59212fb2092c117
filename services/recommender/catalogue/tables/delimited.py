"""Text with separators: commas, semicolons, tabs or bars; quoted or not; with or without a line ``sep=;``."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.headings import known
from services.recommender.catalogue.tables.quoting import plainly_quoted
from services.recommender.catalogue.tables.rows import SEARCHED, header_row, unique_names

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "^": "carets", "~": "tildes"}
HEAD = 400_000
"""bytes from the start that the dialect is told from"""
SAMPLED = 60
BLOCK = 1 << 24
"""bytes that are parsed at once; no row may be longer"""


@dataclass
class Dialect:
    """How the cells of a text are told apart."""

    separator: str
    names: list[str]
    """headings, one for each cell of a row"""
    skipped: int
    """lines up to the first row"""
    quoted: bool = True


@dataclass
class Misfits:
    """Rows that have other numbers of cells than the headings."""

    dialect: Dialect
    rows: list[list[str]] = field(default_factory=list)
    """filled up or cut where nothing is lost by it"""
    too_long: int = 0
    over_lines: bool = False
    """whether one of them goes over several lines that look like rows of their own"""

    def take(self, row: Any) -> str:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.dialect.quoted else csv.QUOTE_NONE
        cells = next(csv.reader(io.StringIO(row.text), delimiter=self.dialect.separator, quoting=quoting), [])
        width = len(self.dialect.names)
        self.over_lines |= any(line.count(self.dialect.separator) >= width - 1 for line in row.text.splitlines()[1:])
        if any(cell.strip() for cell in cells[width:]):
            self.too_long += 1
        elif any(cell.strip() for cell in cells):
            self.rows.append([*cells[:width], *[""] * (width - len(cells))])
        return "skip"


def read_delimited(data: bytes) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """The table, every cell as text; how many rows have too many cells; what a person should know.

    ``data`` is UTF-8. Raises MoodstreamError when there are no headings.
    """
    dialect = recognise_dialect(data)
    plainer = plainly_quoted(data, data[:HEAD].decode("utf-8", errors="ignore"), dialect.separator)
    if plainer is not data:
        data, dialect = plainer, recognise_dialect(plainer)
    table, misfits = _parse(data, dialect)
    if misfits.over_lines or _swallowed(table, dialect):
        plain = Dialect(dialect.separator, dialect.names, dialect.skipped, quoted=False)
        bare, others = _parse(data, plain)
        if bare.num_rows > table.num_rows and others.too_long <= misfits.too_long:
            table, misfits = _without_quotes(bare), others
    frame: pd.DataFrame = table.to_pandas()
    if misfits.rows:
        rest = pd.DataFrame(misfits.rows, columns=dialect.names, dtype="str")
        frame = pd.concat([frame, rest], ignore_index=True)
    return frame.astype("str"), misfits.too_long, _notes(dialect)


def recognise_dialect(data: bytes) -> Dialect:
    """The separator that makes the most known headings, and the line that they stand in."""
    head = data[:HEAD].decode("utf-8", errors="ignore")
    forced = re.match(r"\s*\"?sep=(.)\"?[ ]*\r?\n", head, re.IGNORECASE)
    best: tuple[tuple[int, int], Dialect] | None = None
    for separator in forced[1] if forced else SEPARATORS:
        lines = head.splitlines(keepends=True)[1 if forced else 0 :]
        dialect = _dialect(lines, separator, 1 if forced else 0)
        score = known(dialect.names), len(dialect.names)
        if best is None or score > best[0]:
            best = score, dialect
    if best is None or not any(name.strip() for name in best[1].names) or not head.strip():
        raise MoodstreamError("No columns: the file is empty")
    return best[1]


def _dialect(lines: list[str], separator: str, above: int) -> Dialect:
    reader = csv.reader(lines, delimiter=separator)
    rows, ends = [], []
    try:
        for row in islice(reader, SEARCHED + SAMPLED):
            rows.append(row)
            ends.append(reader.line_num)
    except csv.Error:  # a cell of more than 128 kB: the head ends within quotes
        pass
    at = header_row(rows)
    headings = rows[at] if rows else []
    widths = Counter(len(row) for row in rows[at + 1 :] if row)
    usual = widths.most_common(1)[0][0] if widths else len(headings)
    if usual == len(headings) + 1:  # separators at the ends of the rows, or names of rows, as R writes them
        ends_empty = all(not row[-1].strip() for row in rows[at + 1 :] if len(row) == usual)
        headings = [*headings, ""] if ends_empty else ["", *headings]
    elif usual == len(headings) - 1 and not headings[-1].strip():
        headings = headings[:-1]
    return Dialect(separator, unique_names(headings), above + (ends[at] if ends else 0))


def _parse(data: bytes, dialect: Dialect) -> tuple[pa.Table, Misfits]:
    misfits = Misfits(dialect)
    start = _line_start(data, dialect.skipped)
    if not data[start:].strip():
        return pa.table({name: pa.array([], pa.string()) for name in dialect.names}), misfits
    table = pa.csv.read_csv(
        pa.BufferReader(pa.py_buffer(data).slice(start)),
        read_options=pa.csv.ReadOptions(column_names=dialect.names, block_size=BLOCK, use_threads=False),
        parse_options=pa.csv.ParseOptions(
            delimiter=dialect.separator,
            quote_char='"' if dialect.quoted else False,
            newlines_in_values=dialect.quoted,
            invalid_row_handler=misfits.take,
        ),
        # Words like "None" and "NA" are titles of songs: no text counts as missing.
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(dialect.names, pa.string()), strings_can_be_null=False
        ),
    )
    return table, misfits


def _line_start(data: bytes, line: int) -> int:
    """Where a line begins, counted as ``str.splitlines`` and the csv module do."""
    at = 0
    for _ in range(line):
        newline, carriage = data.find(b"\n", at), data.find(b"\r", at)
        if newline < 0 and carriage < 0:
            return len(data)
        at = min(end for end in (newline, carriage) if end >= 0) + 1
        if data[at - 1 : at + 1] == b"\r\n":
            at += 1
    return at


def _swallowed(table: pa.Table, dialect: Dialect) -> bool:
    """Whether a quote that is never closed has taken whole rows into one cell."""
    for column in table.columns:
        broken = column.filter(pa.compute.match_substring(column, "\n"))
        if any(cell.count(dialect.separator) >= len(dialect.names) - 1 for cell in broken.to_pylist()):
            return True
    return False


def _without_quotes(table: pa.Table) -> pa.Table:
    """Cells that stand in quotes, as they are without."""
    for at, name in enumerate(table.column_names):
        column = pa.compute.replace_substring_regex(table.column(at), r'^"(.*)"$', r"\1")
        table = table.set_column(at, name, pa.compute.replace_substring(column, '""', '"'))
    return table


def _notes(dialect: Dialect) -> tuple[str, ...]:
    return (
        ()
        if dialect.separator == ","
        else (f"its cells are separated by {SEPARATORS.get(dialect.separator, dialect.separator)}",)
    )

"""Files with tables: what one is, its first bytes say, never its name."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.delimited import read_delimited
from services.recommender.catalogue.tables.records import looks_like_json, read_records
from services.recommender.catalogue.tables.text import to_utf8
from services.recommender.catalogue.tables.workbook import read_workbook

MAX_UNPACKED = 4 << 30
"""bytes that an archive may hold: more is no table of songs"""
BYTES_A_CELL = 4
"""at least, in memory: a parquet file may say the same a thousand million times in a few bytes"""
MAX_LAYERS = 3
"""an archive in an archive; some hold themselves"""

NO_TABLES = {
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x89PNG": "a picture (PNG)",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database (SQLite): write its table of songs as CSV",
    b"7z\xbc\xaf": "an archive (7-Zip): unpack it",
    b"Rar!": "an archive (RAR): unpack it",
    b"(\xb5/\xfd": "packed with Zstandard: unpack it",
    b"\x93NUMPY": "an array of NumPy: write it as CSV, with headings",
    b"ID3": "a sound file: `moodstream songs scan FOLDER` makes a catalogue of music",
    b"OggS": "a sound file: `moodstream songs scan FOLDER` makes a catalogue of music",
    b"fLaC": "a sound file: `moodstream songs scan FOLDER` makes a catalogue of music",
    b"RIFF": "a sound file: `moodstream songs scan FOLDER` makes a catalogue of music",
}
PACKED: Mapping[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
WEB_PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<head", b"<body", b"<meta")


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file."""

    frame: pd.DataFrame
    broken: int = 0
    """rows that were left out, since they have more cells than there are headings, or are no JSON"""
    notes: tuple[str, ...] = ()
    """what a person should know about the file"""


@dataclass(frozen=True)
class _Reading:
    """How a file is read."""

    encoding: str | None
    max_bytes: int
    layers: int = 0
    """archives around it"""

    def inside(self) -> "_Reading":
        """Of what an archive holds. Raises MoodstreamError."""
        if self.layers == MAX_LAYERS:
            raise MoodstreamError("it is an archive in an archive in an archive: unpack it and import one table")
        return replace(self, layers=self.layers + 1)

    def refuse_above(self, size: int) -> None:
        """Raises MoodstreamError."""
        if size > self.max_bytes:
            size_text = f"{self.max_bytes / 2**30:.0f} GB"
            raise MoodstreamError(f"unpacked it is more than {size_text}: unpack it and import one table of songs")


def read_table(path: Path, encoding: str | None = None, max_bytes: int = MAX_UNPACKED) -> RawTable:
    """A table in CSV or the like, JSON, parquet or a workbook, packed or not; cells of text stay text.

    ``encoding`` of text, where it cannot be told; ``max_bytes`` of what is packed. Raises MoodstreamError when the file
    is missing, broken, too large or no table.
    """
    reading = _Reading(encoding, max_bytes)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        return RawTable(_parquet(path, reading)) if magic == b"PAR1" else _table(path.read_bytes(), reading)
    except FileNotFoundError:
        raise MoodstreamError(f"no file {path}") from None
    except MoodstreamError as error:
        raise MoodstreamError(f"cannot read {path}: {error}") from None
    except (OSError, EOFError, ValueError, pa.ArrowException, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise MoodstreamError(f"cannot read {path}: {_first_line(error)}") from None


def _parquet(source: Path | pa.BufferReader, reading: _Reading) -> pd.DataFrame:
    with pa.parquet.ParquetFile(source) as file:
        reading.refuse_above(file.metadata.num_rows * file.metadata.num_columns * BYTES_A_CELL)
    if isinstance(source, pa.BufferReader):
        source.seek(0)
    table = pa.parquet.read_table(source)
    table.validate(full=True)  # else a broken byte shows only later, in some text
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def _table(data: bytes, reading: _Reading) -> RawTable:
    for magic, what in NO_TABLES.items():
        if data.startswith(magic):
            raise MoodstreamError(f"it is {what}")
    if data.startswith(b"PAR1"):
        return RawTable(_parquet(pa.BufferReader(data), reading))
    for magic, opened in PACKED.items():
        if data.startswith(magic):
            inside = reading.inside()
            return _table(_unpacked(opened(io.BytesIO(data)), reading), inside)
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data, reading)
    if data.startswith(OLD_EXCEL):
        return RawTable(*_workbook(data))
    return _text(data, reading.encoding)


def _unpacked(file: IO[bytes], reading: _Reading) -> bytes:
    """No more than is allowed is ever held: a few bytes may stand for any number of them."""
    with file:
        data = file.read(reading.max_bytes + 1)
    reading.refuse_above(len(data))
    return data


def _text(data: bytes, encoding: str | None) -> RawTable:
    if data.lstrip()[:20].lower().startswith(WEB_PAGES):
        raise MoodstreamError(
            "it is a web page, not the table: download the file itself (often “Download” or “Raw”) and import that; "
            "where a program calls it a workbook, open it there and save it as CSV"
        )
    text, notes = to_utf8(data, encoding)
    if looks_like_json(text):
        frame, broken = read_records(text)
        return RawTable(frame, broken, notes)
    frame, broken, more = read_delimited(text)
    return RawTable(frame, broken, notes + more)


def _workbook(data: bytes) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    frame, notes = read_workbook(data)
    return frame, 0, notes


def _zipped(data: bytes, reading: _Reading) -> RawTable:
    """The one table of an archive, or all of them where they have the same columns, as Exportify writes playlists."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
        if "[Content_Types].xml" in entries or "mimetype" in entries:
            reading.refuse_above(sum(entry.file_size for entry in entries.values()))
            return RawTable(*_workbook(data))
        names = [name for name in entries if _may_be_table(PurePosixPath(name))]
        if not names:
            raise MoodstreamError(f"it is an archive without a table ({_some(list(entries))})")
        reading.refuse_above(sum(entries[name].file_size for name in names))
        if any(entries[name].flag_bits & 1 for name in names):
            raise MoodstreamError("it is an archive with a password: unpack it and import the table in it")
        inside = reading.inside()
        tables = [_table(_unpacked(archive.open(name), reading), inside) for name in names]
    if len({frozenset(table.frame.columns) for table in tables}) > 1:
        raise MoodstreamError(f"it is an archive of several tables ({_some(names)}): unpack it and import one of them")
    if len(tables) == 1:
        return replace(tables[0], notes=(f"it is an archive: “{names[0]}” was read", *tables[0].notes))
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    note = f"it is an archive: its {len(tables)} tables were read as one"
    return RawTable(
        frame, sum(table.broken for table in tables), (note, *dict.fromkeys(n for t in tables for n in t.notes))
    )


def _may_be_table(name: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    ends = {".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".xlsx", ".xls", ".ods"}
    return not hidden and name.suffix.lower() in ends and not name.stem.lower().startswith(("readme", "license"))


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{text[:200]}…" if len(text) > 200 else text

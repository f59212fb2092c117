"""Files with tables, as people have them: CSV, plain or gzip, and parquet."""

import csv
import zlib
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from moodstream.errors import MoodstreamError


def read_table(path: Path) -> tuple[pd.DataFrame, int]:
    """The table, every cell of a CSV as text, and how many lines were left out because they have too many cells.

    What the file is, its first bytes say. Raises MoodstreamError when it is missing or broken.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        return (_parquet(path), 0) if magic == b"PAR1" else _csv(path, zipped=magic.startswith(b"\x1f\x8b"))
    except FileNotFoundError:
        raise MoodstreamError(f"no file {path}") from None
    except UnicodeDecodeError:
        raise MoodstreamError(f"cannot read {path}: it is not text in UTF-8") from None
    except (OSError, EOFError, ValueError, pa.ArrowException, csv.Error, zlib.error) as error:
        raise MoodstreamError(f"cannot read {path}: {_first_line(error)}") from None


def _parquet(path: Path) -> pd.DataFrame:
    table = pa.parquet.read_table(path)
    table.validate(full=True)  # else a broken byte shows only later, in some text
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def _csv(path: Path, zipped: bool) -> tuple[pd.DataFrame, int]:
    compression: Literal["gzip"] | None = "gzip" if zipped else None
    broken: list[list[str]] = []
    try:
        # Words like "None" and "NA" are titles of songs, so only an empty cell counts as missing.
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", compression=compression)
    except pd.errors.ParserError:
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            compression=compression,
            engine="python",  # slow, but alone it tells which lines it cannot read
            on_bad_lines=broken.append,
        )
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first column for names of rows
        raise ValueError("its rows have more cells than its header")
    return table, len(broken)


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{text[:200]}…" if len(text) > 200 else text

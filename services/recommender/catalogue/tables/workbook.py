"""Excel and OpenDocument workbooks, by calamine, which only the extra ``excel`` brings."""

import io

import pandas as pd

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.headings import known
from services.recommender.catalogue.tables.rows import header_row, table_of


def read_workbook(data: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The sheet with the most known headings. Raises MoodstreamError when it cannot be read or the extra is missing."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise MoodstreamError(
            "it is a workbook: install what reads it with pip install 'moodstream[excel]', or save it as CSV"
        ) from None
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {name: workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names}
    except CalamineError as error:
        raise MoodstreamError(f"its workbook cannot be read: {error}") from None
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise MoodstreamError("its workbook has no rows")
    best = max(filled, key=lambda name: known(filled[name][header_row(filled[name])]))
    notes = (f"of its {len(sheets)} sheets “{best}” was read",) if len(sheets) > 1 else ()
    return table_of(filled[best]), notes

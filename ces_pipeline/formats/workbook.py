"""A sheet of an Excel workbook as comma separated text: vendors offer the same tables as text or as a workbook.

The readers decide what the columns mean, as for any other text.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain
from typing import Any

import openpyxl

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.privacy.shown import shown_name


def sheet_text(name: str, content: bytes, sheet: str | None, rows: int | None) -> tuple[bytes, int]:
    """(The sheet of that name, else the first, as UTF-8 text; the number of sheets.)

    A record is a row of the sheet, also if it is blank. rows: read only so many rows. Times become ISO 8601 text,
    integers lose their `.0`. Rows shorter than the header are filled up with empty cells. name: the file's name, for
    messages. Raises UnreadableFileError if the file is not a workbook, or the sheet does not exist or is empty.
    """
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and validations that it drops; only values are read here.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as problem:
        raise UnreadableFileError(
            f"{name}: not an Excel workbook (.xlsx), or it was cut off while it was copied: deliver it again"
        ) from problem
    if sheet is not None and sheet not in book.sheetnames:
        raise UnreadableFileError(
            f"{name}: no sheet {sheet!r} (it has: {', '.join(map(shown_name, book.sheetnames))}): "
            "correct options.sheet of the source"
        )
    table = book[sheet or book.sheetnames[0]]
    # Some tools write a wrong dimension: one cell.
    table.reset_dimensions()
    shown = map(_cells, table.iter_rows(max_row=rows, values_only=True))
    text = io.StringIO(newline="")
    if not _write(shown, csv.writer(text)):
        raise UnreadableFileError(
            f"{name}: the sheet is empty: deliver it again, or choose another with options.sheet"
        )
    return text.getvalue().encode("utf-8", "replace"), len(book.sheetnames)


def _write(rows: Iterator[list[str]], lines: Any) -> bool:
    """Write the rows. Returns whether any row is filled."""
    start: list[list[str]] = []
    for row in rows:
        start.append(row)
        if sum(map(bool, start)) == 2:
            break
    filled = [row for row in start if row]
    # In SurveyMonkey's sheets the options of a question continue to the right of the last id.
    width = max((len(row) for row in filled if row is filled[0] or not row[0]), default=0)
    for row in chain(start, rows):
        lines.writerow(row + [""] * (width - len(row)) if row else row)
    return bool(filled)


def _cells(values: Sequence[Any]) -> list[str]:
    """The cells of a row up to its last filled cell."""
    cells = [_shown(value) for value in values]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _shown(value: Any) -> str:
    """A cell as Excel shows it: Excel stores integers as 7.0 and times as datetimes."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)

"""A sheet of an Excel workbook as comma separated text: vendors offer the same tables as text or as a workbook.

The readers decide what the columns mean, as for any other text.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any

import openpyxl

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.privacy.shown import shown_name

_ROWS_THAT_SHOW_A_TABLE = 30
_MOST_UNPACKED, _FEW_UNPACKED, _MOST_TIMES = 4 << 30, 100 << 20, 100
"""Bytes. Cells of a table pack to about a tenth, blank ones with a format to a thirtieth."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook. text: comma separated, UTF-8. others: the names of the other sheets.

    passed_over: the first sheet's name if it is no table, so that another was taken.
    """

    text: bytes
    name: str
    others: tuple[str, ...]
    passed_over: str | None = None


def read_sheet(name: str, content: bytes, sheet: str | None, rows: int | None) -> Sheet:
    """The sheet of that name, else the first; if the first is no table, the only one that is.

    A record is a row of the sheet, also if it is blank. rows: read only so many rows. Times become ISO 8601 text,
    integers lose their `.0`. Rows shorter than the header are filled up with empty cells. name: the file's name, for
    messages. Raises UnreadableFileError if the file is not a workbook, is damaged, the sheet does not exist or is
    empty, or if it is not clear which sheet holds the rows.
    """
    _refuse_bomb(name, content)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and validations that it drops; only values are read here.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as problem:
        raise UnreadableFileError(
            f"{name}: not an Excel workbook (.xlsx), or it was cut off while it was copied: deliver it again"
        ) from problem
    try:
        return _read_sheet(name, book, sheet, rows)
    except UnreadableFileError:
        raise
    except Exception as problem:
        # What is wrong inside a workbook comes as whatever the XML parser or a conversion raises.
        raise UnreadableFileError(
            f"{name}: the workbook is damaged ({type(problem).__name__} in a sheet): save it again as .xlsx or CSV "
            "and deliver that"
        ) from problem


def _refuse_bomb(name: str, content: bytes) -> None:
    """Raise UnreadableFileError if the workbook unpacks to far more than any table would."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return
    if unpacked > _MOST_UNPACKED or (unpacked > _FEW_UNPACKED and unpacked > _MOST_TIMES * len(content)):
        raise UnreadableFileError(
            f"{name}: the workbook unpacks to {unpacked >> 20:,} MB, more than is read: save the sheet as CSV and "
            "deliver that"
        )


def _read_sheet(name: str, book: Any, sheet: str | None, rows: int | None) -> Sheet:
    tables = {table.title: table for table in book.worksheets}
    names = list(tables)
    if sheet is not None and sheet not in tables:
        raise UnreadableFileError(
            f"{name}: no sheet {shown_name(sheet)!r} (it has: {', '.join(map(shown_name, names))}): "
            "correct options.sheet of the source"
        )
    if not names:
        raise UnreadableFileError(f"{name}: the workbook has no sheet of cells: deliver it again")
    for table in tables.values():
        # Some tools write a wrong dimension: one cell.
        table.reset_dimensions()
    chosen = sheet or _first_table(name, tables)
    others = tuple(other for other in names if other != chosen)
    text = io.StringIO(newline="")
    shown = map(_cells, tables[chosen].iter_rows(max_row=rows, values_only=True))
    if not _write(shown, csv.writer(text)):
        also = f" (the others: {', '.join(others)})" if others else ""
        raise UnreadableFileError(
            f"{name}: the sheet {chosen} is empty: deliver it again, or choose another with options.sheet{also}"
        )
    passed_over = names[0] if sheet is None and chosen != names[0] else None
    return Sheet(text.getvalue().encode("utf-8", "replace"), chosen, others, passed_over)


def _first_table(name: str, tables: dict[str, Any]) -> str:
    """The first sheet; if it has no two rows of two cells, the only sheet that has."""
    first = next(iter(tables))
    if len(tables) == 1 or _is_table(tables[first]):
        return first
    found = [title for title, table in tables.items() if _is_table(table)]
    if len(found) > 1:
        raise UnreadableFileError(
            f"{name}: the first sheet, {first}, is no table, and several others are ({', '.join(found)}): "
            "name the sheet with options.sheet of the source"
        )
    return found[0] if found else first


def _is_table(table: Any) -> bool:
    rows = map(_cells, table.iter_rows(max_row=_ROWS_THAT_SHOW_A_TABLE, values_only=True))
    return sum(sum(map(bool, row)) > 1 for row in rows) > 1


def _write(rows: Iterator[list[str]], lines: Any) -> bool:
    """Write the rows. Returns whether any row is filled."""
    start: list[list[str]] = []
    filled_rows = 0
    for row in rows:
        start.append(row)
        filled_rows += bool(row)
        if filled_rows == 2:
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
        # Larger numbers are not exact: E-notation shows that, and landing refuses it as an id.
        return str(int(value)) if abs(value) < 2**53 else f"{value:E}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)

"""Unreadable rows: their text without people, and files that are refused because a quote is never closed."""

import csv
import io
import json
from typing import Any

import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import UnreadableRow
from ces_pipeline.formats.delimited import encoding_option, read_head
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.privacy.names import PERSON, has_members, members_without_people
from ces_pipeline.registry.sources import Source


def refuse_open_quote(
    file: DeliveredFile, source: Source, last: pa.RecordBatch | None, unreadable: list[UnreadableRow]
) -> None:
    """Raise UnreadableFileError if a quote in the last row is never closed.

    Such a row would contain all rows after the quote, with the people in them, as one cell.
    """
    number, texts = 0, [""]
    if last is not None:
        *cells, number = (column[0].as_py() for column in last.columns)
        texts = [cell or "" for cell in cells]
    if unreadable and (beyond := max(unreadable, key=lambda row: row.row_number)).row_number > number:
        number, texts = beyond.row_number, [beyond.text.strip()]
    if file.is_spreadsheet or not any("\n" in text for text in texts):
        return
    head = read_head(file, source)
    if head.quote is None:
        return
    with head.file.open_utf8() as stream:
        quotes = sum(chunk.count(b'"') for chunk in iter(lambda: stream.read(1 << 20), b""))
    if quotes % 2:
        raise UnreadableFileError(
            f"{file.name}: a quote in row {number} is never closed, so the rows after it cannot be read. "
            "Correct the export and deliver it again"
        )


def delimiter_of(file: DeliveredFile, source: Source) -> str | None:
    """The delimiter of a delimited text or a sheet; None for other formats, whose unreadable rows are JSON."""
    if file.is_spreadsheet:
        return ","
    file = file.encoded_as(encoding_option(source))
    if file.head.startswith(b"PAR1") or file.head_text.lstrip()[:1] in ("{", "["):
        return None
    return read_head(file, source).delimiter


def without_people(text: str, columns: tuple[str, ...], hidden: set[str], delimiter: str | None) -> str:
    """The text of an unreadable row without the cells of people.

    hidden: columns of people. If the row has too many or too few cells, neighbouring cells are removed too, since
    cells may have shifted. From JSON, members are removed if they are named like such a column or like people.
    """
    if delimiter is not None:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=delimiter).writerow(_without_people_cells(cells, columns, hidden))
        return line.getvalue().removesuffix("\r\n")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if isinstance(row, list):
        return json.dumps(_without_people_cells(row, columns, hidden), ensure_ascii=False)
    if hidden and not has_members(text):
        return PERSON
    return members_without_people(text, hidden | {name.rpartition(".")[2] for name in hidden})


def _without_people_cells(cells: list[Any], columns: tuple[str, ...], hidden: set[str]) -> list[Any]:
    places = {columns.index(name) for name in hidden if name in columns}
    shift = len(cells) - len(columns)
    span = range(min(shift, 0), max(shift, 0) + 1)
    return [
        PERSON if any(position - step in places for step in span) else cell
        for position, cell in enumerate(cells)
    ]

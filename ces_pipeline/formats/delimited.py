"""Delimited text (CSV, TSV, a workbook's sheet) as a stream of record batches, with any number of header rows.

All readers of delimited exports use it. Quoted cells may hold line breaks. Rows that have not as many cells as the
header are set aside with their number. Nothing is guessed about what the columns mean.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export, UnreadableRow, option
from ces_pipeline.formats.files import DeliveredFile, SheetAsText
from ces_pipeline.registry.sources import Source

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SHEET_OPTION = {"sheet": "which sheet of a workbook holds the rows; the first by default"}
TABLE_OPTIONS = {
    "delimiter": "the character between cells (or `tab`), if it cannot be detected",
    **SHEET_OPTION,
}
_BLOCK = 8 << 20
_UNREADABLE_LIMIT = 100_000
_TEXT_LIMIT = 10_000


def unique_names(names: list[str]) -> tuple[str, ...]:
    """Header cells as distinct names: blanks become `column_<n>`, repeats get `_2`, `_3` ..."""
    taken: set[str] = set()
    result = []
    for position, raw in enumerate(names, start=1):
        base = " ".join(raw.split()) or f"column_{position}"
        name, copy = base, 1
        while name in taken or name == ROW_NUMBER:
            copy += 1
            name = f"{base}_{copy}"
        taken.add(name)
        result.append(name)
    return tuple(result)


@dataclass(frozen=True)
class DelimitedHead:
    """The first records of a delimited file, parsed with its dialect.

    file: the text; of a workbook, its sheet. rows: the records that are not blank. positions: the number of each in
    the file, from 1.
    """

    file: DeliveredFile
    delimiter: str
    rows: list[list[str]]
    positions: list[int]


def read_head(file: DeliveredFile, source: Source | None = None, rows: int = 8) -> DelimitedHead:
    """The first records, split at the source's option `delimiter`, else at the one of , ; tab | that fits best.

    Of a workbook: the records of the sheet that the source's option `sheet` names, else of the first sheet.
    Raises UnreadableFileError for an empty or binary file, and for text that is not a table at that delimiter.
    """
    if file.is_spreadsheet:
        return _sheet_head(file.sheet(option(source, "sheet")), rows)
    file.refuse_binary()
    text = file.head_text
    if not text.strip():
        raise UnreadableFileError(f"{file.name}: the file is empty: deliver it again, or remove it")
    tried = {delimiter: _records(text, delimiter, rows, file.head_is_all) for delimiter in DELIMITERS}
    best = max(tried, key=lambda delimiter: _fit(tried[delimiter][0]))
    chosen = _chosen_delimiter(source)
    records, positions = (
        _records(text, chosen, rows, file.head_is_all)
        if chosen and chosen not in tried
        else tried[chosen or best]
    )
    _refuse_no_records(file, records)
    if len(records[0]) == 1:
        if chosen and len(tried[best][0][0]) > 1:
            raise UnreadableFileError(
                f"{file.name}: split at {DELIMITERS.get(chosen, chosen)} the header is one cell, but at "
                f"{DELIMITERS[best]} it has {len(tried[best][0][0])}: correct options.delimiter of the source"
            )
        raise UnreadableFileError(
            f"{file.name}: no table: the first line has no comma, semicolon, tab or bar: "
            "check the file in the inbox, or set options.delimiter of the source"
        )
    return DelimitedHead(file, chosen or best, records, positions)


def _sheet_head(sheet: SheetAsText, rows: int) -> DelimitedHead:
    records, positions = _records(sheet.head_text, ",", rows, sheet.head_is_all)
    _refuse_no_records(sheet, records)
    return DelimitedHead(sheet, ",", records, positions)


def _refuse_no_records(file: DeliveredFile, records: list[list[str]]) -> None:
    if not records:
        raise UnreadableFileError(
            f"{file.name}: no table: the first line is too long, or a quote in it is never closed: "
            "check the export and deliver it again"
        )


def _chosen_delimiter(source: Source | None) -> str | None:
    given = option(source, "delimiter")
    if given is None:
        return None
    chosen = {"tab": "\t", "\\t": "\t"}.get(str(given), str(given))
    if len(chosen) != 1 or not chosen.isascii():
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.delimiter: "
            "must be one ASCII character or `tab`"
        )
    return chosen


def _records(text: str, delimiter: str, rows: int, is_all: bool) -> tuple[list[list[str]], list[int]]:
    """The first `rows` records that are not blank, and their numbers. The last record of a cut head is left out."""
    records: list[list[str]] = []
    positions: list[int] = []
    cut = False
    try:
        for position, record in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1
        ):
            if len(records) == rows:
                cut = True
                break
            if record:
                records.append(record)
                positions.append(position)
    except csv.Error:
        # A cell beyond csv's size limit: its record is not complete.
        cut = True
    if not is_all and not cut:
        del records[-1:], positions[-1:]
    return records, positions


def _fit(records: list[list[str]]) -> tuple[float, int]:
    """How well the records fit their header: the share of rows with as many cells, then the number of cells."""
    if not records or len(records[0]) == 1:
        return (-1.0, 0)
    width, below = len(records[0]), records[1:]
    agree = sum(len(record) == width for record in below) / len(below) if below else 1.0
    return (1.0 if agree >= 0.5 else agree, width)


def export_rows(
    head: DelimitedHead,
    header_rows: int,
    columns: tuple[str, ...],
    null_values: tuple[str, ...] = ("",),
) -> Export:
    """An Export of the rows below the header (the first `header_rows` records of `head`)."""
    export = Export(columns=columns, batches=iter(()))
    export.batches = _stream_rows(
        head, head.positions[header_rows - 1], columns, export.unreadable, null_values
    )
    if head.file.head_is_all and len(head.rows) <= header_rows:
        export.notes.append("only a header: no rows")
    if isinstance(head.file, SheetAsText) and head.file.first_of > 1:
        export.notes.append(
            f"read the first of {head.file.first_of} sheets; choose another with options.sheet"
        )
    return export


def _stream_rows(
    head: DelimitedHead,
    skip: int,
    columns: tuple[str, ...],
    unreadable: list[UnreadableRow],
    null_values: tuple[str, ...],
) -> Iterator[pa.RecordBatch]:
    """Record batches of all rows after the first `skip` records, every column `string`, plus ROW_NUMBER.

    Rows that do not fit are added to `unreadable` with their number. Blank lines are skipped but counted.
    Cells that are one of `null_values` are null.
    Raises UnreadableFileError if the text cannot be split further (a quote never closed, a line longer than a block),
    or if more than 100,000 rows, and more than fit, do not fit the header.
    """
    file = head.file
    set_aside: list[int] = []
    delimiter = DELIMITERS.get(head.delimiter, head.delimiter)
    good = 0

    def set_row_aside(row: pa_csv.InvalidRow) -> str:
        set_aside.append(row.number)
        problem = f"{row.actual_columns} cells where the header has {row.expected_columns}"
        unreadable.append(UnreadableRow(row.number, problem, row.text[:_TEXT_LIMIT]))
        # Arrow cannot carry an exception out of here: "error" ends the stream, which is reported below.
        return "skip" if len(unreadable) <= max(_UNREADABLE_LIMIT, good) else "error"

    read = pa_csv.ReadOptions(
        use_threads=False, block_size=_BLOCK, column_names=list(columns), skip_rows_after_names=skip
    )
    # Blank lines are read as rows of nulls: if they were ignored, later row numbers would be wrong.
    parse = pa_csv.ParseOptions(
        delimiter=head.delimiter,
        newlines_in_values=True,
        invalid_row_handler=set_row_aside,
        ignore_empty_lines=False,
    )
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        null_values=list(null_values),
        quoted_strings_can_be_null=True,
    )
    next_number = skip + 1
    try:
        with file.open_utf8() as stream, pa_csv.open_csv(stream, read, parse, convert) as reader:
            for batch in reader:
                numbers, next_number = _numbers(next_number, batch.num_rows, set_aside)
                good += batch.num_rows
                numbered = pa.RecordBatch.from_arrays([*batch.columns, numbers], names=[*columns, ROW_NUMBER])
                yield _without_blank_rows(numbered)
    except pa.ArrowInvalid as problem:
        if "Empty CSV" in str(problem):
            return
        if len(unreadable) > _UNREADABLE_LIMIT:
            raise UnreadableFileError(
                f"{file.name}: more than {_UNREADABLE_LIMIT:,} rows do not have the header's {len(columns)} "
                f"cells when split at {delimiter}: check the export's delimiter and quotes "
                "(options.delimiter of the source)"
            ) from problem
        raise UnreadableFileError(
            f"{file.name}: after row {next_number - 1} the text is no longer readable as rows split at "
            f"{delimiter} (a quote left open, or a line longer than {_BLOCK >> 20} MB): "
            "correct the export and deliver it again"
        ) from problem


def _numbers(first: int, count: int, set_aside: list[int]) -> tuple[pa.Array, int]:
    """Row numbers of `count` good rows from `first` on. Numbers set aside are skipped and removed from the list."""
    gaps = np.array(set_aside, dtype=np.int64)
    numbers = np.setdiff1d(
        np.arange(first, first + count + len(gaps), dtype=np.int64), gaps, assume_unique=True
    )
    numbers = numbers[:count]
    following = int(numbers[-1]) + 1 if count else first
    set_aside[:] = [number for number in set_aside if number >= following]
    return pa.array(numbers), following


def _without_blank_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without its blank rows; the same batch object if there are none."""
    columns = [column for column in batch.columns[:-1] if column.null_count < batch.num_rows]
    if any(column.null_count == 0 for column in columns) or batch.num_rows == 0:
        return batch
    filled = pa.array(np.zeros(batch.num_rows, dtype=bool))
    for column in columns:
        filled = pc.or_(filled, pc.is_valid(column))
    return batch.filter(filled)


def header(file: DeliveredFile) -> list[list[str]]:
    """The first records, to recognise a format; none if the file is neither delimited text nor a workbook."""
    if file.is_spreadsheet:
        return _sheet_head(file.sheet_head, rows=8).rows
    if file.head_text.lstrip()[:1] in ("{", "["):
        return []
    return read_head(file).rows

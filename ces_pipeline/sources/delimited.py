"""Delimited text (CSV, TSV) as a stream of record batches, whatever number of header rows it has.

Shared by every reader of delimited exports. Quoted cells may hold line breaks; rows whose cell count is not the
header's are set aside with their number; nothing is guessed about what the columns mean.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pa_csv

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.sources.contract import ROW_NUMBER, UnreadableRow
from ces_pipeline.sources.files import DeliveredFile

_BLOCK = 16 << 20


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


@dataclass
class DelimitedHead:
    """The first records of a delimited file, parsed with its dialect."""

    delimiter: str
    rows: list[list[str]]


def read_head(file: DeliveredFile, delimiter: str | None = None, rows: int = 8) -> DelimitedHead:
    """The first records, with the delimiter found (most frequent of , ; tab | in the header) unless given.

    Raises UnreadableFileError for an empty or binary file.
    """
    file.refuse_binary()
    text = file.head_text.lstrip("\ufeff")
    if not text.strip():
        raise UnreadableFileError(f"{file.name}: the file is empty: deliver it again, or remove it")
    if delimiter is None:
        first = next(csv.reader(io.StringIO(text), delimiter="\n"), [""])[0]
        delimiter = max(",;\t|", key=first.count)
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            records.append(record)
            if len(records) == rows:
                break
    except csv.Error:
        if not records:
            raise UnreadableFileError(f"{file.name}: not readable as delimited text") from None
    return DelimitedHead(delimiter, records)


def stream_rows(
    file: DeliveredFile, head: DelimitedHead, header_rows: int, columns: tuple[str, ...], unreadable: list[UnreadableRow]
) -> Iterator[pa.RecordBatch]:
    """Record batches of the rows below the header, all columns `string`, plus ROW_NUMBER.

    Rows that do not fit go to `unreadable` with their number. Empty cells are null.
    Raises UnreadableFileError where the text stops being delimited text at all (a quote never closed, a line
    longer than a block).
    """
    set_aside: list[int] = []

    def set_row_aside(row: pa_csv.InvalidRow) -> str:
        # Arrow counts the rows it parses, blank ones included, from 1.
        set_aside.append(row.number)
        unreadable.append(
            UnreadableRow(
                row.number,
                f"{row.actual_columns} cells where the header has {row.expected_columns}",
                row.text[:10_000],
            )
        )
        return "skip"

    read = pa_csv.ReadOptions(
        use_threads=False,
        block_size=_BLOCK,
        column_names=list(columns),
        skip_rows_after_names=header_rows,
        encoding={"utf-8-sig": "utf-8"}.get(file.encoding, file.encoding),
    )
    parse = pa_csv.ParseOptions(
        delimiter=head.delimiter, newlines_in_values=True, invalid_row_handler=set_row_aside, ignore_empty_lines=True
    )
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
    )
    next_number = header_rows + 1
    try:
        with file.open() as stream, pa_csv.open_csv(stream, read, parse, convert) as reader:
            for batch in reader:
                numbers, next_number = _numbers(next_number, batch.num_rows, set_aside)
                yield pa.RecordBatch.from_arrays([*batch.columns, numbers], names=[*columns, ROW_NUMBER])
    except pa.ArrowInvalid as problem:
        if "Empty CSV" in str(problem):
            return
        raise UnreadableFileError(
            f"{file.name}: after row {next_number - 1} the text is no longer readable as "
            f"{'tab' if head.delimiter == chr(9) else head.delimiter}-separated rows (a quote left open, or a line "
            f"longer than {_BLOCK >> 20} MB): mend the export and deliver it again"
        ) from problem


def _numbers(first: int, count: int, set_aside: list[int]) -> tuple[pa.Array, int]:
    """Row numbers of `count` good rows from `first` on, stepping over the rows set aside."""
    gaps = sorted(number for number in set_aside if number >= first)
    numbers, current = [], first
    while count:
        while gaps and gaps[0] == current:
            gaps.pop(0)
            current += 1
        run = min(count, (gaps[0] - current) if gaps else count)
        numbers.append(pa.array(range(current, current + run), pa.int64()))
        current += run
        count -= run
    return (pa.concat_arrays(numbers) if numbers else pa.array([], pa.int64())), current

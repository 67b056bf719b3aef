"""Tables that are not text, Parquet and Excel, as rows of text, with the columns mapped in the registry."""

import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import ROW_NUMBER, Export, Reader, UnreadableRow, option, text_column
from ces_pipeline.sources.delimited import unique_names
from ces_pipeline.sources.files import DeliveredFile

_BATCH_ROWS = 20_000
_PARQUET = b"PAR1"


def read_parquet(file: DeliveredFile, _source: Source | None) -> Export:
    """A Parquet file. Times become ISO 8601 text (with `Z` where they have a zone), nested values JSON."""
    if not file.head:
        raise UnreadableFileError(f"{file.name}: the file is empty: deliver it again, or remove it")
    try:
        table = pq.ParquetFile(pa.BufferReader(file.content()) if _is_packed(file) else str(file.path))
    except (pa.ArrowInvalid, OSError) as problem:
        raise UnreadableFileError(
            f"{file.name}: not a Parquet file, or it was cut off while it was copied: deliver it again"
        ) from problem
    columns = unique_names(table.schema_arrow.names)
    export = Export(columns=columns, batches=_parquet_batches(file, table, columns))
    if table.metadata.num_rows == 0:
        export.notes.append("only column names: no rows")
    return export


def _is_packed(file: DeliveredFile) -> bool:
    with file.path.open("rb") as stream:
        return stream.read(4) != _PARQUET


def _parquet_batches(
    file: DeliveredFile, table: pq.ParquetFile, columns: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    first = 1
    try:
        for batch in table.iter_batches(batch_size=_BATCH_ROWS):
            numbers = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
            first += batch.num_rows
            yield pa.RecordBatch.from_arrays(
                [*(_as_text(column) for column in batch.columns), numbers], names=[*columns, ROW_NUMBER]
            )
    except (pa.ArrowInvalid, OSError) as problem:
        raise UnreadableFileError(
            f"{file.name}: damaged after row {first - 1}: deliver it again"
        ) from problem


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return text_column([_json_text(value) for value in column.to_pylist()])
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _json_text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def read_xlsx(file: DeliveredFile, source: Source | None) -> Export:
    """A sheet of an Excel workbook: the option `sheet`, else the first. Its first filled row is the header.

    Row numbers are the sheet's own. Times become ISO 8601 text, whole numbers lose their `.0`.
    """
    sheet_name = option(source, "sheet")
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and validations that it drops; only values are read here.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(file.content()), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as problem:
        raise UnreadableFileError(
            f"{file.name}: not an Excel workbook (.xlsx), or it was cut off while it was copied: "
            "deliver it again"
        ) from problem
    if sheet_name is not None and sheet_name not in book.sheetnames:
        raise UnreadableFileError(
            f"{file.name}: no sheet {sheet_name!r} (it has: {', '.join(book.sheetnames)}): "
            "mend options.sheet of the feed"
        )
    rows = enumerate(book[sheet_name or book.sheetnames[0]].iter_rows(values_only=True), start=1)
    header_number, names = next(
        ((n, row) for n, row in rows if any(cell is not None for cell in row)), (0, ())
    )
    if not header_number:
        raise UnreadableFileError(
            f"{file.name}: the sheet is empty: deliver it again, or name another (options.sheet)"
        )
    cells = [_cell(name) or "" for name in names]
    while not cells[-1]:
        cells.pop()
    export = Export(columns=unique_names(cells), batches=iter(()))
    export.batches = _sheet_batches(rows, export)
    if len(book.sheetnames) > 1 and sheet_name is None:
        export.notes.append(f"read the first of {len(book.sheetnames)} sheets; options.sheet names another")
    if book[sheet_name or book.sheetnames[0]].max_row == header_number:
        export.notes.append("only a header: no rows")
    return export


def _sheet_batches(rows: Iterator[tuple[int, tuple[Any, ...]]], export: Export) -> Iterator[pa.RecordBatch]:
    width = len(export.columns)
    kept: list[list[str | None]] = []
    numbers: list[int] = []

    def batch() -> pa.RecordBatch:
        arrays = [text_column(list(cells)) for cells in zip(*kept, strict=True)]
        return pa.RecordBatch.from_arrays(
            [*arrays, pa.array(np.array(numbers, dtype=np.int64))], names=[*export.columns, ROW_NUMBER]
        )

    for number, values in rows:
        cells = [_cell(value) for value in values]
        if any(cells[width:]):
            text = json.dumps(cells, ensure_ascii=False)
            export.unreadable.append(
                UnreadableRow(number, f"cells beyond the header's {width} columns", text)
            )
        elif any(cells):
            kept.append(cells[:width] + [None] * (width - len(cells)))
            numbers.append(number)
        if len(kept) == _BATCH_ROWS:
            yield batch()
            kept, numbers = [], []
    if kept:
        yield batch()


def _cell(value: Any) -> str | None:
    """What a cell shows: Excel stores whole numbers as 7.0 and times as datetimes."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


PARQUET = Reader(
    name="parquet",
    title="Parquet table",
    kind="any",
    read=read_parquet,
    recognises=lambda file: 100 if file.head.startswith(_PARQUET) else 0,
)
XLSX = Reader(
    name="xlsx",
    title="Excel workbook",
    kind="any",
    read=read_xlsx,
    recognises=lambda file: 100 if file.is_spreadsheet else 0,
    options={"sheet": "which sheet holds the rows; the first unless set"},
)

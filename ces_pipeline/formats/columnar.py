"""Parquet tables as rows of text, with the columns mapped in the registry."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export, Reader, text_column
from ces_pipeline.formats.delimited import unique_names
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_BATCH_ROWS = 20_000
_PARQUET = b"PAR1"


def read_parquet(file: DeliveredFile, _source: Source | None) -> Export:
    """A Parquet file. Times become ISO 8601 text (with `Z` if they have a zone), nested values JSON."""
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
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as problem:
        raise UnreadableFileError(
            f"{file.name}: damaged after row {first - 1}: deliver it again"
        ) from problem


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return text_column([_json_text(value) for value in column.to_pylist()])
    # A file whose bytes are damaged may hold texts that are no UTF-8, which Arrow does not check by itself.
    text = column.cast(pa.string())
    text.validate(full=True)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _json_text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


PARQUET = Reader(
    name="parquet",
    title="Parquet table",
    kind="any",
    read=read_parquet,
    recognises=lambda file: 100 if file.head.startswith(_PARQUET) else 0,
)

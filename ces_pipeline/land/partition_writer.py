"""Splits a stream of rows into Parquet files by day, in bounded memory.

Uses Arrow's writer, one buffer at a time: DuckDB's partitioned COPY takes about twice the processor time.
"""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_BUFFERED_ROWS = 250_000
_OPEN_FILES = 300
# Texts with few distinct values. For others (ids, hashes, comments) Arrow would fill a dictionary and then drop it.
_REPEATING = (
    "survey", "channel", "product", "journey_stage", "process", "device_type", "language", "score", "csat", "nps",
    "status", "finished", "progress", "duration_seconds", "priority", "category", "group_name", "reopens", "handoffs",
    "replies", "is_deleted",
)  # fmt: skip
# Hashes do not compress.
_HASHES = (
    "respondent_key",
    "device_key",
    "ip_address_key",
    "requester_key",
    "answers",
    "content",
    "key_hi",
    "key_lo",
)


class PartitionWriter:
    """Writes batches with a `day` column to `<folder>/day=<day>/<n>.parquet`, without that column."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._buffer: list[pa.RecordBatch] = []
        self._rows = 0
        self._open: dict[date, pq.ParquetWriter] = {}
        self._parts: dict[date, int] = {}

    def write(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        self._buffer.append(batch)
        self._rows += batch.num_rows
        if self._rows >= _BUFFERED_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._close_files()

    def _flush(self) -> None:
        if not self._rows:
            return
        by_day: dict[date, list[pa.RecordBatch]] = {}
        for batch in self._buffer:
            for day, rows in _by_day(batch):
                by_day.setdefault(day, []).append(rows)
        self._buffer, self._rows = [], 0
        for day, parts in by_day.items():
            rows = pa.Table.from_batches(parts)
            self._file(day, rows.schema).write_table(rows)

    def _file(self, day: date, schema: pa.Schema) -> pq.ParquetWriter:
        if day not in self._open:
            if len(self._open) >= _OPEN_FILES:
                self._close_files()
            part = self._parts[day] = self._parts.get(day, 0) + 1
            path = self.folder / f"day={day.isoformat()}" / f"{part}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            repeating = [name for name in schema.names if name in _REPEATING]
            packing = {name: "none" if name in _HASHES else "zstd" for name in schema.names}
            self._open[day] = pq.ParquetWriter(
                path, schema, compression=packing, use_dictionary=repeating, write_statistics=False
            )
        return self._open[day]

    def _close_files(self) -> None:
        for writer in self._open.values():
            writer.close()
        self._open = {}


def _by_day(batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The rows of each day, without the `day` column. Rows that arrive sorted by day are not copied."""
    days = batch["day"].cast(pa.int32()).to_numpy()
    if (days[1:] < days[:-1]).any():
        order = np.argsort(days, kind="stable")
        batch, days = batch.take(pa.array(order)), days[order]
    cuts = np.flatnonzero(days[1:] != days[:-1]) + 1
    rows = batch.drop_columns(["day"])
    for start, end in pairwise([0, *cuts.tolist(), len(days)]):
        yield batch["day"][start].as_py(), rows.slice(start, end - start)

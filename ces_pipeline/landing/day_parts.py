"""Splits a stream of rows into one Parquet file a day, in bounded memory.

Arrow's own writer, a buffer at a time: DuckDB's partitioned COPY does the same at about twice the processor time.
"""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_BUFFERED_ROWS = 250_000
_OPEN_FILES = 300
# Texts with few distinct values; the others (ids, hashes, comments) would only fill a dictionary and throw it away.
_REPEATING = (
    "survey", "channel", "product", "journey_stage", "process", "device_type", "language", "score", "csat", "nps",
    "status", "finished", "progress", "duration_seconds", "priority", "category", "group_name", "reopens", "handoffs",
    "replies", "is_deleted",
)  # fmt: skip
# Hashes do not get smaller.
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


class DayParts:
    """Writes batches that carry a `day` column to `<folder>/day=<day>/<n>.parquet`, without that column."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._buffer: list[pa.RecordBatch] = []
        self._rows = 0
        self._open: dict[date, pq.ParquetWriter] = {}
        self._parts: dict[date, int] = {}

    def write(self, batch: pa.RecordBatch) -> None:
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
        table = pa.Table.from_batches(self._buffer)
        self._buffer, self._rows = [], 0
        days = table["day"]
        rows = table.drop_columns(["day"])
        found = pc.unique(days).to_pylist()
        for day in found:
            self._file(day, rows.schema).write_table(
                rows if len(found) == 1 else rows.filter(pc.equal(days, day))
            )

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

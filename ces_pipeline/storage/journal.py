"""Append-only rows, in one file per source and month, so that the number of files stays small.

For tables that grow by a few rows per source and night. `publish.inputs.stored_rows` reads all rows of a table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive


class JournalTable(Protocol):
    """What the journal needs of a table: its full name and the columns of its rows."""

    @property
    def name(self) -> str: ...
    @property
    def arrow(self) -> pa.Schema: ...


def add_rows(
    lake: Lake, table: JournalTable, source_id: str, at: datetime, rows: Sequence[dict[str, Any]]
) -> None:
    """Add the rows of a source to the month of `at`. A killed call adds all rows or none."""
    if not rows:
        return
    path = f"{_folder(table, source_id)}/{month_of(at)}.parquet"
    added = pa.Table.from_pylist(list(rows), schema=table.arrow)
    with _locked(lake, table, source_id):
        stored = [lake.read_table(path).cast(table.arrow)] if lake.exists(path) else []
        lake.write_table(path, pa.concat_tables([*stored, added]))


def month_of(at: datetime) -> str:
    """The month of the file that `add_rows` writes to, such as `2026-01`."""
    return f"{at:%Y-%m}"


def rows_of(lake: Lake, table: JournalTable, source_id: str) -> list[dict[str, Any]]:
    """All rows of a source."""
    return [
        row
        for info in sorted(lake.list(_folder(table, source_id)), key=lambda info: info.path)
        if info.base_name.endswith(".parquet") and not info.base_name.startswith(".")
        for row in lake.read_table(info.path).to_pylist()
    ]


def _folder(table: JournalTable, source_id: str) -> str:
    return f"{table.name.replace('.', '/')}/{source_id}"


@contextmanager
def _locked(lake: Lake, table: JournalTable, source_id: str) -> Iterator[None]:
    if lake.local is None:
        yield
        return
    with exclusive(lake.local / _folder(table, source_id) / ".lock"):
        yield

"""Append-only rows, in one file per source and month, so that the number of files stays small.

For tables that grow by a few rows per source and night. A key has one row: a row that is added replaces the row with
its key, and readers drop repeated keys. `publish.inputs.stored_rows` reads all rows of a table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

ALL_SOURCES = "_all"
"""In place of a source id: the folder of rows that concern no single source."""
_PLACE = "place in the file"


class JournalTable(Protocol):
    """What the journal needs of a table: its full name, the columns of its rows, and which of them are the key."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def arrow(self) -> pa.Schema: ...


def add_rows(
    lake: Lake, table: JournalTable, source_id: str, at: datetime, rows: Sequence[dict[str, Any]]
) -> None:
    """Add the rows of a source to the month of `at`, in place of rows with the same keys.

    A killed call adds all rows or none. A damaged file of the month is set aside: the rest goes on.
    """
    if not rows:
        return
    path = f"{_folder(table, source_id)}/{month_of(at)}.parquet"
    added = pa.Table.from_pylist(list(rows), schema=table.arrow)
    with _locked(lake, table, source_id):
        stored, damaged = lake.read_tables([path] if lake.exists(path) else [], table.arrow)
        for damaged_path in damaged:
            lake.set_aside(damaged_path)
        lake.write_table(path, without_repeats(pa.concat_tables([stored, added]), table.key))


def set_aside_damaged(lake: Lake, table: JournalTable, path: str) -> str:
    """Rename a damaged file of the table, so that no reader meets it again; its new path (the old one if it is sound).

    Another process may have set it aside, and written a new one, since it was found damaged.
    """
    with _locked(lake, table, path.split("/")[-2]):
        _, damaged = lake.read_tables([path] if lake.exists(path) else [], table.arrow)
        return lake.set_aside(path) if damaged else path


def month_of(at: datetime) -> str:
    """The month of the file that `add_rows` writes to, such as `2026-01`."""
    return f"{at:%Y-%m}"


def rows_of(
    lake: Lake, table: JournalTable, source_id: str, month: str | None = None
) -> list[dict[str, Any]]:
    """All rows of a source, or those of a month (of `month_of`), without those of damaged files."""
    files = [
        path for path in _files(lake, table, source_id) if month is None or path.endswith(f"/{month}.parquet")
    ]
    rows, _ = lake.read_tables(files, table.arrow)
    found: list[dict[str, Any]] = without_repeats(rows, table.key).to_pylist()
    return found


def values_of(lake: Lake, table: JournalTable, source_id: str, column: str) -> set[Any]:
    """The different values of a column in the rows of a source, without those of damaged files."""
    # All columns are read: one of them shows whether a file is damaged.
    rows, _ = lake.read_tables(_files(lake, table, source_id), table.arrow)
    return set(pc.unique(rows[column]).to_pylist())


def without_repeats(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """The rows without those whose key a later row has, in their order."""
    places = rows.select(list(key)).append_column(_PLACE, pa.array(range(rows.num_rows), pa.int64()))
    last = places.group_by(list(key)).aggregate([(_PLACE, "max")])[f"{_PLACE}_max"]
    return rows if len(last) == rows.num_rows else rows.take(pc.take(last, pc.sort_indices(last)))


def is_data_file(name: str) -> bool:
    """Whether a file of this name holds rows: not a lock, not a file that was set aside."""
    return name.endswith(".parquet") and not name.startswith(".")


def _files(lake: Lake, table: JournalTable, source_id: str) -> list[str]:
    return sorted(info.path for info in lake.list(_folder(table, source_id)) if is_data_file(info.base_name))


def _folder(table: JournalTable, source_id: str) -> str:
    return f"{table.name.replace('.', '/')}/{source_id}"


@contextmanager
def _locked(lake: Lake, table: JournalTable, source_id: str) -> Iterator[None]:
    if lake.local is None:
        yield
        return
    with exclusive(lake.local / _folder(table, source_id) / ".lock"):
        yield

"""Protects the split by day: every row in the file of its day, in the order in which rows came."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.land import partition_writer
from ces_pipeline.land.partition_writer import PartitionWriter

FIRST = date(2026, 3, 1)
SCHEMA = pa.schema([("number", pa.int64()), ("day", pa.date32())])


def batch(*rows: tuple[int, int]) -> pa.RecordBatch:
    """Rows of (number, days after the first)."""
    records = [{"number": number, "day": FIRST + timedelta(after)} for number, after in rows]
    return pa.RecordBatch.from_pylist(records, schema=SCHEMA)


def written(folder: Path) -> dict[int, list[int]]:
    """Days after the first -> numbers, as the files of the day have them one after the other."""
    found: dict[int, list[int]] = {}
    for partition in sorted(folder.glob("day=*")):
        after = (date.fromisoformat(partition.name.removeprefix("day=")) - FIRST).days
        files = sorted(partition.iterdir(), key=lambda file: int(file.stem))
        rows = [pq.read_table(file, partitioning=None) for file in files]
        assert all(table.column_names == ["number"] for table in rows)
        found[after] = pa.concat_tables(rows)["number"].to_pylist()
    return found


def test_days_in_order_and_days_in_disorder_end_in_their_own_files(tmp_path: Path) -> None:
    parts = PartitionWriter(tmp_path)
    parts.write(batch((1, 0), (2, 0), (3, 1)))
    parts.write(batch())
    parts.write(batch((4, 2), (5, 0), (6, 1), (7, 0)))
    parts.close()
    assert written(tmp_path) == {0: [1, 2, 5, 7], 1: [3, 6], 2: [4]}


def test_nothing_is_written_of_nothing(tmp_path: Path) -> None:
    parts = PartitionWriter(tmp_path)
    parts.write(batch())
    parts.close()
    assert written(tmp_path) == {}


@settings(max_examples=30)
@given(days=st.lists(st.lists(st.integers(0, 6), max_size=12), max_size=6))
def test_no_row_is_lost_however_few_are_buffered_and_files_open(
    days: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    numbers = iter(range(1_000))
    batches = [[(next(numbers), after) for after in rows] for rows in days]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition_writer, "_BUFFERED_ROWS", 5)
        patch.setattr(partition_writer, "_OPEN_FILES", 2)
        parts = PartitionWriter(folder)
        for rows in batches:
            parts.write(batch(*rows))
        parts.close()
    expected: dict[int, list[int]] = {}
    for number, after in (row for rows in batches for row in rows):
        expected.setdefault(after, []).append(number)
    assert written(folder) == expected

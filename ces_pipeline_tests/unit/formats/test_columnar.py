"""Parquet cells read as the text that a person would have written."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline_tests.unit.vendors.reading import delivered, read


def test_parquet_values_become_text(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    table = pa.table(
        {
            "id": [1, 2],
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "tags": [["a"], []],
            "text": pa.array(["x", ""]).dictionary_encode(),
            "row_number": [7, 8],
        }
    )
    pq.write_table(table, path)
    export, rows = read("parquet", DeliveredFile(path))
    assert export.columns == ("id", "at", "tags", "text", "row_number_2")
    assert rows[0]["at"].startswith("2026-01-02 03:04:05")
    assert rows[0]["at"].endswith("Z")
    assert [row["text"] for row in rows] == ["x", None]
    assert [(row["tags"], row["row_number"], row["row_number_2"]) for row in rows] == [
        ('["a"]', 1, "7"),
        ("[]", 2, "8"),
    ]


def test_cut_off_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    with pytest.raises(UnreadableFileError, match="not a Parquet file, or it was cut off"):
        read("parquet", delivered(tmp_path, path.read_bytes()[:500], "cut.parquet"))


@pytest.mark.parametrize("is_nested", [False, True])
def test_parquet_with_texts_that_are_no_utf8_is_refused(tmp_path: Path, is_nested: bool) -> None:
    damaged = pa.StringArray.from_buffers(1, *pa.array([b"\xff\xfe"]).buffers()[1:])
    column = pa.StructArray.from_arrays([damaged], ["inner"]) if is_nested else damaged
    path = tmp_path / "e.parquet"
    pq.write_table(pa.table({"id": column}), path)
    with pytest.raises(UnreadableFileError):
        read("parquet", delivered(tmp_path, path.read_bytes(), "damaged.parquet"))

"""Writes small exports and reads them back; shared by the tests of this folder."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from ces_pipeline.formats.contract import ROW_NUMBER, Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.catalog import READERS


def delivered(folder: Path, content: str | bytes, name: str = "export.csv") -> DeliveredFile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return DeliveredFile(path)


def source_for(reader: str, kind: str = "survey", **options: Any) -> Source:
    survey = "asked" if kind == "survey" else None
    return Source.model_validate(
        {"id": "export", "kind": kind, "reader": reader, "survey": survey, "options": options}
    )


def read(
    reader: str, file: DeliveredFile, source: Source | None = None
) -> tuple[Export, list[dict[str, Any]]]:
    """The export and all its rows; checks that every batch keeps the contract."""
    export = READERS[reader].read(file, source)
    rows: list[dict[str, Any]] = []
    for batch in export.batches:
        assert batch.schema.names == [*export.columns, ROW_NUMBER]
        assert set(batch.schema.types[:-1]) <= {pa.string()}
        assert batch.schema.types[-1] == pa.int64()
        rows += batch.to_pylist()
    assert not any(cell == "" for row in rows for cell in row.values())
    assert set(export.mapping.values()) <= set(export.columns)
    assert set(export.people) <= set(export.columns)
    return export, rows

"""Writes a published file again without the space that updates left unused: the same rows, nothing computed."""

from pathlib import Path

import duckdb

from ces_pipeline.publish.layout import attach_new, create_tables, describe_tables
from ces_pipeline.publish.publication import Publication, rows_in_file
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.quote import quote_text

_UNUSED_SHARE, UNUSED_BYTES = 0.1, 16 << 20
"""A file that is larger than it should be by more than both is written again. A small file is left as it is: to write
all its tables takes longer than to read what it has too much."""


def compacted(connection: duckdb.DuckDBPyConnection, file: Path, updated: Publication | None) -> Path | None:
    """Write the file, which is `ces` and has had its checkpoint, again if much of it is unused; the new file's path.

    updated: what the file was updated from; None: it was written at once. None if it stays as it is. The size that it
    should have is estimated from the last file that was written at once.
    """
    if updated is None:
        return None
    wanted = updated.compact_size(rows_in_file(connection))
    if file.stat().st_size <= wanted + max(UNUSED_BYTES, _UNUSED_SHARE * wanted):
        return None
    fresh = file.with_name(f"compact-{file.name}")
    connection.execute("USE memory")
    connection.execute("DETACH ces")
    connection.execute(f"ATTACH {quote_text(str(file))} AS loose (READ_ONLY)")
    attach_new(connection, fresh)
    create_tables(connection)
    describe_tables(connection)
    for name, table in PUBLISHED_TABLES.items():
        if not table.is_view:
            connection.execute(f"INSERT INTO {name} BY NAME FROM loose.{name}")
    connection.execute("UPDATE audit.publication SET rebuilt_size_bytes = NULL, rebuilt_rows = NULL")
    connection.execute("CHECKPOINT ces")
    connection.execute("DETACH loose")
    return fresh

"""What a published file was made from, as stored in the file itself: a publish compares it with the lake."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ces_pipeline.publish.fingerprints import TableFingerprint
from ces_pipeline.publish.inputs import DayFile
from ces_pipeline.publish.vanished import PublishedDelivery
from ces_pipeline.storage.duck import attach_published, session


@dataclass(frozen=True)
class Publication:
    """The inputs of a published file.

    inputs, layout, erased: fingerprints of everything, of the tables and views, and of the list of erased people.
    day_files: SHA-256 of each day file. tables: derived table -> fingerprint of its inputs; empty for an earlier
    release's file. deliveries: file name and landed rows of each. run_id, published_at: the run and the moment.
    rebuilt_size, rebuilt_rows: bytes and rows of the file that was last written at once, rebuilt from the lake or
    compacted, from which updates led to this one.
    """

    inputs: str
    layout: str
    erased: str
    day_files: dict[DayFile, str]
    tables: dict[str, TableFingerprint]
    deliveries: dict[PublishedDelivery, tuple[str, int]]
    run_id: str
    published_at: datetime
    rebuilt_size: int
    rebuilt_rows: int

    def compact_size(self, rows: int) -> float:
        """Bytes that so many rows would have in a file without unused space, estimated from that file."""
        return self.rebuilt_size * rows / max(self.rebuilt_rows, 1)


def read_publication(path: Path) -> Publication | None:
    """What the published file was made from; None if there is none, or if it cannot be read."""
    if not path.is_file():
        return None
    try:
        with session(None) as connection:
            attach_published(connection, path)
            [written] = connection.sql("FROM audit.publication").to_arrow_table().to_pylist()
            days = connection.execute("SELECT table_name, day, sha256 FROM audit.published_days").fetchall()
            deliveries = connection.execute(
                "SELECT source_id, delivery_id, file_name, rows_landed FROM audit.deliveries"
            ).fetchall()
            tables = _tables(connection)
            rows = rows_in_file(connection)
    except (duckdb.Error, ValueError):
        return None
    return Publication(
        inputs=written["inputs"],
        layout=written["layout"],
        erased=written["erased"],
        day_files={(table, day): sha256 for table, day, sha256 in days},
        tables=tables,
        deliveries={
            (source_id, delivery_id): (name, landed) for source_id, delivery_id, name, landed in deliveries
        },
        run_id=written["run_id"],
        published_at=written["published_at"],
        # Files of earlier releases lack these columns.
        rebuilt_size=written.get("rebuilt_size_bytes") or path.stat().st_size,
        rebuilt_rows=written.get("rebuilt_rows") or rows,
    )


def rows_in_file(connection: duckdb.DuckDBPyConnection) -> int:
    """The rows of all tables of the file that is `ces`."""
    [(rows,)] = connection.execute(
        "SELECT sum(estimated_size)::BIGINT FROM duckdb_tables() WHERE database_name = 'ces'"
    ).fetchall()
    return int(rows)


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, TableFingerprint]:
    try:
        rows = connection.execute(
            "SELECT table_name, inputs, code_and_registry FROM audit.published_tables"
        ).fetchall()
    except duckdb.BinderException:
        # An earlier release did not store them; its file has another layout and is made anew.
        return {}
    return {name: TableFingerprint(inputs, known) for name, inputs, known in rows}

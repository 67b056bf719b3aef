"""What a published file was made from, as stored in the file itself: a publish compares it with the lake."""

from dataclasses import dataclass
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
    release's file. deliveries: file name and landed rows of each.
    """

    inputs: str
    layout: str
    erased: str
    day_files: dict[DayFile, str]
    tables: dict[str, TableFingerprint]
    deliveries: dict[PublishedDelivery, tuple[str, int]]


def read_publication(path: Path) -> Publication | None:
    """What the published file was made from; None if there is none, or if it cannot be read."""
    if not path.is_file():
        return None
    try:
        with session(None) as connection:
            attach_published(connection, path)
            written = connection.execute("SELECT inputs, layout, erased FROM audit.publication").fetchone()
            days = connection.execute("SELECT table_name, day, sha256 FROM audit.published_days").fetchall()
            deliveries = connection.execute(
                "SELECT source_id, delivery_id, file_name, rows_landed FROM audit.deliveries"
            ).fetchall()
            tables = _tables(connection)
    except duckdb.Error:
        return None
    if written is None:
        return None
    day_files = {(table, day): sha256 for table, day, sha256 in days}
    landed = {(source_id, delivery_id): (name, rows) for source_id, delivery_id, name, rows in deliveries}
    return Publication(written[0], written[1], written[2], day_files, tables, landed)


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, TableFingerprint]:
    try:
        rows = connection.execute(
            "SELECT table_name, inputs, code_and_registry FROM audit.published_tables"
        ).fetchall()
    except duckdb.BinderException:
        # An earlier release did not store them; its file has another layout and is made anew.
        return {}
    return {name: TableFingerprint(inputs, known) for name, inputs, known in rows}

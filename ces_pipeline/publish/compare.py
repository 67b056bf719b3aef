"""Compares a file that was rebuilt from the lake with the published one: updates must lead to the same rows."""

import duckdb

from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table

_OF_THE_WAY = {
    "audit.publication": {"rebuilt_size_bytes", "rebuilt_rows"},
    "audit.published_tables": {"filled_by_run"},
}
"""Table -> columns that tell how the file came to be, and differ between an updated and a rebuilt one."""


def differing_tables(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> list[str]:
    """A line for each table whose rows differ between two attached files: `mart.ces_daily: 2 rows differ`."""
    found = []
    for table in PUBLISHED_TABLES.values():
        # A publish that a check stopped adds its results to the lake without publishing them.
        if table.is_view or table.name == "audit.check_results":
            continue
        if _digest(connection, one, table) == _digest(connection, other, table):
            continue
        columns = _columns(table)
        [(count,)] = connection.execute(
            f"SELECT count(*) FROM ((SELECT {columns} FROM {one}.{table.name} EXCEPT ALL "
            f"SELECT {columns} FROM {other}.{table.name}) UNION ALL (SELECT {columns} FROM {other}.{table.name} "
            f"EXCEPT ALL SELECT {columns} FROM {one}.{table.name}))"
        ).fetchall()
        found.append(f"{table.name}: {count:,} rows differ")
    return found


def _digest(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> list[tuple[object, ...]]:
    """Number of rows and a sum of hashes, which does not depend on their order."""
    return connection.execute(
        f"SELECT count(*), sum(hash({_columns(table)})::HUGEINT) FROM {catalog}.{table.name}"
    ).fetchall()


def _columns(table: Table) -> str:
    return ", ".join(name for name in table.columns if name not in _OF_THE_WAY.get(table.name, ()))

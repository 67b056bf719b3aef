"""Creates the empty tables and views of the published file, and their comments, in a connection's default catalog."""

from pathlib import Path

import duckdb
import pyarrow as pa

from ces_pipeline.publish.checks import sql_type
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.publish.view_columns import view_columns
from ces_pipeline.schemas.table import Table
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import derived_files, view_files

STORAGE_VERSION = "v1.2.0"
"""The oldest DuckDB version that can open the published file."""
_PROSE = ("comment", "landed")
_FEW_IDS = ("source_id", "survey_id", "scale_id", "delivery_id")


def attach_new(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Attach a file that is being written as the default catalog `ces`."""
    # The copy of a killed publish is never recovered, so a write-ahead log would only write small tables twice.
    connection.execute(
        f"ATTACH {quote_text(str(file))} AS ces (STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
    )
    connection.execute("USE ces")


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table and view of the published file, empty, in the default catalog."""
    for layer in sorted({table.layer for table in PUBLISHED_TABLES.values()}):
        connection.execute(f"CREATE SCHEMA {layer}")
    for table in PUBLISHED_TABLES.values():
        if table.is_view:
            continue
        columns = ", ".join(
            f"{field.name} {sql_type(field.type)}{packing(table, field)}" for field in table.arrow
        )
        connection.execute(f"CREATE TABLE {table.name} ({columns})")
    for file in derived_files():
        if PUBLISHED_TABLES[file.table].is_view:
            connection.execute(f"CREATE VIEW {file.table} AS {file.query}")
    connection.execute("CREATE SCHEMA bi")
    for view in view_files():
        connection.execute(f"CREATE VIEW {view.view} AS {view.query}")


def describe_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the comments of all tables, views and columns. On filled tables it takes three times as long."""
    connection.execute(_comments())


def packing(table: Table, field: pa.Field) -> str:
    """The compression of a text column of a large table, from its name; empty if DuckDB shall choose.

    Ids and keys differ from row to row, other texts repeat. By itself, DuckDB tries every method on every column, which
    takes longer than writing the column; the file gets no smaller by that.
    """
    if table.layer not in ("core", "mart") or not pa.types.is_string(field.type) or field.name in _PROSE:
        return ""
    differs = field.name.endswith(("_key", "_id")) and field.name not in _FEW_IDS
    return f" USING COMPRESSION {'fsst' if differs else 'dictionary'}"


def _comments() -> str:
    """Statements that add the comments of all tables, views and columns."""
    statements = [f"COMMENT ON VIEW {view.view} IS {quote_text(view.title)}" for view in view_files()]
    statements += [
        f"COMMENT ON COLUMN {view}.{column} IS {quote_text(description)}"
        for view, columns in view_columns().items()
        for column, description in columns.items()
    ]
    for name, table in PUBLISHED_TABLES.items():
        statements.append(
            f"COMMENT ON {'VIEW' if table.is_view else 'TABLE'} {name} IS {quote_text(table.grain)}"
        )
        statements += [
            f"COMMENT ON COLUMN {name}.{column} IS {quote_text(described.description or '')}"
            for column, described in table.columns.items()
        ]
    return ";\n".join(statements)

"""Fills derived tables of the snapshot: by their query, or by their query and a post-processor of `statistics`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd
import pyarrow as pa

from ces_pipeline.publish.enums import ENUMS
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table
from ces_pipeline.statistics import post_processor
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import SqlFile, sql_files

FILLING = "while filling "
"""Start of the note on an error in a derived table's query or post-processor; the table's name follows."""


def fill_derived(connection: duckdb.DuckDBPyConnection, files: Iterable[SqlFile]) -> None:
    """Replace the rows of the files' tables, in the order given, on the snapshot that is the default catalog.

    Raises SchemaErrors if the rows of a post-processor break the table's schema.
    """
    define_macros(connection)
    for file in files:
        table = PUBLISHED_TABLES[file.table]
        if not table.is_view:
            with filling(file), fresh_rows(connection, file) as query:
                replace_rows(connection, table, query)


@contextmanager
def filling(file: SqlFile) -> Iterator[None]:
    """Add the name of the table that is being filled to an error."""
    try:
        yield
    except Exception as problem:
        problem.add_note(f"{FILLING}{file.table}")
        raise


@contextmanager
def fresh_rows(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> Iterator[str]:
    """The query for the rows of a derived table: its file's, or one over the rows of its post-processor."""
    post_process = post_processor(file.table)
    if post_process is None:
        yield file.query
        return
    evidence = connection.sql(file.query).to_arrow_table().to_pandas()
    connection.register("post_processed", typed(post_process(evidence), PUBLISHED_TABLES[file.table]))
    yield "SELECT * FROM post_processed"
    connection.unregister("post_processed")


def define_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros of `sql/macros/` and the types of `ENUMS`, for this connection only."""
    for name, words in ENUMS.items():
        listed = ", ".join(quote_text(word) for word in words)
        connection.execute(f"CREATE OR REPLACE TEMP TYPE {name} AS ENUM ({listed})")
    for file in sql_files("macros"):
        connection.execute(file.text)


def replace_rows(connection: duckdb.DuckDBPyConnection, table: Table, query: str) -> None:
    """Replace the rows of the table with the query's rows, columns matched by name."""
    columns = ", ".join(table.columns)
    connection.execute(f"DELETE FROM {table.name}")
    connection.execute(f"INSERT INTO {table.name} BY NAME SELECT {columns} FROM ({query})")


def typed(frame: pd.DataFrame, table: Table) -> pa.Table:
    """A frame of NumPy and text columns as validated rows of `table`. NaN becomes null; other columns are dropped.

    Raises SchemaErrors for rows that break the schema, KeyError for a missing column, TypeError or ValueError for a
    value of another type.
    """
    kinds = {name: column.dtype.type for name, column in table.columns.items()}
    flags = [name for name, kind in kinds.items() if kind == "bool"]
    rows = frame[list(kinds)].astype({name: kind for name, kind in kinds.items() if name not in flags})
    for name in flags:
        rows[name] = _flags(rows[name])
    return pa.Table.from_pandas(
        table.schema.validate(rows, lazy=True), schema=table.arrow, preserve_index=False
    )


def _flags(values: pd.Series) -> pd.Series:
    """Flags as `bool`; with a null, which `bool` cannot hold and pandas would make False, as nullable flags."""
    nullable = values.astype("boolean")
    return nullable if nullable.hasnans else nullable.astype("bool")

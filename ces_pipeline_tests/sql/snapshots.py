"""Marts without a publish: rows written in a test, and of the snapshot only the tables that a mart needs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.publish.checks import CheckResult, SqlCheck, run_checks, sql_checks, sql_type
from ces_pipeline.publish.derived import fill_derived
from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.registry import Registry
from ces_pipeline.storage.duck import session
from ces_pipeline.storage.sql_files import SqlFile, derived_files
from ces_pipeline_tests.lake_days import DAY

Rows = Sequence[Mapping[str, Any]]


@contextmanager
def derived(registry: Registry, wanted: Sequence[str], given: Mapping[str, Rows]) -> Iterator["Snapshot"]:
    """The marts `wanted` and all that they read, over the `given` rows by table; a table given is not derived."""
    files = _with_inputs(wanted, given)
    stored = {**reference_tables(registry)}
    for name in {table for file in files for table in file.reads} | set(given):
        table = PUBLISHED_TABLES[name]
        if name in given or not name.startswith("reference."):
            stored[name] = pa.Table.from_pylist(
                [dict(row) for row in given.get(name, ())], schema=table.arrow
            )
    with session(None) as connection:
        connection.execute("ATTACH ':memory:' AS ces; USE ces")
        for layer in ("core", "mart", "audit", "reference"):
            connection.execute(f"CREATE SCHEMA {layer}")
        views = {file.table: file for file in files if PUBLISHED_TABLES[file.table].is_view}
        stored = {name: rows for name, rows in stored.items() if name not in views}
        for name in stored.keys() | {file.table for file in files} - views.keys():
            columns = ", ".join(
                f"{field.name} {sql_type(field.type)}" for field in PUBLISHED_TABLES[name].arrow
            )
            connection.execute(f"CREATE TABLE {name} ({columns})")
        for name, file in views.items():
            connection.execute(f"CREATE VIEW {name} AS {file.query}")
        for name, rows in stored.items():
            connection.register("given_rows", rows)
            connection.execute(f"INSERT INTO {name} SELECT * FROM given_rows")
            connection.unregister("given_rows")
        fill_derived(connection, files)
        yield Snapshot(connection)


def _with_inputs(wanted: Sequence[str], given: Mapping[str, Rows]) -> list[SqlFile]:
    needed, missing = set(), set(wanted)
    by_table = {file.table: file for file in derived_files()}
    while missing:
        needed |= missing
        missing = {
            table
            for name in missing
            for table in by_table[name].reads
            if table in by_table and table not in given
        } - needed
    return [file for file in derived_files() if file.table in needed]


class Snapshot:
    """A small snapshot to ask."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self.connection = connection

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The answer, one dict a row."""
        return self.connection.sql(query).to_arrow_table().to_pylist()

    def row(self, query: str) -> dict[str, Any]:
        """The only row of the answer."""
        (row,) = self.rows(query)
        return row

    def check(self, name: str) -> CheckResult:
        """The verdict of one check."""
        (result,) = run_checks(self.connection, [check_named(name)], business_date=DAY)
        return result


def check_named(name: str) -> SqlCheck:
    """The check of that name."""
    return next(check for check in sql_checks() if check.name == name)

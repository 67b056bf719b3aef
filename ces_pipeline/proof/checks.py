"""Proves the checks of a snapshot: on a snapshot with the poison of a check, `run_checks` must find every wrong row."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

import duckdb

from ces_pipeline.publish.checks import Poison, SqlCheck, keys_unique, run_checks, sql_checks
from ces_pipeline.publish.layout import create_tables
from ces_pipeline.publish.rules import followed
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.duck import session

BUSINESS_DATE = date(2026, 3, 3)
"""Today, for the poison of the checks: its rows are of the days before."""


def uncaught_by_checks(checks: Iterable[SqlCheck] | None = None) -> list[str]:
    """A name for each check that does not find exactly the wrong rows of its poison.

    checks: those to prove; None: every check of a publish, in the form of a rebuild and of an update.
    """
    if checks is None:
        # Of tables whose changed rows are known, an update asks only about the keys of those.
        of_update = {name: 2 * (table.short_name in followed()) for name, table in PUBLISHED_TABLES.items()}
        checks = (*sql_checks(), keys_unique(of_update))
    with empty_snapshot() as connection:
        return sorted(
            {
                f"check {check.name}"
                for check in checks
                for poison in check.poisons
                if not _is_caught(connection, check, poison)
            }
        )


@contextmanager
def empty_snapshot() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose default catalog has the tables of the published file, without rows, in memory.

    Every row that is added counts as changed, for the check of keys of an update.
    """
    with session(None) as connection:
        # A second thread only waits: every table has a few rows.
        connection.execute("SET threads = 1")
        connection.execute("ATTACH ':memory:' AS ces")
        connection.execute("USE ces")
        create_tables(connection)
        connection.execute("ATTACH ':memory:' AS changed")
        for table in PUBLISHED_TABLES.values():
            if table.short_name in followed():
                connection.execute(f"CREATE VIEW changed.{table.short_name} AS FROM ces.{table.name}")
        yield connection


@contextmanager
def poisoned(connection: duckdb.DuckDBPyConnection, poison: Poison) -> Iterator[None]:
    """The snapshot of this connection with this poison, which is taken out again at the end."""
    connection.execute("BEGIN")
    try:
        connection.execute(poison.statements)
        yield
    finally:
        connection.execute("ROLLBACK")


def _is_caught(connection: duckdb.DuckDBPyConnection, check: SqlCheck, poison: Poison) -> bool:
    try:
        with poisoned(connection, poison):
            (result,) = run_checks(connection, [check], business_date=BUSINESS_DATE)
    except duckdb.Error as problem:
        problem.add_note(f"while proving the check {check.name}")
        raise
    return result.failures == poison.wrong_rows

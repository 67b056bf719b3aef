"""Updates the derived tables of a copy of the published file from the rows that changed since it was published.

A table with a rule (`rules.py`) is computed again only for the rows that changed rows of its inputs reach: the same SQL
file as in a rebuild runs over narrowed inputs. A table without a rule, or whose code or registry changed, is filled in
full. Only rows that differ are written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import duckdb

from ces_pipeline.publish.derived import define_macros, filling, fresh_rows, replace_rows
from ces_pipeline.publish.fingerprints import TableFingerprint
from ces_pipeline.publish.rules import Part, followed, rules
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table
from ces_pipeline.storage.duck import count_rows
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import SqlFile

SMALL_TABLE_ROWS = 50_000
"""Tables of at most so many rows are written in full, in their order, if a row differs."""


@dataclass
class ChangedRows:
    """Which rows of the tables differ from the published file.

    The differing rows themselves, as they were and as they are, are in the catalog `changed` for the tables that a rule
    reads. The published file is attached as `before`, its copy is the default catalog.
    """

    connection: duckdb.DuckDBPyConnection
    counts: dict[str, int | None] = field(default_factory=dict)
    """Full name of a table -> number of rows that were removed or added; None: not known."""

    def __post_init__(self) -> None:
        for catalog in ("changed", "narrowed"):
            self.connection.execute(f"ATTACH ':memory:' AS {catalog}")
        for layer in sorted({table.layer for table in PUBLISHED_TABLES.values()}):
            self.connection.execute(f"CREATE SCHEMA narrowed.{layer}")
        for name in followed():
            table = _TABLES[name]
            self.connection.execute(f"CREATE TABLE changed.{name} AS FROM {table.name} LIMIT 0")

    def days_of(self, name: str) -> list[date] | None:
        """The days with a changed row of a table that a rule reads; None if its changed rows are not known."""
        if self.counts[name] is None:
            return None
        found = self.connection.execute(
            f"SELECT DISTINCT day FROM changed.{name.partition('.')[2]} ORDER BY day"
        )
        return [day for (day,) in found.fetchall()]

    def add_days(self, name: str, days: Sequence[date]) -> None:
        """Compare the changed days of a day table with the published file."""
        if name.partition(".")[2] not in followed():
            self.counts[name] = None if days else 0
            return
        where = (
            f"day IN ({', '.join(f'DATE {quote_text(day.isoformat())}' for day in days)})"
            if days
            else "false"
        )
        self.read_now(PUBLISHED_TABLES[name], f"(FROM {name} WHERE {where})")
        self.compare_now(PUBLISHED_TABLES[name], f"(FROM before.{name} WHERE {where})")

    def read_now(self, table: Table, query: str) -> None:
        """Make the rows of what follows FROM in `query` the temporary table `rows_now`."""
        self._read("rows_now", table, query)

    def compare_now(self, table: Table, was: str) -> int:
        """Compare `rows_now` with the rows that were; the number of rows that differ.

        was: as the query of `read_now`.

        Leaves these rows, if there are any, as the temporary tables `added_rows` and `removed_rows`.
        """
        self._read("rows_before", table, was)
        if not count_rows(self.connection, "rows_now") and not count_rows(self.connection, "rows_before"):
            self.counts[table.name] = self.counts.get(table.name) or 0
            return 0
        for name, rows, others in (
            ("added_rows", "rows_now", "rows_before"),
            ("removed_rows", "rows_before", "rows_now"),
        ):
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {name} AS {_rows_only_in(rows, others, table)}"
            )
        if table.short_name in followed():
            self.connection.execute(
                f"INSERT INTO changed.{table.short_name} BY NAME (FROM added_rows UNION ALL FROM removed_rows)"
            )
        differing = count_rows(self.connection, "added_rows") + count_rows(self.connection, "removed_rows")
        self.counts[table.name] = (self.counts.get(table.name) or 0) + differing
        return differing

    def _read(self, name: str, table: Table, query: str) -> None:
        columns = ", ".join(table.columns)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM {query}")


def _rows_only_in(rows: str, others: str, table: Table) -> str:
    """The query for the rows of `rows` that `others` does not have.

    They are compared by key: to compare all columns at once, as EXCEPT does, costs four times as much.
    """
    differs = [
        f"{rows}.{name} IS DISTINCT FROM {others}.{name}" for name in table.columns if name not in table.key
    ]
    return (
        f"SELECT {rows}.* FROM {rows} LEFT JOIN (SELECT *, true AS is_there FROM {others}) AS {others} "
        f"ON {_same_key(rows, others, table)} WHERE {' OR '.join(['is_there IS NULL', *differs])}"
    )


def _same_key(rows: str, others: str, table: Table) -> str:
    """The condition that rows of two relations have the same key. A part of a key may be null."""
    return " AND ".join(f"{rows}.{name} IS NOT DISTINCT FROM {others}.{name}" for name in table.key)


_TABLES = {table.short_name: table for table in PUBLISHED_TABLES.values()}


def update_derived(
    changes: ChangedRows,
    published: Mapping[str, TableFingerprint],
    wanted: Mapping[str, TableFingerprint],
    files: Iterable[SqlFile],
) -> list[str]:
    """Bring the stale ones of some derived tables up to date; the names of those with a changed row.

    published, wanted: derived table -> the fingerprint that it was filled from, and the one of the lake now. files:
    their queries, each after its inputs. Tables that were updated before count their changed rows of both times. Raises
    SchemaErrors if the rows of a post-processor break the table's schema.
    """
    define_macros(changes.connection)
    written = []
    for file in files:
        before, now = published.get(file.table), wanted[file.table]
        changes.counts.setdefault(file.table, 0)
        if before != now:
            follows = before is not None and before.code_and_registry == now.code_and_registry
            with filling(file):
                _update(changes, file, follows=follows)
        if changes.counts[file.table] != 0:
            written.append(file.table)
            if _is_large(changes.connection, PUBLISHED_TABLES[file.table]):
                # The next tables are written into the space that this one freed.
                changes.connection.execute("CHECKPOINT ces")
    return written


def _is_large(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    return not table.is_view and count_rows(connection, table.name) > SMALL_TABLE_ROWS


def _update(changes: ChangedRows, file: SqlFile, *, follows: bool) -> None:
    """Bring one table up to date, and count its changed rows.

    follows: only changed rows of other tables can change its rows, because its code and registry are the same.
    """
    connection, table = changes.connection, PUBLISHED_TABLES[file.table]
    if follows and all(changes.counts.get(name, 0) == 0 for name in file.reads):
        return
    if table.is_view:
        changes.counts[table.name] = None
        return
    rule = rules().get(table.name)
    if rule and follows and all(changes.counts.get(name, 0) is not None for name in file.reads):
        for part in rule.parts:
            _follow(changes, file, table, part)
        return
    is_large = _is_large(connection, table)
    with fresh_rows(connection, file) as query:
        if is_large and not follows and table.short_name not in followed():
            # Most rows differ, and no rule reads which.
            replace_rows(connection, table, query)
            changes.counts[table.name] = None
            return
        changes.read_now(table, f"({query})")
    differing = changes.compare_now(table, table.name)
    if is_large and differing < count_rows(connection, table.name):
        _write_differing(connection, table)
    elif differing:
        replace_rows(connection, table, "FROM rows_now")


def _follow(changes: ChangedRows, file: SqlFile, table: Table, part: Part) -> None:
    """Compute the rows of a part again, and write those that differ."""
    connection = changes.connection
    if part.scope is not None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE scope AS {part.scope}")
        if not count_rows(connection, "scope"):
            return
    with _narrowed(connection, file, part):
        changes.read_now(table, f"({file.query}) WHERE {part.replaces}")
    if not changes.compare_now(table, f"{table.name} WHERE {part.replaces}"):
        return
    if _is_large(connection, table):
        _write_differing(connection, table)
        return
    connection.execute(f"INSERT INTO rows_now BY NAME FROM {table.name} WHERE NOT ({part.replaces})")
    replace_rows(connection, table, f"FROM rows_now ORDER BY {', '.join(table.key)}")


def _write_differing(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Write the rows in which `compare_now` found a difference, and no others."""
    connection.execute(
        f"DELETE FROM {table.name} USING removed_rows WHERE {_same_key(table.name, 'removed_rows', table)}"
    )
    connection.execute(f"INSERT INTO {table.name} BY NAME FROM added_rows")


@contextmanager
def _narrowed(connection: duckdb.DuckDBPyConnection, file: SqlFile, part: Part) -> Iterator[None]:
    """Make the tables of the file those of the catalog `narrowed`: narrowed inputs, and views of all other tables."""
    made: list[tuple[str, str]] = []
    try:
        for name, query in part.inputs.items():
            connection.execute(f"CREATE TABLE narrowed.{name} AS {query}")
            made.append(("TABLE", name))
        for name in sorted(file.reads - part.inputs.keys()):
            connection.execute(f"CREATE VIEW narrowed.{name} AS FROM ces.{name}")
            made.append(("VIEW", name))
        connection.execute("USE narrowed")
        yield
    finally:
        connection.execute("USE ces")
        for kind, name in reversed(made):
            connection.execute(f"DROP {kind} narrowed.{name}")

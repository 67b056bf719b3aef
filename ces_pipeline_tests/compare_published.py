"""Compares two published files table by table: which rows, columns, types or comments differ.

`python -m ces_pipeline_tests.compare_published BEFORE.duckdb AFTER.duckdb` prints every table of the layers core, mart,
audit and reference, and exits with 1 where one differs. What says when and by what code a row was made (times of work,
run ids, fingerprints) is left out and named. Both homes need the same pseudonym key (CES_PSEUDONYM_KEY).
"""

import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb

LAYERS = ("core", "mart", "audit", "reference")
OF_THE_RUN = {
    "audit.check_results": {"run_id", "checked_at", "detail"},
    "audit.delivery_columns": {"received_at"},
    "audit.deliveries": {"received_at"},
    "audit.load_audit": {"run_id", "rule_version", "inputs", "outputs", "cleaned_at"},
    "audit.publication": {"run_id", "published_at", "inputs", "layout"},
    "audit.published_days": {"sha256", "size_bytes"},
    "audit.published_tables": {"code_version", "inputs", "filled_by_run"},
    "audit.restatements": {"run_id", "restated_at"},
    "core.rejected_accounts": {"rule_version"},
    "core.rejected_events": {"rule_version"},
    "core.rejected_follow_ups": {"rule_version"},
    "core.rejected_invitations": {"rule_version"},
    "core.rejected_responses": {"rule_version"},
    "core.rejected_tickets": {"rule_version"},
}
"""Table -> columns that differ between two runs of the same code."""
RUN_TABLES = ("audit.requests", "audit.pulls", "audit.pull_windows", "mart.requests_daily")
"""Tables of requests to vendors: their rows are of the run."""


@dataclass(frozen=True)
class Difference:
    """One table of two files: rows that only one of them has, or what else differs."""

    table: str
    rows_before: int
    rows_after: int
    only_before: int
    only_after: int
    problem: str | None = None

    @property
    def is_equal(self) -> bool:
        return not (self.only_before or self.only_after or self.problem)


def tables_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, list[tuple[str, str]]]:
    """Full name -> (column, type) in order, of every table of the layers."""
    query = """
        SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns()
        WHERE database_name = $1 AND schema_name IN ('core', 'mart', 'audit', 'reference')
        ORDER BY table_name, column_index
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in connection.execute(query, [catalog]).fetchall():
        found.setdefault(table, []).append((column, kind))
    return found


def compare(
    before: Path,
    after: Path,
    *,
    shared_columns: bool = False,
    without: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Difference]:
    """Every table that either file has, by name.

    shared_columns: compare only the columns that both files have, numbers as numbers: for files of two releases.
    without: table -> columns that are left out.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in (("before", before), ("after", after)):
            connection.execute(f"ATTACH '{path}' AS {name}_file (READ_ONLY)")
        old, new = (tables_of(connection, f"{name}_file") for name in ("before", "after"))
        if shared_columns:
            old, new = _shared(old, new), _shared(new, old)
        for tables in (old, new):
            for table, names in without.items():
                tables[table] = [(name, kind) for name, kind in tables[table] if name not in names]
        return [_compare(connection, table, old.get(table), new.get(table)) for table in sorted({*old, *new})]


def _shared(
    tables: dict[str, list[tuple[str, str]]], others: dict[str, list[tuple[str, str]]]
) -> dict[str, list[tuple[str, str]]]:
    """The tables with the columns that the others have too, in order of name; integers are numbers."""
    numbers = {"BIGINT": "DOUBLE"}
    return {
        table: sorted(
            (name, numbers.get(kind, kind))
            for name, kind in columns
            if table not in others or name in dict(others[table])
        )
        for table, columns in tables.items()
    }


def _compare(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    old: list[tuple[str, str]] | None,
    new: list[tuple[str, str]] | None,
) -> Difference:
    if old is None or new is None:
        return Difference(
            table, 0, 0, 0, 0, "only in the file after" if old is None else "only in the file before"
        )
    if old != new:
        return Difference(table, 0, 0, 0, 0, "other columns, types or order of columns")
    left_out = OF_THE_RUN.get(table, set())
    columns = ", ".join(
        f'"{name}"::DOUBLE' if kind == "DOUBLE" else f'"{name}"' for name, kind in old if name not in left_out
    )
    if table in RUN_TABLES or not columns:
        columns = "count(*) > 0"
    rows = [
        Counter(map(repr, connection.execute(f"SELECT {columns} FROM {name}_file.{table}").fetchall()))
        for name in ("before", "after")
    ]
    return Difference(
        table,
        sum(rows[0].values()),
        sum(rows[1].values()),
        sum((rows[0] - rows[1]).values()),
        sum((rows[1] - rows[0]).values()),
    )


def main(before: str, after: str) -> int:
    """Print the comparison; 1 where a table differs."""
    differences = compare(Path(before), Path(after))
    for entry in differences:
        verdict = "equal" if entry.is_equal else "DIFFERS"
        ignored = (
            f" (without {', '.join(sorted(OF_THE_RUN[entry.table]))})" if entry.table in OF_THE_RUN else ""
        )
        detail = entry.problem or f"{entry.rows_before:,} rows"
        if not entry.is_equal and not entry.problem:
            detail += f", after {entry.rows_after:,}; only before {entry.only_before:,}, only after {entry.only_after:,}"
        print(f"{verdict:8} {entry.table}: {detail}{ignored}")
    differing = [entry.table for entry in differences if not entry.is_equal]
    print(f"{len(differences) - len(differing)} of {len(differences)} tables are equal")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Compares two published files table by table: which rows, columns, types or comments differ.

`python -m ces_pipeline_tests.compare_published BEFORE.duckdb AFTER.duckdb` prints every table of the layers core, mart,
audit and reference, and exits with 1 where one differs. What says when and by what code a row was made (times of work,
run ids, fingerprints) is left out and named. Both homes need the same pseudonym key (CES_PSEUDONYM_KEY).
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from ces_pipeline.publish.tables import PUBLISHED_TABLES

LAYERS = ("core", "mart", "audit", "reference")
OF_THE_RUN = {
    "audit.check_results": {"run_id", "checked_at", "detail"},
    "audit.delivery_columns": {"received_at"},
    "audit.deliveries": {"received_at"},
    "audit.load_audit": {"run_id", "rule_version", "inputs", "outputs", "cleaned_at"},
    "audit.publication": {"run_id", "published_at", "inputs", "layout", "rebuilt_size_bytes", "rebuilt_rows"},
    "audit.published_days": {"sha256", "size_bytes"},
    "audit.published_tables": {"code_version", "inputs", "code_and_registry", "filled_by_run"},
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
_MOST_READ, _MOST_SHOWN = 1_000, 3


@dataclass(frozen=True)
class Difference:
    """One table of two files: rows that only one of them has, or what else differs.

    examples: keys of some of these rows; columns and both values where both files have the key.
    """

    table: str
    rows_before: int
    rows_after: int
    only_before: int
    only_after: int
    problem: str | None = None
    examples: tuple[str, ...] = ()

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
    left_out: Mapping[str, Collection[str]] = OF_THE_RUN,
) -> list[Difference]:
    """Every table that either file has, by name.

    shared_columns: compare only the columns that both files have, numbers as numbers: for files of two releases.
    without: table -> columns that are left out. left_out: the same, in place of those of the run.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in (("before", before), ("after", after)):
            connection.execute(f"ATTACH '{path}' AS {name}_file (READ_ONLY)")
        old, new = (tables_of(connection, f"{name}_file") for name in ("before", "after"))
        if shared_columns:
            old, new = _shared(old, new), _shared(new, old)
        for tables in (old, new):
            for table, columns in tables.items():
                names = {*without.get(table, ()), *left_out.get(table, ())}
                tables[table] = [(name, kind) for name, kind in columns if name not in names]
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
    columns = ", ".join(
        f'"{name}"::DOUBLE AS "{name}"' if kind == "DOUBLE" else f'"{name}"' for name, kind in old
    )
    if table in RUN_TABLES or not columns:
        columns = "count(*) > 0 AS has_rows"
    rows = {name: f"SELECT {columns} FROM {name}_file.{table}" for name in ("before", "after")}
    only = {
        "before": f"({rows['before']} EXCEPT ALL {rows['after']})",
        "after": f"({rows['after']} EXCEPT ALL {rows['before']})",
    }
    counts = ", ".join(f"(SELECT count(*) FROM ({query}))" for query in (*rows.values(), only["before"]))
    found = connection.execute(f"SELECT {counts}").fetchone()
    assert found
    n_before, n_after, only_before = found
    # What is not only before is in both.
    only_after = n_after - (n_before - only_before)
    examples = _examples(connection, table, only) if only_before or only_after else ()
    return Difference(table, n_before, n_after, only_before, only_after, examples=tuple(examples))


def _examples(connection: duckdb.DuckDBPyConnection, table: str, only: Mapping[str, str]) -> Iterator[str]:
    """Some rows that only one file has: their keys, and what differs from the row of the same key in the other."""
    key = PUBLISHED_TABLES[table].key if table in PUBLISHED_TABLES else ()
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for name, rows in only.items():
        read = connection.execute(f"FROM {rows} ORDER BY ALL LIMIT {_MOST_READ}")
        names = [column[0] for column in read.description or ()]
        known = [dict(zip(names, values, strict=True)) for values in read.fetchall()]
        found[name] = {tuple(row.get(column) for column in key): row for row in known}
    for place in [*dict.fromkeys([*found["before"], *found["after"]])][:_MOST_SHOWN]:
        before, after = found["before"].get(place), found["after"].get(place)
        shown = ", ".join(f"{column} {value}" for column, value in zip(key, place, strict=True))
        if before is not None and after is not None:
            other = [
                f"{column} {before[column]!r} before, {after[column]!r} after"
                for column in before
                if repr(before[column]) != repr(after[column])
            ]
            yield f"{shown}: {'; '.join(other)}"
        else:
            yield f"{shown}: only {'before' if after is None else 'after'}: {before or after}"


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

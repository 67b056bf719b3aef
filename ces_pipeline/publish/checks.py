"""The checks of a snapshot: which there are, and running them on an open DuckDB connection.

A check is a query that returns the offending rows. Those over business facts are files in `sql/checks/`;
those that follow from the schemas (columns, keys) are made here. A check's answer names tables, days and
feeds, never a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

import duckdb
import pyarrow as pa

from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.sql_files import sql_files

_SHOWN_ROWS = 3


@dataclass(frozen=True)
class Check:
    """A named query for offending rows. `remedy` says what a reader should do about them."""

    name: str
    severity: Literal["blocking", "warning"]
    remedy: str
    query: str

    @property
    def is_blocking(self) -> bool:
        """True where a failure keeps the old snapshot published."""
        return self.severity == "blocking"


@dataclass(frozen=True)
class CheckResult:
    """A check's verdict: how many offending rows, and the first of them with the remedy in words."""

    check: Check
    failures: int
    detail: str | None

    @property
    def passed(self) -> bool:
        return self.failures == 0


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by name."""
    found = [_schema_check(), _keys_check(), _nulls_check()]
    for file in sql_files("checks"):
        severity, _, remedy = file.title.partition(": ")
        if severity not in ("blocking", "warning") or not remedy:
            raise ValueError(
                f"sql/checks/{file.name}.sql: the first line must be `-- blocking: …` or `-- warning: …`"
            )
        found.append(
            Check(file.name, "blocking" if severity == "blocking" else "warning", remedy, file.query)
        )
    return tuple(sorted(found, key=lambda check: check.name))


def run_checks(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check], *, business_date: date
) -> list[CheckResult]:
    """Run `checks` on the snapshot that `connection` uses as its default catalog.

    business_date: today in the business zone; queries may ask for `$yesterday`.
    """
    values = {"yesterday": date.fromordinal(business_date.toordinal() - 1)}
    return [_run(connection, check, values) for check in checks]


def _run(connection: duckdb.DuckDBPyConnection, check: Check, values: Mapping[str, object]) -> CheckResult:
    used = {name: value for name, value in values.items() if f"${name}" in check.query}
    cursor = connection.execute(check.query, used)
    names = [str(column[0]) for column in cursor.description or ()]
    rows = cursor.fetchall()
    if not rows:
        return CheckResult(check, 0, None)
    shown = "; ".join(
        ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
        for row in rows[:_SHOWN_ROWS]
    )
    more = f"; and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    return CheckResult(check, len(rows), f"{shown}{more}. {check.remedy}")


def sql_type(kind: pa.DataType) -> str:
    """The DuckDB type of an Arrow type, as DuckDB itself names it."""
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    return {
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
        pa.timestamp("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
    }[kind]


def _schema_check() -> Check:
    expected = ",\n    ".join(
        f"('{table.name}', '{field.name}', {place}, '{sql_type(field.type)}')"
        for table in PUBLISHED_TABLES.values()
        for place, field in enumerate(table.arrow, start=1)
    )
    query = f"""
with expected (table_name, column_name, place, type) as (
    values
    {expected}
),

actual as (
    select
        schema_name || '.' || table_name as table_name,
        column_name,
        column_index as place,
        data_type as type
    from duckdb_columns()
    where database_name = current_database() and not internal and schema_name <> 'main'
)

select
    table_name,
    column_name,
    expected.type as expected_type,
    actual.type as actual_type
from expected
full join actual using (table_name, column_name, place)
where expected.type is distinct from actual.type
order by table_name, column_name
"""
    return Check(
        "schema",
        "blocking",
        "The file's columns are not those that this version describes. Delete the published file and "
        "run `ces run`, which makes it again from the lake; if it stays, a query in sql/ and its "
        "schema disagree.",
        query,
    )


def _keys_check() -> Check:
    parts = []
    for table in PUBLISHED_TABLES.values():
        if table.key:
            key = ", ".join(table.key)
            # Grouped by a number first: only keys that share one can be equal, and most share none.
            parts.append(
                f"select '{table.name}' as table_name, count(*) as repeated_keys from (select 1 from {table.name} "
                f"where hash({key}) in (select hash({key}) from {table.name} group by 1 having count(*) > 1) "
                f"group by {key} having count(*) > 1) having count(*) > 0"
            )
    return Check(
        "keys_unique",
        "blocking",
        "A key stands on several rows of these tables, so joins would count twice. Clean their days again "
        "with `ces run --from DAY --to DAY`; if it stays, keep the lake and report it.",
        "\nunion all\n".join(parts) + "\norder by table_name",
    )


def _nulls_check() -> Check:
    """Only of the marts: day files are held to their schema before they are written."""
    parts = []
    for table in PUBLISHED_TABLES.values():
        filled = [name for name, column in table.columns.items() if not column.nullable]
        if table.layer == "mart" and filled:
            names = ", ".join(f"'{name}'" for name in filled)
            nulls = ", ".join(f"count(*) - count({name})" for name in filled)
            parts.append(
                f"select '{table.name}' as table_name, unnest([{names}]) as column_name, "
                f"unnest([{nulls}]) as nulls from {table.name}"
            )
    return Check(
        "nulls_described",
        "blocking",
        "These columns hold nulls though nothing says what one would mean. Keep the lake and report it.",
        "from (" + "\nunion all\n".join(parts) + ") where nulls > 0 order by table_name, column_name",
    )

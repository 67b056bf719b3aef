"""The checks of a snapshot: their list, and running them on an open DuckDB connection.

A check is a query that returns the wrong rows. Checks of business facts are files in `sql/checks/`; checks that
follow from the schemas (columns, keys, nulls) are made here. A result names tables, days and sources, never a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

import duckdb
import pyarrow as pa

from ces_pipeline.publish.rules import followed
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.sql_files import sql_files

KEYS_UNIQUE = "keys_unique"
_SHOWN_ROWS = 3


@dataclass(frozen=True)
class Check:
    """A named query for wrong rows. `remedy` states what the rows mean and what to do."""

    name: str
    severity: Literal["blocking", "warning"]
    remedy: str
    query: str

    @property
    def is_blocking(self) -> bool:
        """True if a failure stops the publish, so that the old file stays."""
        return self.severity == "blocking"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: the number of wrong rows, and the first of them with the remedy."""

    check: Check
    failures: int
    detail: str | None

    @property
    def passed(self) -> bool:
        return self.failures == 0


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by name."""
    found = [_schema_check(), keys_unique(), _nulls_check()]
    for file in sql_files("checks"):
        severity, _, remedy = file.title.partition(": ")
        if severity not in ("blocking", "warning") or not remedy:
            raise ValueError(
                f"sql/checks/{file.name}.sql: the first line must begin with `-- blocking: ` or `-- warning: `"
            )
        found.append(
            Check(file.name, "blocking" if severity == "blocking" else "warning", remedy, file.query)
        )
    return tuple(sorted(found, key=lambda check: check.name))


def run_checks(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check], *, business_date: date
) -> list[CheckResult]:
    """Run `checks` on the snapshot that `connection` uses as its default catalog.

    business_date: today in the business zone; queries may use `$yesterday`.
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
    """The name of an Arrow type in DuckDB."""
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
        "The columns of the published file differ from the schemas of this version. Delete the published file and "
        "run `ces run`, which rebuilds it from the lake. If the check still fails, a query in sql/ and its schema "
        "disagree.",
        query,
    )


def keys_unique(changed: Mapping[str, int | None] | None = None) -> Check:
    """The check that no key repeats, on all rows of all tables.

    changed: table -> number of changed rows, None if that is not known. Then tables without a changed row are left out,
    and of tables whose changed rows are in the catalog `changed` only those keys are looked at: the others were
    checked when they were published.
    """
    parts = []
    for table in PUBLISHED_TABLES.values():
        count = None if changed is None else changed.get(table.name)
        if not table.key or table.is_view or count == 0:
            continue
        key = ", ".join(table.key)
        # Grouped by a hash first: only keys with the same hash can be equal, and most hashes are unique.
        crowded = (
            f"select hash({key}) from changed.{table.short_name}"
            if count is not None and table.short_name in followed()
            else f"select hash({key}) from {table.name} group by 1 having count(*) > 1"
        )
        parts.append(
            f"select '{table.name}' as table_name, count(*) as repeated_keys from (select 1 from {table.name} "
            f"where hash({key}) in ({crowded}) group by {key} having count(*) > 1) having count(*) > 0"
        )
    return Check(
        KEYS_UNIQUE,
        "blocking",
        "In these tables several rows have the same key, so joins would count rows twice. Clean their days again with "
        "`ces run --from DAY --to DAY`. If the check still fails, this is a bug: keep the lake folder and open an "
        "issue.",
        "\nunion all\n".join(parts) + "\norder by table_name",
    )


def _nulls_check() -> Check:
    """Only for marts: day files are checked against their schema before they are written."""
    parts = []
    for table in PUBLISHED_TABLES.values():
        filled = [name for name, column in table.columns.items() if not column.nullable]
        if table.layer == "mart" and filled and not table.is_view:
            names = ", ".join(f"'{name}'" for name in filled)
            nulls = ", ".join(f"count(*) - count({name})" for name in filled)
            parts.append(
                f"select '{table.name}' as table_name, unnest([{names}]) as column_name, "
                f"unnest([{nulls}]) as nulls from {table.name}"
            )
    return Check(
        "nulls_described",
        "blocking",
        "These columns contain nulls but are documented as never null. This is a bug: keep the lake folder and open "
        "an issue.",
        "from (" + "\nunion all\n".join(parts) + ") where nulls > 0 order by table_name, column_name",
    )

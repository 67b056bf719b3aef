"""The checks of a snapshot: their list, and running them on an open DuckDB connection.

A check is a query that returns the wrong rows. Checks of business facts are files in `sql/checks/`; checks that
follow from the schemas (columns, keys, nulls) are made here. Each has poison: statements that add wrong rows, for the
proof that the check finds them (`ces_pipeline.proof`), whose own result is the check `poisoned_rows_caught`. A result
names tables, days and sources, never a person.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Literal

import duckdb
import pyarrow as pa

from ces_pipeline.publish.rules import followed
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table
from ces_pipeline.storage.sql_files import SqlFile, derived_files, sql_files

KEYS_UNIQUE = "keys_unique"
_SHOWN_ROWS = 3
_MOST_ROWS = 50
_TITLE = re.compile(r"(blocking|warning)(?: of ((?:core|mart)\.\w+))?: (.+)")
_POISON_TITLE = re.compile(r"([1-9]\d*) wrong rows?: .+")


@dataclass(frozen=True)
class Poison:
    """SQL statements that add so many wrong rows to an empty snapshot, for one check only."""

    statements: str
    wrong_rows: int


@dataclass(frozen=True)
class Check:
    """What must hold of a snapshot before it is published.

    remedy: what a failure means and what to do. judges: the table that it judges; empty: more than one.
    """

    name: str
    severity: Literal["blocking", "warning"]
    remedy: str
    judges: str = field(default="", kw_only=True)

    @property
    def is_blocking(self) -> bool:
        """True if a failure stops the publish, so that the old file stays."""
        return self.severity == "blocking"


@dataclass(frozen=True)
class SqlCheck(Check):
    """A query for wrong rows. poisons: each adds wrong rows that the query must find."""

    query: str
    poisons: tuple[Poison, ...]


POISONED_ROWS_CAUGHT = Check(
    "poisoned_rows_caught",
    "blocking",
    "Made-up rows that break these rules, schemas or checks were not found, so wrong rows of real data may not be "
    "found either. This is a bug of this version or of its libraries: install the version that was there before, keep "
    "the lake folder and open an issue.",
)


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: the number of wrong rows, and the first of them with the remedy.

    rows: the first wrong rows, column -> value; a wrong row without columns has only `what`.
    """

    check: Check
    failures: int
    detail: str | None
    rows: tuple[Mapping[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        return self.failures == 0


def result_of(check: Check, wrong: Sequence[str | Mapping[str, object]]) -> CheckResult:
    """The result of a check from its wrong rows: each a line, or column -> value."""
    if not wrong:
        return CheckResult(check, 0, None)
    lines = [
        row if isinstance(row, str) else ", ".join(f"{name} {value}" for name, value in row.items())
        for row in wrong[:_SHOWN_ROWS]
    ]
    rows = [
        {"what": row} if isinstance(row, str) else {name: str(value) for name, value in row.items()}
        for row in wrong[:_MOST_ROWS]
    ]
    more = f"; and {len(wrong) - _SHOWN_ROWS} more" if len(wrong) > _SHOWN_ROWS else ""
    return CheckResult(check, len(wrong), f"{'; '.join(lines)}{more}. {check.remedy}", tuple(rows))


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check that a publish reports, by name."""
    return tuple(sorted((*sql_checks(), POISONED_ROWS_CAUGHT), key=lambda check: check.name))


@cache
def sql_checks() -> tuple[SqlCheck, ...]:
    """Every check that is a query, by name. Raises ValueError, which names a check without severity or poison."""
    files, poison = sql_files("checks"), {file.name: file for file in sql_files("poison")}
    if stray := sorted(poison.keys() - {file.name for file in files}):
        raise ValueError(f"sql/poison/{stray[0]}.sql: there is no check sql/checks/{stray[0]}.sql")
    made = [_schema_check(), keys_unique(), _nulls_check()]
    made += [_check_of(file, poison.get(file.name)) for file in files]
    return tuple(sorted(made, key=lambda check: check.name))


def _check_of(file: SqlFile, poison: SqlFile | None) -> SqlCheck:
    head = _TITLE.fullmatch(file.title)
    if head is None or (head[2] and head[2] not in {derived.table for derived in derived_files()}):
        raise ValueError(
            f"sql/checks/{file.name}.sql: the first line must begin with `-- blocking: ` or `-- warning: `, "
            f"or name the derived table that it judges, such as `-- blocking of mart.ces_daily: `"
        )
    if poison is None:
        raise ValueError(
            f"sql/checks/{file.name}.sql: no poison. Add sql/poison/{file.name}.sql: statements that make an empty "
            f"snapshot fail this check"
        )
    poisoned = _POISON_TITLE.fullmatch(poison.title)
    if poisoned is None:
        raise ValueError(
            f"sql/poison/{file.name}.sql: the first line must be `-- N wrong rows: what they are`, such as "
            f"`-- 1 wrong row: a day with a figure and no response`"
        )
    return SqlCheck(
        file.name,
        "blocking" if head[1] == "blocking" else "warning",
        head[3],
        file.query,
        (Poison(poison.text, int(poisoned[1])),),
        judges=head[2] or "",
    )


def run_checks(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[SqlCheck], *, business_date: date
) -> list[CheckResult]:
    """Run `checks` on the snapshot that `connection` uses as its default catalog.

    business_date: today in the business zone; queries may use `$yesterday`.
    """
    values = {"yesterday": date.fromordinal(business_date.toordinal() - 1)}
    return [_run(connection, check, values) for check in checks]


def _run(connection: duckdb.DuckDBPyConnection, check: SqlCheck, values: Mapping[str, object]) -> CheckResult:
    used = {name: value for name, value in values.items() if f"${name}" in check.query}
    cursor = connection.execute(check.query, used)
    names = [str(column[0]) for column in cursor.description or ()]
    return result_of(check, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()])


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


def _schema_check() -> SqlCheck:
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
    where database_name = current_database() and not internal and schema_name not in ('main', 'bi')
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
    return SqlCheck(
        "schema",
        "blocking",
        "The columns of the published file differ from the schemas of this version. Delete the published file and "
        "run `ces run`, which rebuilds it from the lake. If the check still fails, a query in sql/ and its schema "
        "disagree.",
        query,
        _schema_poisons(),
    )


def _schema_poisons() -> tuple[Poison, ...]:
    """In every table that stores its rows, a column of another type and a further one; then, none of these tables."""
    stored = [table for table in PUBLISHED_TABLES.values() if not table.is_view]
    differing = ";".join(
        f"alter table {table.name} alter {_unpacked(table)} type uuid[];"
        f"alter table {table.name} add column poisoned integer"
        for table in stored
    )
    missing = ";".join(f"drop table {table.name} cascade" for table in stored)
    return Poison(differing, 2 * len(stored)), Poison(missing, sum(len(table.columns) for table in stored))


def _unpacked(table: Table) -> str:
    """A column that DuckDB can give another type: one whose compression is not that of text, if there is one."""
    unpacked = [field.name for field in table.arrow if not pa.types.is_string(field.type)]
    return str(unpacked[0] if unpacked else next(iter(table.columns)))


def keys_unique(changed: Mapping[str, int | None] | None = None) -> SqlCheck:
    """The check that no key repeats, on all rows of all tables.

    changed: table -> number of changed rows, None if that is not known. Then tables without a changed row are left out,
    and of tables whose changed rows are in the catalog `changed` only those keys are looked at: the others were
    checked when they were published.
    """
    parts, asked = [], []
    for table in PUBLISHED_TABLES.values():
        count = None if changed is None else changed.get(table.name)
        if not table.key or table.is_view or count == 0:
            continue
        asked.append(table)
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
    return SqlCheck(
        KEYS_UNIQUE,
        "blocking",
        "In these tables several rows have the same key, so joins would count rows twice. Clean their days again with "
        "`ces run --from DAY --to DAY`. If the check still fails, this is a bug: keep the lake folder and open an "
        "issue.",
        "\nunion all\n".join(parts) + "\norder by table_name",
        (_repeated_keys(asked),),
    )


def _repeated_keys(tables: Sequence[Table]) -> Poison:
    """Two equal rows in each of these tables."""
    inserts = []
    for table in tables:
        row = ", ".join(_value(table.arrow.field(name).type) for name in table.key)
        inserts.append(f"insert into {table.name} ({', '.join(table.key)}) select {row} from range(2)")
    return Poison(";".join(inserts), len(tables))


def _value(kind: pa.DataType) -> str:
    """An SQL expression for some value of an Arrow type."""
    text = {"VARCHAR": "'poison'", "BOOLEAN": "true", "DATE": "date '2026-03-02'"}
    text["TIMESTAMP WITH TIME ZONE"] = "timestamptz '2026-03-02 12:00:00Z'"
    return text.get(sql_type(kind), f"1::{sql_type(kind)}")


def _nulls_check() -> SqlCheck:
    """Only for marts: day files are checked against their schema before they are written."""
    parts, poisons, columns = [], [], 0
    for table in PUBLISHED_TABLES.values():
        filled = [name for name, column in table.columns.items() if not column.nullable]
        if table.layer == "mart" and filled and not table.is_view:
            names = ", ".join(f"'{name}'" for name in filled)
            nulls = ", ".join(f"count(*) - count({name})" for name in filled)
            parts.append(
                f"select '{table.name}' as table_name, unnest([{names}]) as column_name, "
                f"unnest([{nulls}]) as nulls from {table.name}"
            )
            poisons.append(f"insert into {table.name} ({filled[0]}) values (null)")
            columns += len(filled)
    return SqlCheck(
        "nulls_described",
        "blocking",
        "These columns contain nulls but are documented as never null. This is a bug: keep the lake folder and open "
        "an issue.",
        "from (" + "\nunion all\n".join(parts) + ") where nulls > 0 order by table_name, column_name",
        (Poison(";".join(poisons), columns),),
    )

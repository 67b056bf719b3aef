"""Proves the schemas: rows that break one are refused by the validation that its table's rows pass every night.

Rows of day files pass `Table.in_arrow` and `Table.broken`, those of post-processors pass `typed`. Tables that a query
fills have no frame: their columns, keys and nulls are checks of the snapshot, which `proof.checks` proves.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow as pya
from pandera.errors import SchemaErrors

from ces_pipeline.publish.derived import typed
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.table import Table
from ces_pipeline.statistics import POST_PROCESSED_BY

_IS_UNIQUE = "multiple_fields_uniqueness"
"""Pandera's name for the check that no key repeats."""


def uncaught_by_schemas() -> list[str]:
    """A name for each fault that the validation of a table does not refuse."""
    day_files = [name for kind in KINDS.values() for name in kind.tables]
    return [
        f"schema {name} ({fault})"
        for names, faults in ((day_files, faults_of_day_file), (POST_PROCESSED_BY, faults_of_post_processor))
        for name in names
        for fault in faults(PUBLISHED_TABLES[name])
    ]


def faults_of_day_file(table: Table) -> Iterator[str]:
    """Each fault in the rows of a day file that its validation does not refuse."""
    good = _good(table)
    if not _broken(good.drop(columns=good.columns[-1]), table):
        yield "missing column"
    if not _broken(good.assign(poisoned=1), table):
        yield "unknown column"
    for field in table.arrow:
        column = table.columns[field.name]
        wrong: Any = "poison" if pya.types.is_primitive(field.type) else 1
        faults = {f"wrong type of {field.name}": wrong}
        if not field.nullable:
            faults[f"null in {field.name}"] = None
        for check in column.checks:
            faults[f"value of {field.name} that is not {check.name}"] = _breaking(check)
        for fault, value in faults.items():
            if not _broken(good.assign(**{field.name: _objects(value, value)}), table):
                yield fault
    if table.key and not _broken(good.iloc[[0, 0]], table):
        yield "repeated key"


def _broken(frame: pd.DataFrame, table: Table) -> list[str]:
    try:
        return table.broken(table.in_arrow(frame))
    except ValueError as problem:
        return [str(problem)]


def faults_of_post_processor(table: Table) -> Iterator[str]:
    """Each fault in the rows of a post-processor that its validation does not refuse.

    A further column is none, since only those of the table are used, nor is a number among texts, which becomes one.
    """
    good = _good(table)
    if not _refused(good.drop(columns=good.columns[-1]), table):
        yield "missing column"
    # One column of each type: pandas converts them alike, and Pandera takes milliseconds for each fault.
    of_type = {field.type: field.name for field in table.arrow}
    for kind, name in of_type.items():
        poisoned = good.assign(**{name: _objects("poison", "poison")})
        if not pya.types.is_string(kind) and not _refused(poisoned, table):
            yield f"wrong type of {name}"
    filled = {field.type: field.name for field in table.arrow if not field.nullable}.values()
    nulls = good.iloc[[0]].assign(**{name: _objects(None) for name in filled})
    found = _refused(pd.concat([good.iloc[[0, 0]], nulls], ignore_index=True), table)
    yield from (f"null in {name}" for name in filled if (name, "not_nullable") not in found)
    if table.key and not any(check == _IS_UNIQUE for _, check in found):
        yield "repeated key"


def _refused(frame: pd.DataFrame, table: Table) -> set[tuple[str, str]]:
    """(Column, check) of each failure; the type of the error for a frame that cannot be validated."""
    try:
        typed(frame, table)
    except SchemaErrors as problem:
        cases = problem.failure_cases
        return set(zip(cases["column"].astype("str"), cases["check"].astype("str"), strict=True))
    except (KeyError, TypeError, ValueError) as problem:
        return {("", type(problem).__name__)}
    return set()


def _good(table: Table) -> pd.DataFrame:
    """Two different rows that fit the schema."""
    return pd.DataFrame(
        {
            field.name: _objects(*(_fitting(field, table.columns[field.name].checks, n) for n in (0, 1)))
            for field in table.arrow
        }
    )


def _objects(*values: object) -> pd.Series:
    return pd.Series(values, dtype="object")


def _fitting(field: pya.Field, checks: list[pa.Check], number: int) -> object:
    for check in checks:
        holds = check.statistics or {}
        if "allowed_values" in holds:
            return list(holds["allowed_values"])[number]
        least = holds["min_value"]
        return int(least) + number if pya.types.is_integer(field.type) else float(least) + number
    return {
        pya.string(): f"value {number}",
        pya.int64(): number,
        pya.float64(): float(number),
        pya.bool_(): bool(number),
        pya.date32(): date(2026, 3, 2 + number),
        pya.timestamp("us", "UTC"): datetime(2026, 3, 2 + number, tzinfo=UTC),
        pya.list_(pya.string()): [f"value {number}"],
    }[field.type]


def _breaking(check: pa.Check) -> object:
    """A value that breaks a check of the schemas: one of a list, or one from a range."""
    holds = check.statistics or {}
    return "poison" if "allowed_values" in holds else holds["max_value"] + 1

"""Protects the filling of derived tables: what a function makes is held to the schema, and a failure names its mart."""

from collections.abc import Iterator

import duckdb
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from ces_pipeline.publish.derived import fill_derived, typed
from ces_pipeline.schemas.table import DAY, FLAG, FLAG_OR_NULL, INTEGER, NUMBER, TEXT, Table, column
from ces_pipeline.storage.sql_files import SqlFile

TABLE = Table(
    "mart.example",
    "One row per name.",
    ("name",),
    {
        "name": column(TEXT, "A name."),
        "day": column(DAY, "A day."),
        "n": column(INTEGER, "A count."),
        "share": column(NUMBER, "A share; null: none.", nullable=True),
        "is_good": column(FLAG_OR_NULL, "A flag; null: not known.", nullable=True),
        "is_new": column(FLAG, "A flag."),
    },
)


def frame(**values: object) -> pd.DataFrame:
    columns = {
        "n": [1, 2],
        "name": ["a", "b"],
        "share": [0.5, float("nan")],
        "is_good": [True, None],
        "is_new": [True, False],
        "more": [1, 1],
    }
    return pd.DataFrame({**columns, "day": pd.to_datetime(["2026-03-02", "2026-03-03"]).date, **values})


def test_plain_columns_become_the_tables_own_and_nan_becomes_null() -> None:
    rows = typed(frame(), TABLE)
    assert rows.schema.remove_metadata() == TABLE.arrow
    assert rows["share"].to_pylist() == [0.5, None]
    assert rows["is_good"].to_pylist() == [True, None]


@pytest.mark.parametrize("wrong", [{"n": [1, None]}, {"name": ["a", "a"]}, {"is_new": [True, None]}])
def test_rows_that_are_not_what_the_schema_says_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SchemaErrors):
        typed(frame(**wrong), TABLE)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_a_query_that_fails_names_the_table_it_was_for(connection: duckdb.DuckDBPyConnection) -> None:
    broken = SqlFile("mart", "ces_daily", "select 1 as day from nowhere")
    with pytest.raises(duckdb.Error) as raised:
        fill_derived(connection, [broken])
    assert "while filling mart.ces_daily" in raised.value.__notes__

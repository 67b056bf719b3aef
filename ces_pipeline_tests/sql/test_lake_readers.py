"""Protects reading the lake without DuckDB: pandas and pyarrow see the published rows, in types that any tool knows."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from ces_pipeline.publish.inputs import DAY_TABLES
from ces_pipeline.publish.step import STORED_TABLES
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline_tests.lake_days import (
    DAY,
    NOON,
    SmallHome,
    days_from,
    rejected,
    response,
    small_home,
    ticket,
)

FILLED = ("core.responses", "core.rejected_responses", "core.ticket_versions", *STORED_TABLES)
PLAIN = {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us", "UTC")}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"))
    for day in days_from(DAY, 3):
        answers = [
            response(f"{day}{n}", day, ticket_id="T", ease=None if n == 0 else 25.0 * n) for n in range(4)
        ]
        small.clean("survey", answers, [rejected(f"x{day}", day)], day=day)
    small.clean("tickets", [ticket("T", solved_at=NOON, resolution_minutes=90.0), ticket("U")])
    assert small.publish().published
    return small


def folder(small: SmallHome, name: str) -> Path:
    return small.home.lake / name.replace(".", "/")


@pytest.mark.parametrize("name", FILLED)
def test_pyarrow_reads_a_table_with_its_own_types_and_all_its_rows(small: SmallHome, name: str) -> None:
    dataset = ds.dataset(folder(small, name), format="parquet")
    assert dataset.schema.equals(TABLES[name].arrow)
    key = TABLES[name].sort
    rows = dataset.to_table(columns=list(key)).to_pylist()
    published = small.rows(f"SELECT {', '.join(key)} FROM {name} ORDER BY ALL")
    assert sorted(tuple(row.values()) for row in rows) == published
    assert published


@pytest.mark.parametrize("name", FILLED)
def test_pandas_reads_a_table_as_pyarrow_does(small: SmallHome, name: str) -> None:
    frame = pd.read_parquet(folder(small, name), partitioning=None)
    assert list(frame.columns) == list(TABLES[name].columns)
    assert len(frame) == ds.dataset(folder(small, name), format="parquet").count_rows()


def test_the_figures_are_those_of_the_published_file(small: SmallHome) -> None:
    frame = pd.read_parquet(folder(small, "core.responses"), partitioning=None)
    ((n, mean),) = small.rows(
        "SELECT n, mean_ease_0_100 FROM mart.ces_segments WHERE period = 'all' AND dimension = 'all'"
    )
    # Of each of three days: one answer without a score, 25, 50 and 75.
    assert (n, mean) == (frame["ease_0_100"].count(), frame["ease_0_100"].mean()) == (9, 50.0)
    assert str(frame["recorded_at"].dt.tz) == "UTC"


@pytest.mark.parametrize("name", [*DAY_TABLES, *STORED_TABLES])
def test_every_column_of_the_lake_is_of_a_type_that_any_tool_knows(name: str) -> None:
    unlike = {
        field.name: field.type
        for field in TABLES[name].arrow
        if field.type not in PLAIN and field.type != pa.list_(pa.string())
    }
    assert unlike == {}

"""The figures of each survey and day as each publish showed them: new rows of `audit.figure_history`.

A publish adds a row for a survey and day whose answers it shows otherwise than the newest row of the history, and for
one that is new. So the history says what was known at any time, and grows with what changes.
"""

from datetime import datetime

import duckdb
import pyarrow as pa

from ces_pipeline.schemas.audit import FIGURE_HISTORY
from ces_pipeline.storage.duck import arrow_rows
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline.storage.lake import Lake

_DECIDING = (
    *("n", "easy_count", "neutral_count", "difficult_count", "top_two_count"),
    *("ease_sum_0_100", "ease_square_sum_0_100"),
)
"""The columns by which figures differ; the others follow from them and from the settings."""


def new_figures(
    connection: duckdb.DuckDBPyConnection, history: pa.Table, run_id: str, published_at: datetime
) -> pa.Table:
    """The rows that a publish at this time adds to the history, from `mart.ces_segments` of the snapshot.

    history: the rows of earlier publishes. A survey and day without answers that had some before gets a row of n = 0.
    """
    figures = [
        name for name in FIGURE_HISTORY.columns if name not in ("survey_id", "day", "published_at", "run_id")
    ]
    shown = ", ".join(
        f"coalesce(now.{name}, 0) as {name}" if name in _DECIDING else f"now.{name}" for name in figures
    )
    differs = " or ".join(f"coalesce(now.{name}, 0) is distinct from newest.{name}" for name in _DECIDING)
    connection.register("figure_history", history)
    try:
        return arrow_rows(
            connection,
            f"""
            with newest as (
                select * from figure_history
                qualify row_number() over (partition by survey_id, day order by published_at desc) = 1
            ),
            now as (
                select segment as survey_id, period_start as day, * exclude (segment, period_start)
                from mart.ces_segments
                where period = 'day' and dimension = 'survey'
            )
            select survey_id, day, $published_at as published_at, $run_id as run_id, {shown}
            from now full join newest using (survey_id, day)
            where {differs}
            order by survey_id, day
            """,
            FIGURE_HISTORY.arrow,
            {"published_at": published_at, "run_id": run_id},
        )
    finally:
        connection.unregister("figure_history")


def add_figures(lake: Lake, rows: pa.Table, published_at: datetime) -> None:
    """Store the rows of a publish in the lake."""
    add_rows(lake, FIGURE_HISTORY, ALL_SOURCES, published_at, rows.to_pylist())

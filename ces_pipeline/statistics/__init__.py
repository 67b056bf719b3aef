"""Statistics that SQL does not do well: plain functions from the rows of a mart's query to the mart's rows.

Every mart has its query in `sql/mart/`, which says what it reads. Of the marts named here that query gathers the
evidence, and the function makes the table of it, during the publish. A function takes and returns a frame, knows
no Dagster and no file, and gives the same rows for the same evidence: a seed comes from the data, never from the
clock.
"""

from collections.abc import Callable
from pkgutil import resolve_name

import pandas as pd

POST_PROCESSED_BY: dict[str, str] = {
    "mart.effort_drivers": "ces_pipeline.statistics.drivers:effort_drivers",
    "mart.event_effort_lag": "ces_pipeline.statistics.lags:event_effort_lag",
    "mart.fix_impact": "ces_pipeline.statistics.fixes:fix_impact",
    "mart.fix_ticket_impact": "ces_pipeline.statistics.fixes:fix_ticket_impact",
    "mart.kpi_association": "ces_pipeline.statistics.kpis:kpi_association",
    "mart.outcomes": "ces_pipeline.statistics.outcomes:outcomes",
    "mart.priorities": "ces_pipeline.statistics.priorities:priorities",
    "mart.release_windows": "ces_pipeline.statistics.releases:release_windows",
    "mart.segment_differences": "ces_pipeline.statistics.differences:segment_differences",
}
"""Mart -> `module:function`, by name: scipy takes seconds to import, which only a publish should pay."""


def post_processor(table: str) -> Callable[[pd.DataFrame], pd.DataFrame] | None:
    """The function that makes the mart `table` of its query's rows; None where the query alone does."""
    name = POST_PROCESSED_BY.get(table)
    return resolve_name(name) if name else None

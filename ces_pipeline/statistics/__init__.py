"""Statistics that SQL does not do well: plain functions from the rows of a mart's query to the rows of the mart.

Every mart has a query in `sql/mart/`, which names the tables that it reads. For the marts below, the query collects
the evidence, and the function computes the table from it during the publish. A function takes and returns a frame,
uses no Dagster and no file, and gives the same rows for the same evidence: seeds come from the data, never from the
clock.

A module per mart (or pair of marts) holds its function. `estimates.py` holds the tests and intervals that several
marts share, `changes.py` the estimates of a change from before to after.
"""

from collections.abc import Callable
from pkgutil import resolve_name

import pandas as pd

POST_PROCESSED_BY: dict[str, str] = {
    "mart.anomalies_daily": "ces_pipeline.statistics.anomalies:anomalies_daily",
    "mart.direction_drift": "ces_pipeline.statistics.direction:direction_drift",
    "mart.effort_drivers": "ces_pipeline.statistics.drivers:effort_drivers",
    "mart.event_effort_lag": "ces_pipeline.statistics.lags:event_effort_lag",
    "mart.fix_impact": "ces_pipeline.statistics.fixes:fix_impact",
    "mart.fix_ticket_impact": "ces_pipeline.statistics.fixes:fix_ticket_impact",
    "mart.kpi_association": "ces_pipeline.statistics.kpis:kpi_association",
    "mart.month_changes": "ces_pipeline.statistics.period_changes:period_changes",
    "mart.outcomes": "ces_pipeline.statistics.outcomes:outcomes",
    "mart.priorities": "ces_pipeline.statistics.priorities:priorities",
    "mart.quarter_changes": "ces_pipeline.statistics.period_changes:period_changes",
    "mart.release_windows": "ces_pipeline.statistics.releases:release_windows",
    "mart.segment_differences": "ces_pipeline.statistics.differences:segment_differences",
    "mart.week_changes": "ces_pipeline.statistics.period_changes:period_changes",
}
"""Mart -> `module:function`. A name, not an import: scipy takes seconds to import, and only a publish needs it."""


def post_processor(table: str) -> Callable[[pd.DataFrame], pd.DataFrame] | None:
    """The function that computes the mart `table` from the rows of its query. None: the query gives the mart itself."""
    name = POST_PROCESSED_BY.get(table)
    return resolve_name(name) if name else None

"""`mart.event_effort_lag`: correlation of effort with a backend measure, and the lag in days between them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.improvements import EVENT_EFFORT_LAG
from ces_pipeline.statistics.estimates import (
    FALSE_DISCOVERY_RATE,
    UNDEFINED,
    Correlation,
    false_discovery_adjusted,
    lagged_correlations,
)


def event_effort_lag(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per measure, category and lag: rank correlation of the days' changes, its interval, p and q.

    The evidence has one row per measure, category and day, without gaps. `is_best_lag`: the strongest of the lags of
    a measure and category that remain after false-discovery control among all rows.
    """
    rows = pd.DataFrame(_rows(evidence), columns=list(EVENT_EFFORT_LAG.columns))
    if rows.empty:
        return rows
    rows["q_value"] = false_discovery_adjusted(rows["p_value"].to_numpy(dtype=float))
    is_found = rows["q_value"].le(FALSE_DISCOVERY_RATE)
    strength = rows["correlation"].abs().where(is_found)
    strongest = strength.groupby([rows["measure"], rows["category"]]).transform("max")
    rows["is_best_lag"] = is_found & strength.eq(strongest)
    rows["verdict"] = np.select(
        [rows["is_suppressed"], rows["p_value"].isna(), is_found],
        ["not enough data", "no variance", "related"],
        "no relation shown",
    )
    return rows


def _rows(evidence: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (measure, category), found in evidence.groupby(["measure", "category"], sort=True):
        measured, effort = (found[name].to_numpy(dtype=float) for name in ("measured", "effort"))
        for lag, effective_n, correlated in lagged_correlations(
            measured, effort, int(found["most_lag_days"].iloc[0])
        ):
            is_suppressed = correlated.n < max(10, int(found["minimum_n"].iloc[0]))
            shown = Correlation(correlated.n, *UNDEFINED) if is_suppressed else correlated
            yield {
                "measure": measure,
                "category": category,
                "lag_days": lag,
                "n": shown.n,
                "effective_n": np.nan if is_suppressed else effective_n,
                "correlation": shown.value,
                "correlation_low": shown.low,
                "correlation_high": shown.high,
                "p_value": shown.p_value,
                "is_suppressed": is_suppressed,
            }

"""`mart.effort_drivers`: rank correlation of effort with the quantities that the ticket system reports."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ces_pipeline.statistics.estimates import FALSE_DISCOVERY_RATE, false_discovery_adjusted
from ces_pipeline.statistics.ranks import UNDEFINED, Correlation, rank_correlations

DRIVERS = (
    "first_reply_minutes",
    "first_reply_business_minutes",
    "resolution_minutes",
    "resolution_business_minutes",
    "reopens",
    "handoffs",
    "replies",
    "touches",
    "channel_switches",
    "is_repeat_contact",
    "effort_index_0_100",
)
ALL_TICKETS = "all tickets"


def effort_drivers(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per category (and all tickets) and driver: `n` pairs, Spearman's `correlation`, interval, p, q, verdict.

    The evidence has one row per scored, linked answer, each with `minimum_n`. Fewer pairs are suppressed. q is p after
    false-discovery control (Benjamini and Hochberg) among all correlations shown.
    """
    columns = ["category", "driver", *Correlation._fields, "is_suppressed"]
    rows = pd.DataFrame(_rows(evidence), columns=columns).rename(
        columns={"value": "correlation", "low": "correlation_low", "high": "correlation_high"}
    )
    rows["q_value"] = false_discovery_adjusted(rows["p_value"].to_numpy(dtype=float))
    is_found = rows["q_value"].le(FALSE_DISCOVERY_RATE)
    rows["verdict"] = np.select(
        [
            rows["is_suppressed"].astype(bool),
            rows["p_value"].isna(),
            is_found & rows["correlation"].gt(0),
            is_found & rows["correlation"].lt(0),
        ],
        ["suppressed", "no variance", "more effort", "less effort"],
        "no association shown",
    )
    return rows.sort_values(["category", "driver"], ignore_index=True)


def _rows(evidence: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    if evidence.empty:
        return
    minimum_n = int(evidence["minimum_n"].iloc[0])
    effort = evidence["effort_0_100"].to_numpy(dtype=float)
    codes, categories = pd.factorize(evidence["category"], sort=True)
    for driver in DRIVERS:
        values = evidence[driver].to_numpy(dtype=float, na_value=np.nan)
        correlations = rank_correlations(values, effort, codes, len(categories))
        for category, found in zip((ALL_TICKETS, *categories), correlations, strict=True):
            is_suppressed = found.n < minimum_n
            yield category, driver, *((found.n, *UNDEFINED) if is_suppressed else found), is_suppressed

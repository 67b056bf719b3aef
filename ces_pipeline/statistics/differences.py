"""`mart.segment_differences`: mean ease of each segment compared with the rest of its dimension."""

import numpy as np
import pandas as pd

from ces_pipeline.statistics.estimates import (
    FALSE_DISCOVERY_RATE,
    difference_interval,
    false_discovery_adjusted,
    moments,
    permutation_p,
    skewness,
)

_SUMS = [f"{name}{of}" for of in ("", "_total") for name in ("n", "ease_sum", "ease_square_sum")]


def segment_differences(evidence: pd.DataFrame) -> pd.DataFrame:
    """The differences with their interval, `p_value`, `q_value` and `verdict`.

    The evidence has one row per period, dimension and segment: `n` and sums of ease, of the segment and in total; the
    total has the sum of cubes as well. q is p after false-discovery control (Benjamini and Hochberg) among all segments
    of all dimensions of the same period, without suppressed comparisons. A verdict needs q and the interval to agree.
    """
    n, ease_sum, square_sum, n_total, total, square_total = (
        evidence[name].to_numpy(dtype=float) for name in _SUMS
    )
    segment = moments(n, ease_sum, square_sum)
    rest = moments(n_total - n, total - ease_sum, square_total - square_sum)
    pooled = moments(n_total, total, square_total)
    cubes = evidence["ease_cube_sum_total"].to_numpy(dtype=float)
    low, high = difference_interval(segment, rest, pooled)
    p_value = permutation_p(segment, pooled, skewness(pooled, square_total, cubes))
    shown = ~evidence["is_suppressed"].to_numpy(dtype=bool)
    has_test = shown & ~np.isnan(p_value)
    rows = evidence.drop(columns=[*_SUMS[1:], "ease_cube_sum_total"]).assign(
        mean_ease_0_100=np.where(shown, segment.mean, np.nan),
        mean_ease_rest_0_100=np.where(shown, rest.mean, np.nan),
        difference_ease_0_100=np.where(shown, segment.mean - rest.mean, np.nan),
        difference_low_0_100=np.where(has_test, low, np.nan),
        difference_high_0_100=np.where(has_test, high, np.nan),
        p_value=np.where(has_test, p_value, np.nan),
    )
    rows["q_value"] = rows.groupby(["period", "period_start"])["p_value"].transform(
        lambda p_values: false_discovery_adjusted(p_values.to_numpy())
    )
    is_found = rows["q_value"] <= FALSE_DISCOVERY_RATE
    rows["verdict"] = np.select(
        [
            rows["n_rest"] == 0,
            ~shown,
            ~has_test,
            is_found & (rows["difference_low_0_100"] > 0),
            is_found & (rows["difference_high_0_100"] < 0),
        ],
        ["only segment", "suppressed", "no variance", "easier", "harder"],
        "no difference shown",
    )
    return rows

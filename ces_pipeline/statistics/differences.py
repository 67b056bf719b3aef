"""`mart.segment_differences`: mean ease of each segment compared with the rest of its dimension."""

import numpy as np
import pandas as pd

from ces_pipeline.statistics.estimates import (
    FALSE_DISCOVERY_RATE,
    false_discovery_adjusted,
    welch_difference,
)


def segment_differences(evidence: pd.DataFrame) -> pd.DataFrame:
    """The evidence with `difference_ease_0_100`, its interval, `p_value`, `q_value` and `verdict`.

    q is p after false-discovery control (Benjamini and Hochberg) among all segments of all dimensions of the same
    period, without suppressed comparisons.
    """
    found = welch_difference(
        *(
            evidence[name].to_numpy(dtype=float)
            for name in (
                "mean_ease_0_100",
                "sd_ease_0_100",
                "n",
                "mean_ease_rest_0_100",
                "sd_ease_rest_0_100",
                "n_rest",
            )
        )
    )
    shown = ~evidence["is_suppressed"].to_numpy(dtype=bool)
    rows = evidence.assign(
        mean_ease_0_100=evidence["mean_ease_0_100"].where(shown),
        mean_ease_rest_0_100=evidence["mean_ease_rest_0_100"].where(shown),
        difference_ease_0_100=np.where(shown, found.value, np.nan),
        difference_low_0_100=np.where(shown, found.low, np.nan),
        difference_high_0_100=np.where(shown, found.high, np.nan),
        p_value=np.where(shown, found.p_value, np.nan),
    )
    rows["q_value"] = rows.groupby(["period", "period_start"])["p_value"].transform(
        lambda p_values: false_discovery_adjusted(p_values.to_numpy())
    )
    rows["verdict"] = np.select(
        [
            rows["n_rest"] == 0,
            ~shown,
            rows["p_value"].isna(),
            rows["q_value"] > FALSE_DISCOVERY_RATE,
            rows["difference_ease_0_100"] > 0,
        ],
        ["only segment", "suppressed", "no variance", "no difference shown", "easier"],
        "harder",
    )
    return rows

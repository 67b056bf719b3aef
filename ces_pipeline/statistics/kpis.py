"""`mart.kpi_association`: rank correlations of ease with satisfaction and recommendation on the same interaction."""

from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.statistics.ranks import rank_correlation

_FIGURES = ("spearman", "spearman_low", "spearman_high")


def kpi_association(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per kpi and survey_id of the evidence (values, and their number of `pairs`), with n and intervals.

    Such scales have many ties; ties get mean ranks. (Kendall's tau would need another interval: its usual one covers
    88 % of such answers instead of 95 %.)
    """
    rows = [
        _associated(str(kpi), str(survey_id), found)
        for (kpi, survey_id), found in evidence.groupby(["kpi", "survey_id"], sort=True)
    ]
    return pd.DataFrame(rows, columns=["kpi", "survey_id", "n", *_FIGURES, "is_suppressed", "why_null"])


def _associated(kpi: str, survey_id: str, found: pd.DataFrame) -> dict[str, Any]:
    pairs = found["pairs"].to_numpy(dtype=np.int64)
    ease, other = (np.repeat(found[name].to_numpy(dtype=float), pairs) for name in ("ease_0_100", "other"))
    row = {"kpi": kpi, "survey_id": survey_id, "n": len(ease), **dict.fromkeys(_FIGURES, np.nan)}
    too_few = len(ease) < max(10, int(found["minimum_n"].iloc[0]))
    why_null = "fewer than the minimum n (10 at least)" if too_few else None
    if not too_few and (np.ptp(ease) == 0 or np.ptp(other) == 0):
        why_null = "all answers to one of the two are equal"
    if why_null is None:
        result = rank_correlation(ease, other)
        row |= {"spearman": result.value, "spearman_low": result.low, "spearman_high": result.high}
    return {**row, "is_suppressed": too_few, "why_null": why_null}

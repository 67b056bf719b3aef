"""`mart.week_changes`, `mart.month_changes`, `mart.quarter_changes`: the ease of a survey against the period before."""

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

FEWEST_DAYS = 6
"""Degrees of freedom between the days of a period below which their variance is not known."""


def period_changes(evidence: pd.DataFrame) -> pd.DataFrame:
    """The changes of mean ease with their interval, `p_value`, `q_value`, `verdict` and the completed `why_null`.

    The evidence has one row per survey and period, in order: n and sums of ease of the period and of the one before,
    the squares between its days, and `why_null`. Answers of one day resemble each other: the numbers of answers are
    divided by their design effect (Kish 1965), 1 + (answers a day - 1) times the correlation within days. That
    correlation is estimated from the survey's own days up to the period (`day_correlation`), so that a later period
    changes no earlier verdict. q is p after false-discovery control (Benjamini and Hochberg) among the surveys of a
    period. A verdict needs q and the interval to agree.
    """
    rows = evidence.sort_values(["survey_id", "period_start"], kind="stable", ignore_index=True)
    correlation = day_correlation(rows)
    now, before = (_sums(rows, end) for end in ("", "_before"))
    pooled_sums = [one + other for one, other in zip(now, before, strict=True)]
    effective_n, effective_n_before = (_effective_n(n, days, correlation) for n, *_, days in (now, before))
    part, other, pooled = (moments(*sums[:3]) for sums in (now, before, pooled_sums))
    of_pool = skewness(pooled, pooled_sums[2], pooled_sums[3])
    part, other, pooled = (
        part._replace(n=effective_n),
        other._replace(n=effective_n_before),
        pooled._replace(n=effective_n + effective_n_before),
    )
    is_compared = rows["why_null"].isna().to_numpy()
    is_known = is_compared & ~np.isnan(correlation)
    p_value = np.where(is_known, permutation_p(part, pooled, of_pool), np.nan)
    low, high = difference_interval(part, other, pooled)
    is_tested = is_known & np.isfinite(p_value) & np.isfinite(low) & np.isfinite(high)
    change = part.mean - other.mean
    rows = rows.assign(
        effective_n=np.where(is_known, effective_n, np.nan),
        effective_n_before=np.where(is_known, effective_n_before, np.nan),
        change_ease_0_100=np.where(is_tested, change, np.nan),
        change_low_0_100=np.where(is_tested, np.maximum(low, -100), np.nan),
        change_high_0_100=np.where(is_tested, np.minimum(high, 100), np.nan),
        p_value=np.where(is_tested, p_value, np.nan),
    )
    rows["why_null"] = np.select(
        [is_tested | ~is_compared, np.isnan(correlation)], [rows["why_null"], "too few days"], "no variance"
    )
    rows["q_value"] = rows.groupby("period_start")["p_value"].transform(
        lambda p_values: false_discovery_adjusted(p_values.to_numpy())
    )
    is_significant = rows["q_value"].to_numpy() <= FALSE_DISCOVERY_RATE
    verdict = np.select(
        [is_significant & (low > 0), is_significant & (high < 0)], ["easier", "harder"], "no change shown"
    )
    rows["verdict"] = pd.Series(verdict).where(is_tested)
    return rows


def day_correlation(rows: pd.DataFrame) -> np.ndarray:
    """Correlation of two answers of one day within the period, 0 to 1, from all periods of the survey so far.

    rows: sorted by survey and period. The estimator of one-way analysis of variance (Donner 1986), of days within
    periods, so that a change from period to period is not part of it. NaN: fewer degrees of freedom than FEWEST_DAYS.
    """
    n, ease_sum, square_sum = (
        rows[name].to_numpy(dtype=float) for name in ("n", "ease_sum_0_100", "ease_square_sum_0_100")
    )
    day_squares, day_n_squares = (
        rows[name].to_numpy(dtype=float) for name in ("day_ease_square_sum", "day_n_square_sum")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        found = pd.DataFrame(
            {
                "between": np.where(n > 0, day_squares - ease_sum**2 / n, 0.0),
                "between_freedom": np.maximum(rows["days"].to_numpy(dtype=float) - 1, 0),
                "within": square_sum - day_squares,
                "within_freedom": n - rows["days"].to_numpy(dtype=float),
                "sizes": np.where(n > 0, n - day_n_squares / n, 0.0),
            }
        )
        so_far = found.groupby(rows["survey_id"].to_numpy()).cumsum()
        within = so_far["within"] / so_far["within_freedom"]
        per_day = so_far["sizes"] / so_far["between_freedom"]
        of_days = np.maximum((so_far["between"] / so_far["between_freedom"] - within) / per_day, 0)
        share = np.where(within + of_days > 0, of_days / (within + of_days), 0.0)
    is_known = (so_far["between_freedom"] >= FEWEST_DAYS) & (so_far["within_freedom"] >= FEWEST_DAYS)
    return np.where(is_known, share, np.nan)


def _sums(rows: pd.DataFrame, end: str) -> list[np.ndarray]:
    """n, the sums of ease, its squares and cubes, and the sum of the squared n of the days."""
    names = ("n", "ease_sum_0_100", "ease_square_sum_0_100", "ease_cube_sum", "day_n_square_sum")
    return [rows[f"{name}{end}"].to_numpy(dtype=float) for name in names]


def _effective_n(n: np.ndarray, day_n_square_sum: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        effective_n: np.ndarray = n / (1 + (day_n_square_sum / n - 1) * correlation)
    return effective_n

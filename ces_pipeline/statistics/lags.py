"""`mart.event_effort_lag`: correlation of effort with a backend measure, and the lag in days between them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, stats

from ces_pipeline.schemas.mart.improvements import EVENT_EFFORT_LAG
from ces_pipeline.statistics.estimates import FALSE_DISCOVERY_RATE, false_discovery_adjusted
from ces_pipeline.statistics.ranks import UNDEFINED, Correlation, fisher_interval, rank_correlation

_ORDER = 5
"""Days of the past by which a day of the measure is predicted."""
_FITTED = 7
"""Figures taken out of each series before the filter: seven weekdays, of which one is the level, and a trend."""


def event_effort_lag(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per measure, category and lag: rank correlation of the filtered days, its interval and p.

    The evidence has one row per measure, category and day, without gaps. Of each measure and category only the lag with
    the smallest p is judged (`is_best_lag`): its q is that p, times the number of lags, after false-discovery control
    among all measures and categories.
    """
    rows = pd.DataFrame(_rows(evidence), columns=list(EVENT_EFFORT_LAG.columns))
    if rows.empty:
        return rows
    pair = rows.groupby(["measure", "category"], sort=False)
    smallest, tests = pair["p_value"].transform("min"), pair["p_value"].transform("count")
    is_best = rows["p_value"].eq(smallest) & ~rows.assign(
        is_smallest=rows["p_value"].eq(smallest)
    ).duplicated(["measure", "category", "is_smallest"])
    rows["q_value"] = false_discovery_adjusted(
        (rows["p_value"] * tests).clip(upper=1).where(is_best).to_numpy(dtype=float)
    )
    rows["is_best_lag"] = is_best
    rows["verdict"] = np.select(
        [
            rows["is_suppressed"],
            rows["p_value"].isna(),
            ~is_best,
            rows["q_value"].le(FALSE_DISCOVERY_RATE),
        ],
        ["not enough data", "no variance", "not the best lag", "related"],
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


class LaggedCorrelation(NamedTuple):
    """Rank correlation of two series `lag` days apart, with its equivalent number of independent pairs."""

    lag: int
    effective_n: float
    found: Correlation


def lagged_correlations(
    leading: np.ndarray, following: np.ndarray, most_lags: int
) -> list[LaggedCorrelation]:
    """Rank correlation of `leading` with `following` 0 ... `most_lags` days later, both filtered.

    Both have one value a day; NaN: the day has none. Weekday means and a linear trend are removed from both, because
    unrelated series with weekdays correlate. The rest is prewhitened (Box and Jenkins 1976): both pass the filter that
    leaves of `leading` only what its own past does not predict, so that a relation at one lag does not show at its
    neighbours. The effective n is that of Bartlett (1946) for the correlation that remains, less the fitted figures;
    interval and p have the variance of Bonett and Wright (2000).
    """
    levels = [_without_weekdays(values) for values in (leading, following)]
    predictor = _predictor(levels[0])
    first, second = (_filtered(values, predictor) for values in levels)
    lagged = []
    for lag in range(most_lags + 1):
        x, y = first[: len(first) - lag], second[lag:]
        plain = rank_correlation(x, y)
        effective_n = float("nan")
        if np.isfinite(plain.value):
            effective_n = plain.n / _variance_ratio(x, y) - _FITTED
        if effective_n > 4 and abs(plain.value) < 1:
            variance = (1 + plain.value**2 / 2) / (effective_n - 3)
            low, high = fisher_interval(plain.value, variance)
            p_value = 2 * stats.norm.sf(abs(np.arctanh(plain.value)) / np.sqrt(variance))
            plain = plain._replace(low=low, high=high, p_value=float(p_value))
        elif np.isfinite(plain.value) and effective_n <= 4:
            plain = Correlation(plain.n, *UNDEFINED)
        lagged.append(LaggedCorrelation(lag, effective_n, plain))
    return lagged


def _without_weekdays(values: np.ndarray) -> np.ndarray:
    """Residuals of a daily series from its weekday means and a linear trend; 0 if only rounding is left."""
    there = ~np.isnan(values)
    if not there.any():
        return values
    day = np.arange(len(values))
    design = np.column_stack([day % 7 == weekday for weekday in range(7)] + [day - day.mean()]).astype(float)
    fitted = design @ np.linalg.lstsq(design[there], values[there], rcond=None)[0]
    residuals = values - fitted
    is_rounding = np.nanmax(np.abs(residuals)) <= 1e-9 * np.nanmax(np.abs(values))
    return np.where(there, 0.0, np.nan) if is_rounding else residuals


def _predictor(values: np.ndarray) -> np.ndarray:
    """Weights of the last `_ORDER` values in the best prediction of the next one (Yule and Walker)."""
    variance = np.nanmean(values**2) if (~np.isnan(values)).any() else 0.0
    if variance == 0 or len(values) <= 2 * _ORDER:
        return np.zeros(_ORDER)
    products = [values[lag:] * values[: len(values) - lag] for lag in range(_ORDER + 1)]
    shares = [
        np.nanmean(product) / variance * (1 - lag / len(values)) if (~np.isnan(product)).any() else 0.0
        for lag, product in enumerate(products)
    ]
    return np.asarray(linalg.solve_toeplitz(shares[:-1], shares[1:]))


def _filtered(values: np.ndarray, predictor: np.ndarray) -> np.ndarray:
    """Each value less its prediction from the values before. A day without a value is filled in by its prediction."""
    filled, missing = values.copy(), np.isnan(values)
    for day in np.flatnonzero(missing):
        past = filled[max(day - len(predictor), 0) : day][::-1]
        filled[day] = past @ predictor[: len(past)]
    predicted = np.convolve(filled, predictor)[: len(filled) - 1]
    rest = filled - np.concatenate([[0.0], predicted])
    rest[: len(predictor)] = np.nan
    return np.where(missing, np.nan, rest)


def _variance_ratio(x: np.ndarray, y: np.ndarray) -> float:
    """Variance of a rank correlation of the two / that of independent pairs, at least 1."""
    n = len(x)
    lags = range(1, min(10, n // 4) + 1)
    of_x, of_y = (_autocorrelations(values, lags) for values in (x, y))
    return max(1.0, 1 + 2 * float(np.sum(of_x * of_y * (1 - np.array(lags) / n))))


def _autocorrelations(values: np.ndarray, lags: range) -> np.ndarray:
    ranks = stats.rankdata(values, nan_policy="omit")
    ranks = ranks - np.nanmean(ranks)
    products = [ranks[lag:] * ranks[:-lag] for lag in lags]
    # A mean over no pairs is taken as none: nothing shows a correlation.
    means = [np.nanmean(product) if (~np.isnan(product)).any() else 0.0 for product in products]
    return np.asarray(np.array(means) / np.nanmean(ranks**2))

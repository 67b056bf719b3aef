"""Tests and intervals that several marts share. Arrays in, arrays or small tuples out; no column names here."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Z_975 = float(stats.norm.ppf(0.975))
FALSE_DISCOVERY_RATE = 0.05
"""Highest q at which one of many comparisons counts as a difference."""


class Difference(NamedTuple):
    """Differences of two means with their 95 % interval and p. NaN: neither side varies, or n is below 2."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray


class Correlation(NamedTuple):
    """A rank correlation with its 95 % interval and two-sided p. NaN: not defined."""

    n: int
    value: float
    low: float
    high: float
    p_value: float


UNDEFINED = (float("nan"),) * 4


def welch_difference(
    mean_a: np.ndarray,
    sd_a: np.ndarray,
    n_a: np.ndarray,
    mean_b: np.ndarray,
    sd_b: np.ndarray,
    n_b: np.ndarray,
) -> Difference:
    """Means of a minus means of b, element by element. Variances may differ (Welch 1947)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        part_a, part_b = sd_a**2 / n_a, sd_b**2 / n_b
        squared = part_a + part_b
        degrees = squared**2 / (part_a**2 / (n_a - 1) + part_b**2 / (n_b - 1))
        error = np.where(squared > 0, np.sqrt(squared), np.nan)
        value = mean_a - mean_b
        p_value = 2 * stats.t.sf(np.abs(value) / error, degrees)
        half = stats.t.ppf(0.975, degrees) * error
    return Difference(value, value - half, value + half, p_value)


def false_discovery_adjusted(p_values: np.ndarray) -> np.ndarray:
    """q of each p after Benjamini and Hochberg. NaN stays NaN and does not count as a test."""
    adjusted = np.full(len(p_values), np.nan)
    is_test = ~np.isnan(p_values)
    if is_test.any():
        adjusted[is_test] = stats.false_discovery_control(p_values[is_test], method="bh")
    return adjusted


def rank_correlation(
    x: np.ndarray, y: np.ndarray, method: Literal["spearman", "kendall"] = "spearman"
) -> Correlation:
    """Rank correlation of the pairs without NaN.

    The interval is Fisher's transformation with the variance of Bonett and Wright (2000) for Spearman and of
    Fieller, Hartley and Pearson (1957) for Kendall's tau-b. Undefined below 10 pairs, or if a side is constant.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    n = len(x)
    if n < 10 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(n, *UNDEFINED)
    found = stats.spearmanr(x, y) if method == "spearman" else stats.kendalltau(x, y)
    value = float(np.round(found.statistic, 12))
    variance = (1 + value**2 / 2) / (n - 3) if method == "spearman" else 0.437 / (n - 4)
    return Correlation(n, value, *_fisher_interval(value, variance), float(found.pvalue))


def _fisher_interval(value: float, variance: float) -> tuple[float, float]:
    if abs(value) >= 1:
        return value, value
    half, centre = Z_975 * np.sqrt(variance), np.arctanh(value)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


class LaggedCorrelation(NamedTuple):
    """Rank correlation of two series `lag` steps apart, with its equivalent number of independent pairs."""

    lag: int
    effective_n: float
    found: Correlation


def lagged_correlations(
    leading: np.ndarray, following: np.ndarray, most_lags: int
) -> list[LaggedCorrelation]:
    """Rank correlation of the changes of `leading` with the changes of `following` 0 ... `most_lags` steps later.

    Both are equally spaced series; NaN: the step has no figure. Changes are compared, not levels: two series that
    only drift would correlate at every lag. Neighbouring changes share a step, so interval and p use the effective n
    (Bartlett 1946), the equivalent number of independent pairs.
    """
    first, second = np.diff(leading), np.diff(following)
    lagged = []
    for lag in range(most_lags + 1):
        x, y = first[: len(first) - lag], second[lag:]
        plain = rank_correlation(x, y)
        effective_n = plain.n / _variance_ratio(x, y) if np.isfinite(plain.value) else float("nan")
        if effective_n > 4 and abs(plain.value) < 1:
            low, high = _fisher_interval(plain.value, (1 + plain.value**2 / 2) / (effective_n - 3))
            t = abs(plain.value) * np.sqrt((effective_n - 2) / (1 - plain.value**2))
            plain = plain._replace(low=low, high=high, p_value=float(2 * stats.t.sf(t, effective_n - 2)))
        lagged.append(LaggedCorrelation(lag, effective_n, plain))
    return lagged


def _variance_ratio(x: np.ndarray, y: np.ndarray) -> float:
    """Variance of a correlation of the two / that of independent pairs, at least 1."""
    n = len(x)
    most = min(10, n // 4)
    products = [_autocorrelation(x, k) * _autocorrelation(y, k) * (1 - k / n) for k in range(1, most + 1)]
    return max(1.0, 1 + 2 * float(np.sum(products)))


def _autocorrelation(values: np.ndarray, lag: int) -> float:
    ranks = stats.rankdata(values, nan_policy="omit")
    ranks = ranks - np.nanmean(ranks)
    both = ~np.isnan(ranks[lag:] * ranks[:-lag])
    return float(np.nanmean((ranks[lag:] * ranks[:-lag])[both]) / np.nanmean(ranks**2)) if both.any() else 0.0


def resampled(samples: Callable[[np.random.Generator], np.ndarray], draws: int, seed: int) -> np.ndarray:
    """`draws` resampled figures of every item, one row per draw.

    samples: returns one resampled figure per item. The caller derives the seed from the data, so that the same data
    give the same figures.
    """
    generator = np.random.default_rng(seed)
    return np.stack([samples(generator) for _ in range(draws)])


def rank_interval(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """2.5 % and 97.5 % quantiles of each item's rank (1 is the largest) over the rows of `resampled` figures."""
    ranks = stats.rankdata(-drawn, axis=1)
    return np.quantile(ranks, 0.025, axis=0), np.quantile(ranks, 0.975, axis=0)

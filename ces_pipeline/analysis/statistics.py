"""Tests and intervals that several marts share. Arrays in, arrays or small tuples out; no column names here."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Z_975 = float(stats.norm.ppf(0.975))


class Difference(NamedTuple):
    """Differences of two means with their 95 % interval and p; NaN where neither side varies or n is below 2."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray


class Correlation(NamedTuple):
    """A rank correlation with its 95 % interval and two-sided p; NaN where it is not defined."""

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
    """Means of a minus means of b, element by element, without assuming equal variances (Welch 1947)."""
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
    """Benjamini and Hochberg's q of each p among those that are there; NaN stays NaN and counts as no test."""
    adjusted = np.full(len(p_values), np.nan)
    asked = ~np.isnan(p_values)
    if asked.any():
        adjusted[asked] = stats.false_discovery_control(p_values[asked], method="bh")
    return adjusted


def rank_correlation(
    x: np.ndarray, y: np.ndarray, method: Literal["spearman", "kendall"] = "spearman"
) -> Correlation:
    """Rank correlation of the pairs in which neither is NaN.

    The interval is Fisher's transformation with the variance of Bonett and Wright (2000) for Spearman and of
    Fieller, Hartley and Pearson (1957) for Kendall's tau-b. Undefined below 10 pairs or where one side is constant.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    n = len(x)
    if n < 10 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(n, *UNDEFINED)
    found = stats.spearmanr(x, y) if method == "spearman" else stats.kendalltau(x, y)
    value = float(np.round(found.statistic, 12))
    variance = (1 + value**2 / 2) / (n - 3) if method == "spearman" else 0.437 / (n - 4)
    if abs(value) >= 1:
        return Correlation(n, value, value, value, float(found.pvalue))
    half = Z_975 * np.sqrt(variance)
    centre = np.arctanh(value)
    return Correlation(
        n, value, float(np.tanh(centre - half)), float(np.tanh(centre + half)), float(found.pvalue)
    )


def lagged_correlations(
    leading: np.ndarray, following: np.ndarray, most_lags: int
) -> list[tuple[int, Correlation]]:
    """Rank correlation of `leading` with `following` 0, 1, ... `most_lags` steps later, of the steps' changes.

    Both are equally spaced series, NaN where a step has no figure. Changes are compared, not levels: two series
    that only drift would seem related at every lag.
    """
    first, second = np.diff(leading), np.diff(following)
    return [(lag, rank_correlation(first[: len(first) - lag], second[lag:])) for lag in range(most_lags + 1)]


def resampled(samples: Callable[[np.random.Generator], np.ndarray], draws: int, seed: int) -> np.ndarray:
    """`draws` resampled figures of every item, one row a draw.

    samples: gives one resampled figure per item. The seed belongs to the data, so the same data give the same.
    """
    generator = np.random.default_rng(seed)
    return np.stack([samples(generator) for _ in range(draws)])


def rank_interval(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """2.5 % and 97.5 % quantiles of each item's rank (1 is the greatest) over the rows of `resampled` figures."""
    ranks = stats.rankdata(-drawn, axis=1)
    return np.quantile(ranks, 0.025, axis=0), np.quantile(ranks, 0.975, axis=0)

"""Spearman's rank correlation, of one set of pairs or of many groups at once. Arrays in, tuples out.

Ranks are integers (twice the mean rank, minus that of the group), and so are their sums: the order of the pairs never
changes a figure.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ces_pipeline.statistics.estimates import Z_975

FEWEST_PAIRS = 10
_MOST = 2**62
"""A sum of integers stays below it."""
_FEW = 2**15
"""So many numbers fit into 16 bits."""


class Correlation(NamedTuple):
    """A rank correlation with its 95 % interval and two-sided p. NaN: not defined."""

    n: int
    value: float
    low: float
    high: float
    p_value: float


UNDEFINED = (float("nan"),) * 4


def rank_correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Rank correlation of the pairs without NaN; see `rank_correlations`."""
    return rank_correlations(x, y, np.zeros(len(x), dtype=int), 0)[0]


def rank_correlations(x: np.ndarray, y: np.ndarray, group: np.ndarray, groups: int) -> list[Correlation]:
    """Rank correlation of the pairs without NaN: of all, and of each of the groups 0 ... groups - 1.

    The interval is Fisher's transformation with the variance of Bonett and Wright (2000), p that of Student's t with
    n - 2 degrees of freedom. Undefined below FEWEST_PAIRS, or if a side is constant.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    sides = [_ordered(values[both]) for values in (x, y)]
    group = _small(group[both], groups)
    found = [_correlation(*(_ranks(side, np.zeros(len(group), dtype=np.int16), 1) for side in sides))]
    if groups:
        ranks = [_ranks(side, group, groups) for side in sides]
        # In the order of the groups, so that the pairs of each are neighbours.
        by_group = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=groups))[:-1]
        parts = zip(*(np.split(rank[by_group], ends) for rank in ranks), strict=True)
        found += [_correlation(of_x, of_y) for of_x, of_y in parts]
    return found


class _Ordered(NamedTuple):
    """Values, and their places in ascending order."""

    values: np.ndarray
    places: np.ndarray


def _ordered(values: np.ndarray) -> _Ordered:
    codes, distinct = pd.factorize(values)
    if len(distinct) >= _FEW:
        return _Ordered(values, np.argsort(values))
    place_of_value = np.empty(len(distinct), dtype=np.int16)
    place_of_value[np.argsort(distinct)] = np.arange(len(distinct))
    few = place_of_value[codes]
    return _Ordered(few, np.argsort(few, kind="stable"))


def _small(codes: np.ndarray, count: int) -> np.ndarray:
    """Codes as integers that a stable sort sorts by their digits, in one pass, where there are few."""
    return codes.astype(np.int16 if count < _FEW else np.int64)


def _ranks(side: _Ordered, group: np.ndarray, groups: int) -> np.ndarray:
    """Twice the mean rank of each value in its group, minus the mean of that: integers around 0."""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    order = side.places
    if groups > 1:
        order = order[np.argsort(group[order], kind="stable")]
    ordered, of_group = side.values[order], group[order]
    is_new = np.concatenate([[True], (ordered[1:] != ordered[:-1]) | (of_group[1:] != of_group[:-1])])
    starts = np.flatnonzero(is_new)
    lengths = np.diff(np.append(starts, len(group)))
    sizes = np.bincount(group, minlength=groups)
    begins = np.cumsum(sizes) - sizes
    of_start = of_group[starts]
    # Ranks first ... last of equal values have the mean (first + last) / 2; that of all ranks is (n + 1) / 2.
    doubled = 2 * (starts - begins[of_start]) + lengths - sizes[of_start]
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.repeat(doubled, lengths)
    return ranks


def _product(left: np.ndarray, right: np.ndarray, n: int) -> int:
    """Sum of products of ranks, as an integer of any size."""
    step = max(1, _MOST // max(n * n, 1))
    return sum(int(left[at : at + step] @ right[at : at + step]) for at in range(0, n, step))


def _correlation(rank_x: np.ndarray, rank_y: np.ndarray) -> Correlation:
    n = len(rank_x)
    squares = _product(rank_x, rank_x, n) * _product(rank_y, rank_y, n)
    if n < FEWEST_PAIRS or squares == 0:
        return Correlation(n, *UNDEFINED)
    value = max(-1.0, min(1.0, _product(rank_x, rank_y, n) / math.sqrt(squares)))
    low, high = fisher_interval(value, (1 + value**2 / 2) / (n - 3))
    p_value = 0.0
    if abs(value) < 1:
        p_value = 2 * float(stats.t.sf(abs(value) * math.sqrt((n - 2) / (1 - value**2)), n - 2))
    return Correlation(n, value, low, high, p_value)


def fisher_interval(value: float, variance: float) -> tuple[float, float]:
    """95 % interval of a correlation. variance: that of its Fisher transformation."""
    if abs(value) >= 1:
        return value, value
    half, centre = Z_975 * np.sqrt(variance), np.arctanh(value)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))

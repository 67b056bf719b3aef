"""Tests and intervals that several marts share. Arrays in, arrays or small tuples out; no column names here."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

Z_975 = float(stats.norm.ppf(0.975))
FALSE_DISCOVERY_RATE = 0.05
"""Highest q at which one of many comparisons counts as a difference."""


class Sample(NamedTuple):
    """Moments of samples, element by element: mean (points 0 to 100), squared standard deviation, number of values."""

    mean: np.ndarray
    variance: np.ndarray
    n: np.ndarray


def moments(n: np.ndarray, total: np.ndarray, square_total: np.ndarray) -> Sample:
    """The sample of n values with this sum and sum of squares. n 0: NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        squares = square_total - total * mean
        # Below a share of the sum of squares lies only the rounding of the two figures.
        squares = np.where(squares > 1e-12 * square_total, squares, 0.0)
        return Sample(mean, squares / (n - 1), n)


def skewness(sample: Sample, square_total: np.ndarray, cube_total: np.ndarray) -> np.ndarray:
    """m3 / m2^1.5 with divisor n, from the sums of squares and cubes. NaN: the values do not vary."""
    with np.errstate(divide="ignore", invalid="ignore"):
        third = cube_total / sample.n - 3 * sample.mean * square_total / sample.n + 2 * sample.mean**3
        second = sample.variance * (sample.n - 1) / sample.n
        return np.where(second > 0, third / second**1.5, np.nan)


def permutation_p(part: Sample, pooled: Sample, skewness: np.ndarray) -> np.ndarray:
    """Two-sided p of the mean of a part of a finite pool: how often is a random part of this size as far away?

    pooled: all values, the part included, with `skewness` m3 / m2^1.5 (divisor n). A score test of equal means:
    under the null hypothesis both sides have the deviation of the pool. Welch's test takes that of the part, which is
    too small whenever the part happens to hold few of the rare values. Mean, variance and skewness of the permutation
    distribution are exact (sampling without replacement). Its tails are those of Pearson's type III curve (Mielke,
    Berry and Johnson 1976). p is twice the smaller tail. NaN: the pool does not vary, or has no rest.
    """
    n, total = part.n.astype(float), pooled.n.astype(float)
    rest = total - n
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(pooled.variance / n * rest / total)
        curve = skewness * np.sqrt(total - 1) * (rest - n) / (np.sqrt(n * rest) * (total - 2))
        score = (part.mean - pooled.mean) / error
    defined = np.isfinite(score) & np.isfinite(curve) & (pooled.variance > 0)
    p_values = np.full(len(score), np.nan)
    tails = [tail(score[defined], curve[defined]) for tail in (stats.pearson3.cdf, stats.pearson3.sf)]
    p_values[defined] = np.minimum(2 * np.minimum(*tails), 1)
    return p_values


def difference_interval(a: Sample, b: Sample, pooled: Sample) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of mean a minus mean b for values limited to 0 to 100.

    Newcombe's (1998) hybrid score interval: the distances from each mean to the end of its own interval, squared and
    added. The interval of a mean is Wilson's with the dispersion of the values: their variance as a share of that of
    values of only 0 and 100 with the same mean. The dispersion is that of the side or of the pool, the larger one,
    because a small side without a rare value has too small a variance. It never has zero width if the pool varies.
    """
    ends = [_bounded_interval(side, pooled) for side in (a, b)]
    difference = a.mean - b.mean
    low = np.sqrt((a.mean - ends[0][0]) ** 2 + (ends[1][1] - b.mean) ** 2)
    high = np.sqrt((ends[0][1] - a.mean) ** 2 + (b.mean - ends[1][0]) ** 2)
    return difference - low, difference + high


def _bounded_interval(side: Sample, pooled: Sample) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        of_pool, of_side = (
            sample.variance / (sample.mean * (100 - sample.mean)) for sample in (pooled, side)
        )
        effective_n = side.n / np.fmax(of_pool, of_side)
        share, t = side.mean / 100, stats.t.ppf(0.975, side.n - 1)
        shrunk = 1 + t**2 / effective_n
        centre = (share + t**2 / (2 * effective_n)) / shrunk
        squared = share * (1 - share) / effective_n + t**2 / (4 * effective_n**2)
        half = t / shrunk * np.sqrt(np.maximum(squared, 0))
    return 100 * (centre - half), 100 * (centre + half)


def false_discovery_adjusted(p_values: np.ndarray) -> np.ndarray:
    """q of each p after Benjamini and Hochberg. NaN stays NaN and does not count as a test."""
    adjusted = np.full(len(p_values), np.nan)
    is_test = ~np.isnan(p_values)
    if is_test.any():
        adjusted[is_test] = stats.false_discovery_control(p_values[is_test], method="bh")
    return adjusted


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

"""Protects the shared statistics: known values, intervals that cover, noise that finds nothing, planted relations found."""

import numpy as np
import pytest
from scipy import stats

from ces_pipeline.statistics.estimates import (
    false_discovery_adjusted,
    lagged_correlations,
    rank_correlation,
    rank_interval,
    resampled,
    welch_difference,
)

SCORES = np.array([0.0, 25.0, 50.0, 75.0, 100.0])


def test_welch_is_that_of_scipy() -> None:
    a, b = np.array([1.0, 4.0, 6.0, 7.0]), np.array([2.0, 2.5, 3.0])
    found = welch_difference(
        *(np.array([f(x)]) for x in (a, b) for f in (np.mean, lambda x: np.std(x, ddof=1), len))
    )
    known = stats.ttest_ind(a, b, equal_var=False)
    assert found.p_value[0] == pytest.approx(known.pvalue)
    assert (found.low[0], found.high[0]) == pytest.approx(tuple(known.confidence_interval()))


def test_welch_covers_the_true_difference_between_samples_of_unlike_size_and_spread() -> None:
    random = np.random.default_rng(3)
    a = random.choice(SCORES, (4_000, 40), p=[0.1, 0.1, 0.2, 0.3, 0.3])
    b = random.choice(SCORES, (4_000, 150), p=[0.3, 0.2, 0.2, 0.2, 0.1])
    true = SCORES @ (np.array([0.1, 0.1, 0.2, 0.3, 0.3]) - np.array([0.3, 0.2, 0.2, 0.2, 0.1]))
    sizes = np.full(4_000, 40), np.full(4_000, 150)
    found = welch_difference(
        a.mean(axis=1), a.std(axis=1, ddof=1), sizes[0], b.mean(axis=1), b.std(axis=1, ddof=1), sizes[1]
    )
    assert 0.93 <= np.mean((found.low <= true) & (true <= found.high)) <= 0.97


def test_the_adjusted_p_is_benjamini_and_hochbergs_and_leaves_out_what_was_not_asked() -> None:
    # Sorted 0.01, 0.02, 0.04: times 3/1, 3/2, 3/3, then made monotone from the end.
    found = false_discovery_adjusted(np.array([0.04, np.nan, 0.01, 0.02]))
    assert found == pytest.approx([0.04, np.nan, 0.03, 0.03], nan_ok=True)
    assert np.isnan(false_discovery_adjusted(np.array([np.nan]))).all()


def test_among_many_comparisons_of_noise_hardly_ever_one_is_found() -> None:
    p_values = np.random.default_rng(5).uniform(size=(1_000, 30))
    any_found = [bool((false_discovery_adjusted(row) <= 0.05).any()) for row in p_values]
    assert np.mean(any_found) <= 0.07


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_the_interval_of_a_rank_correlation_covers_its_true_value(method: str) -> None:
    random, rho = np.random.default_rng(9), 0.5
    # Of a bivariate normal both rank correlations are known from Pearson's.
    true = 6 / np.pi * np.arcsin(rho / 2) if method == "spearman" else 2 / np.pi * np.arcsin(rho)
    covered = []
    for _ in range(1_000):
        x = random.normal(size=80)
        y = rho * x + np.sqrt(1 - rho**2) * random.normal(size=80)
        found = rank_correlation(x, y, method)  # type: ignore[arg-type]
        covered.append(found.low <= true <= found.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_rank_correlation_needs_ten_pairs_that_vary() -> None:
    ten = np.arange(10.0)
    assert rank_correlation(ten, ten).value == 1
    assert rank_correlation(ten[:9], ten[:9])[0] == 9
    assert np.isnan(rank_correlation(ten[:9], ten[:9]).value)
    assert np.isnan(rank_correlation(ten, np.ones(10)).value)
    assert rank_correlation(ten, np.where(ten == 3, np.nan, ten)).n == 9


def test_a_planted_lag_is_the_strongest_and_drift_alone_is_nothing() -> None:
    random = np.random.default_rng(4)
    leading = random.normal(size=160).cumsum()
    following = np.concatenate([random.normal(size=3), leading[:-3]]) + 0.3 * random.normal(size=160)
    by_lag = {lagged.lag: lagged.found.value for lagged in lagged_correlations(leading, following, 6)}
    assert max(by_lag, key=lambda lag: abs(by_lag[lag])) == 3
    drifts = np.arange(160) * 0.5 + random.normal(size=(2, 160))
    assert all(lagged.found.p_value > 0.01 for lagged in lagged_correlations(*drifts, 6))


def test_changes_of_two_unrelated_series_are_called_related_no_more_often_than_nominal() -> None:
    random = np.random.default_rng(21)
    p_values = [lagged_correlations(*random.normal(size=(2, 120)), 0)[0].found.p_value for _ in range(600)]
    # As of independent pairs it would be a tenth: neighbouring changes share a day.
    assert 0.03 <= np.mean(np.array(p_values) <= 0.05) <= 0.07


def test_ranks_of_clear_differences_are_certain_and_of_none_are_not() -> None:
    def clear(random: np.random.Generator) -> np.ndarray:
        return np.array([10.0, 20.0, 30.0]) + random.normal(size=3)

    low, high = rank_interval(resampled(clear, 500, seed=1))
    assert (low.tolist(), high.tolist()) == ([3, 2, 1], [3, 2, 1])
    low, high = rank_interval(resampled(lambda random: random.normal(size=3), 500, seed=1))
    assert (low.tolist(), high.tolist()) == ([1, 1, 1], [3, 3, 3])
    assert np.array_equal(resampled(clear, 50, seed=2), resampled(clear, 50, seed=2))

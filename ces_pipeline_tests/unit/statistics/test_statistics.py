"""Protects the shared statistics: known values, intervals that cover, noise that finds nothing, planted relations found."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from ces_pipeline.statistics.estimates import (
    Sample,
    difference_interval,
    false_discovery_adjusted,
    permutation_p,
    rank_interval,
    resampled,
)
from ces_pipeline.statistics.lags import lagged_correlations
from ces_pipeline.statistics.ranks import rank_correlation, rank_correlations


def sample(values: list[float]) -> Sample:
    return Sample(np.array([np.mean(values)]), np.array([np.var(values, ddof=1)]), np.array([len(values)]))


def test_the_p_of_a_part_is_that_of_all_ways_to_draw_it() -> None:
    part = [0.0, 17.0, 33.0, 50.0, 67.0, 83.0] * 2 + [100.0] * 28
    rest = [0.0, 17.0, 33.0, 50.0, 67.0, 83.0] * 3 + [100.0] * 92
    pool = part + rest
    found = permutation_p(sample(part), sample(pool), np.array([stats.skew(pool)]))
    known = stats.permutation_test(
        (part, rest), lambda x, y: np.mean(x) - np.mean(y), n_resamples=20_000, rng=np.random.default_rng(2)
    )
    assert known.pvalue < 0.2
    assert found[0] == pytest.approx(known.pvalue, abs=0.01)


def test_the_p_of_shares_is_that_of_fisher() -> None:
    # Of a pool with two values the exact distribution is hypergeometric: twice the mid-p of the smaller tail.
    part, rest = [100.0] * 34 + [0.0] * 26, [100.0] * 330 + [0.0] * 170
    pool = part + rest
    found = permutation_p(sample(part), sample(pool), np.array([stats.skew(pool)]))
    exact = stats.hypergeom(560, 364, 60)
    assert found[0] == pytest.approx(2 * (exact.cdf(34) - exact.pmf(34) / 2), abs=0.01)


def test_a_pool_without_variance_or_without_a_rest_has_no_p() -> None:
    same, part = sample([50.0] * 5), sample([10.0, 20.0, 30.0])
    assert np.isnan(permutation_p(sample([50.0] * 3), same, np.array([np.nan]))[0])
    assert np.isnan(permutation_p(part, part, np.array([0.0]))[0])


def test_the_interval_of_a_difference_of_shares_is_newcombes() -> None:
    a, b = [100.0] * 560 + [0.0] * 140, [100.0] * 480 + [0.0] * 320
    low, high = difference_interval(sample(a), sample(b), sample(a + b))
    known = confint_proportions_2indep(560, 700, 480, 800, method="newcomb")
    assert (low[0], high[0]) == pytest.approx(tuple(100 * end for end in known), abs=0.1)


def test_the_interval_has_a_width_where_all_answers_of_a_side_are_equal() -> None:
    a, b = [100.0] * 30, [100.0] * 180 + [0.0, 50.0] * 10
    low, high = difference_interval(sample(a), sample(b), sample(a + b))
    assert low[0] < 0 < high[0]


def test_the_adjusted_p_is_benjamini_and_hochbergs_and_leaves_out_what_was_not_asked() -> None:
    # Sorted 0.01, 0.02, 0.04: times 3/1, 3/2, 3/3, then made monotone from the end.
    found = false_discovery_adjusted(np.array([0.04, np.nan, 0.01, 0.02]))
    assert found == pytest.approx([0.04, np.nan, 0.03, 0.03], nan_ok=True)
    assert np.isnan(false_discovery_adjusted(np.array([np.nan]))).all()


def test_among_many_comparisons_of_noise_hardly_ever_one_is_found() -> None:
    p_values = np.random.default_rng(5).uniform(size=(1_000, 30))
    any_found = [bool((false_discovery_adjusted(row) <= 0.05).any()) for row in p_values]
    assert np.mean(any_found) <= 0.07


def test_the_interval_of_a_rank_correlation_covers_its_true_value() -> None:
    random, rho = np.random.default_rng(9), 0.5
    # Of a bivariate normal the rank correlation is known from Pearson's.
    true = 6 / np.pi * np.arcsin(rho / 2)
    covered = []
    for _ in range(1_000):
        x = random.normal(size=80)
        y = rho * x + np.sqrt(1 - rho**2) * random.normal(size=80)
        found = rank_correlation(x, y)
        covered.append(found.low <= true <= found.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_rank_correlation_needs_ten_pairs_that_vary() -> None:
    ten = np.arange(10.0)
    assert rank_correlation(ten, ten).value == 1
    assert rank_correlation(ten[:9], ten[:9])[0] == 9
    assert np.isnan(rank_correlation(ten[:9], ten[:9]).value)
    assert np.isnan(rank_correlation(ten, np.ones(10)).value)
    assert rank_correlation(ten, np.where(ten == 3, np.nan, ten)).n == 9


def test_rank_correlations_of_groups_are_those_of_scipy_in_any_order_of_the_pairs() -> None:
    random = np.random.default_rng(12)
    group = random.integers(0, 4, 900)
    # Group 3 has no pair at all.
    group[group == 3] = 2
    x = np.where(random.random(900) < 0.1, np.nan, np.round(random.normal(size=900), 1))
    y = random.integers(0, 7, 900) + (np.nan_to_num(x) > 0)
    every, *found = rank_correlations(x, y.astype(float), group, 4)
    assert every == rank_correlation(x, y.astype(float))
    for number in range(3):
        pairs = (group == number) & ~np.isnan(x)
        known = stats.spearmanr(x[pairs], y[pairs])
        assert found[number].n == pairs.sum()
        assert found[number].value == pytest.approx(known.statistic, abs=1e-12)
        assert found[number].p_value == pytest.approx(known.pvalue, rel=1e-9)
    assert found[3].n == 0
    assert np.isnan(found[3].value)
    order = random.permutation(900)
    assert rank_correlations(x[order], y[order].astype(float), group[order], 4)[:4] == [every, *found[:3]]


def test_sums_of_ranks_of_millions_of_pairs_stay_exact() -> None:
    n = 3_000_000
    assert rank_correlation(np.arange(n, dtype=float), -np.arange(n, dtype=float)).value == -1


def test_a_planted_lag_is_the_strongest_and_drift_alone_is_nothing() -> None:
    random = np.random.default_rng(4)
    leading = random.normal(size=160).cumsum()
    following = np.concatenate([random.normal(size=3), leading[:-3]]) + 0.3 * random.normal(size=160)
    by_lag = {lagged.lag: lagged.found.value for lagged in lagged_correlations(leading, following, 6)}
    assert max(by_lag, key=lambda lag: abs(by_lag[lag])) == 3
    drifts = np.arange(160) * 0.5 + random.normal(size=(2, 160))
    assert all(lagged.found.p_value > 0.01 for lagged in lagged_correlations(*drifts, 6))


def test_days_without_a_value_are_no_pairs() -> None:
    random = np.random.default_rng(6)
    leading = random.normal(size=100)
    following = leading + 0.1 * random.normal(size=100)
    following[[20, 21, 50]] = np.nan
    lagged = lagged_correlations(leading, following, 0)[0]
    # The first five days have no past; three have no value.
    assert lagged.found.n == 92
    assert lagged.found.value > 0.9


def test_ranks_of_clear_differences_are_certain_and_of_none_are_not() -> None:
    def clear(random: np.random.Generator) -> np.ndarray:
        return np.array([10.0, 20.0, 30.0]) + random.normal(size=3)

    low, high = rank_interval(resampled(clear, 500, seed=1))
    assert (low.tolist(), high.tolist()) == ([3, 2, 1], [3, 2, 1])
    low, high = rank_interval(resampled(lambda random: random.normal(size=3), 500, seed=1))
    assert (low.tolist(), high.tolist()) == ([1, 1, 1], [3, 3, 3])
    assert np.array_equal(resampled(clear, 50, seed=2), resampled(clear, 50, seed=2))

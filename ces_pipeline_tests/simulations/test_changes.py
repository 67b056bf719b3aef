"""Protects changes over time: weeks that resemble their neighbours are no change, and a planted change is found."""

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.statistics.releases import release_windows
from ces_pipeline_tests.simulations.changes import marts, power_at_needed, release_evidence, steps

LIMITS = {0.0: 0.06, 0.3: 0.08, 0.5: 0.12}
"""Correlation of neighbouring weeks or days -> most claims without a change."""


def test_a_few_correlated_weeks_are_seldom_a_change() -> None:
    found = steps(300).set_index(["window", "correlation"])
    assert found.loc["8+8 weeks", "claimed"][0.5] <= 0.15, found
    assert found.loc["8+8 weeks", "found_2_sd"][0.0] >= 0.75, found


@pytest.mark.slow
def test_a_series_without_a_change_is_claimed_within_the_limits() -> None:
    found = steps(4_000)
    for correlation, limit in LIMITS.items():
        at = found.loc[found["correlation"] == correlation]
        assert at["claimed"].max() <= limit, at
    independent = found.loc[found["correlation"] == 0]
    assert independent["claimed"].min() >= 0.02, independent
    power = found.set_index(["window", "correlation"])
    assert power.loc["4+4 weeks", "found_2_sd"][0.0] >= 0.4, found
    assert power.loc["8+8 weeks", "found_2_sd"][0.0] >= 0.8, found
    assert power.loc["14+14 days", "found_1.5_sd"][0.0] >= 0.85, found


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
def test_the_weeks_needed_find_the_effect_that_they_are_for(correlation: float) -> None:
    assert 0.65 <= power_at_needed(600, correlation) <= 0.95


@pytest.mark.slow
def test_the_marts_claim_within_the_limits_and_find_what_is_planted() -> None:
    found = marts(200)
    # 200 draws a row: the limit, and twice the error of a share of that size.
    for correlation, limit in LIMITS.items():
        at = found.loc[found["correlation"] == correlation]
        assert at["claimed"].max() <= limit + 2 * np.sqrt(limit * (1 - limit) / 200), at
        assert at["claimed"].mean() <= limit, at
    independent = found.loc[found["correlation"] == 0].set_index(["mart", "window"])["found"]
    assert independent.loc[:, "8+8 weeks"].min() >= 0.5, found
    assert independent["release_windows", "14+14 days"] >= 0.8, found


def test_the_interval_of_a_release_covers_a_planted_effect() -> None:
    random, effect = np.random.default_rng(8), 6.0
    rows = pd.concat(
        [release_windows(release_evidence(random, 14, 0.0, effect)).iloc[:1] for _ in range(150)]
    )
    covered = (rows["change_low_0_100"] <= effect) & (effect <= rows["change_high_0_100"])
    assert covered.mean() >= 0.93

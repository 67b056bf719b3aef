"""Protects the verdicts on weeks: surveys that do not change hardly ever have one, also if days resemble themselves."""

import pytest

from ces_pipeline_tests.simulations.period_changes import CORRELATIONS, SIZES, TOP_BOXES, table


def test_weeks_without_a_change_are_hardly_ever_claimed() -> None:
    found = table(200, [0.05], [0.6], [100])
    assert found["any_of_6"].max() <= 0.1, found
    assert found["any_of_6"].max() < found["as_independent"].min(), found
    assert found["covered_same"].min() >= 0.93, found
    assert found["found_25"].min() >= 0.85, found


@pytest.mark.slow
def test_noise_is_claimed_in_few_families_and_intervals_cover() -> None:
    found = table(500)
    assert len(found) == len(CORRELATIONS) * len(TOP_BOXES) * len(SIZES)
    # 4,500 families of a correlation have an error of 0.3 %, 500 of one cell 1 %.
    assert found.groupby("correlation")["any_of_6"].mean().max() <= 0.06, found
    assert found["any_of_6"].max() <= 0.12, found
    assert found[["covered_same", "covered_15"]].min().min() >= 0.93, found
    # Not bought by never finding anything.
    power = found.set_index("n")
    assert power.loc[100, "found_25"].min() >= 0.9, found
    assert power.loc[300, "found_15"].min() >= 0.75, found

"""Protects the lags: unrelated series with weekdays and drifts are not related, an effect of the next day is found."""

import pytest

from ces_pipeline_tests.simulations.lags import NEXT_DAY, UNRELATED, table


def test_weekdays_in_common_are_no_relation_and_the_next_day_is_found() -> None:
    found = table(40, ["weekdays", "next day, weekdays"], [112]).set_index("series")
    assert found.loc["weekdays", "related"] <= 0.1, found
    assert found.loc["next day, weekdays", "related_at_lag_1"] >= 0.95, found


@pytest.mark.slow
def test_unrelated_series_are_related_in_at_most_six_of_a_hundred() -> None:
    found = table(500, UNRELATED)
    assert found["related"].max() <= 0.06, found


@pytest.mark.slow
def test_a_planted_lag_is_found_at_its_lag_and_with_its_sign() -> None:
    found = table(300, NEXT_DAY)
    assert found["related_negatively"].max() <= 0.02, found
    assert (found["related"] - found["related_at_lag_1"]).max() <= 0.03, found
    power = found.set_index(["series", "days"])["related_at_lag_1"]
    assert power["next day, weekdays"].min() >= 0.9, found
    assert power["next day, drift (.8)"][112] >= 0.8, found
    assert power["next day, weak, drift (.5)"][180] >= 0.9, found

"""Holds the limits of `mart.direction_drift`: a turned score is found within 60 answers, clean surveys are not flagged."""

import pytest

from ces_pipeline_tests.simulations.direction import KINDS, delay_table, false_table

LEAST_CORRELATION = {3: 0.42, 8: 0.36, 20: 0.35}
"""Answers a day -> the weakest correlation before the flip at which half of the flips are found within 60 answers."""


def test_a_flip_is_found_within_60_answers_and_most_clean_surveys_are_not_flagged() -> None:
    found = delay_table(30, correlations=[0.5], per_day=[8])
    assert found["median_answers"].max() <= 60, found
    assert false_table(15, [8])["flagged"].max() <= 2 / 15


@pytest.mark.slow
def test_half_of_the_flips_are_found_within_60_answers() -> None:
    found = delay_table(40, KINDS, (0.45, 0.5, 0.6))
    strong = found[found["correlation"] >= found["answers_a_day"].map(LEAST_CORRELATION)]
    assert len(strong) >= 18, found
    assert strong["median_answers"].max() <= 60, found
    # One that was flagged before the flip counts as not found.
    assert strong["found"].min() >= 0.95, found


@pytest.mark.slow
def test_at_most_5_of_100_clean_surveys_are_flagged_in_a_year() -> None:
    found = false_table(100, [3, 20])
    assert found["flagged"].max() <= 0.05, found

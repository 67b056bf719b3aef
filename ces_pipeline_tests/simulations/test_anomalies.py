"""Holds the limits of the detector of `mart.anomalies_daily`: false incidents, delays, one incident for a lasting change."""

import pytest

from ces_pipeline_tests.simulations.anomalies import delay_table, false_table

FALSE_LIMITS = {
    "chance alone": 0.4,
    "days differ": 0.4,
    "autocorrelation .3": 1.0,
}
"""False incidents per series and year. With autocorrelation .5 they are printed, not limited."""
DELAY_LIMITS = {
    ("30 rows a day, by day", "half"): 7,
    ("30 rows a day, by day", "-30 %"): 12,
    ("30 rows a day, by day", "double"): 5,
    ("100 rows a day, by day", "half"): 5,
    ("100 rows a day, by day", "-30 %"): 9,
    ("400 rows a day, by day", "half"): 5,
    ("400 rows a day, by day", "-30 %"): 9,
    ("10 rows a day, by day", "half"): 10,
    ("effort of 200 answers a day, by day", "+10"): 3,
    ("effort of 200 answers a day, by day", "+5"): 6,
    ("effort of 50 answers a day, by day", "+10"): 6,
}
"""Median days from the change to the alarm."""
LEAST_ONE_INCIDENT = 0.95


def test_few_incidents_are_false() -> None:
    rates = {(figure, noise): rate for figure, noise, rate in false_table(60) if noise in FALSE_LIMITS}
    assert len(rates) == 24
    assert {key: rate for key, rate in rates.items() if rate > FALSE_LIMITS[key[1]]} == {}


@pytest.mark.slow
def test_changes_are_found_in_time_and_a_lasting_change_is_one_incident() -> None:
    found = [*delay_table(200)]
    late = {
        (figure, change, noise): delay.median_days
        for figure, change, noise, delay in found
        if delay.median_days > DELAY_LIMITS.get((figure, change), float("inf"))
    }
    assert late == {}
    several = {
        (figure, change, noise): delay.one_incident
        for figure, change, noise, delay in found
        if "by day" in figure and delay.one_incident < LEAST_ONE_INCIDENT
    }
    assert several == {}

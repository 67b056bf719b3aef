"""Protects what a person reads: every figure with its unit, durations in a unit that says something."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ces_pipeline.reports.units import duration, heading, in_unit, shown, unit_of


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0.0, "0 s"),
        (0.5, "30 s"),
        (12.0, "12.0 min"),
        (59.9, "59.9 min"),
        (612.0, "10.2 h"),
        (2 * 1440.0, "2.0 d"),
        (52.3 * 1440, "52.3 d"),
        # A clock that is wrong gives a negative time; its size decides the unit.
        (-90.0, "-1.5 h"),
    ],
)
def test_a_duration_has_its_sensible_unit(minutes: float, expected: str) -> None:
    assert duration(minutes) == expected


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("n", 1729, "1,729"),
        ("answered_share", 0.271, "27.1 %"),
        ("rate", 0.55, "55.0 %"),
        ("rate_low", 0.536, "53.6 %"),
        ("answered_share_high", 1.0, "100.0 %"),
        ("change_share", -0.0001, "0.0 %"),
        ("p50_minutes", 75_312.0, "52.3 d"),
        ("median_resolution_hours", 0.5, "30.0 min"),
        ("days_silent", 3, "3 d"),
        ("n_all_days", 3, "3"),
        ("median_minutes_to_contact", 90.0, "1.5 h"),
        ("decayed_effort_points", 137.84, "137.8"),
        ("window_days", 3, "3 d"),
        ("duration_seconds", 90, "1.5 min"),
        ("size_bytes", 1_500_000, "1.5 MB"),
        ("mean_ease_0_100", 62.8, "62.8"),
        ("ease_low_0_100", -0.01, "0.0"),
        ("correlation", -0.0252, "-0.025"),
        ("is_repeat_contact", True, "yes"),
        ("day", date(2026, 10, 31), "2026-10-31"),
        ("restated_at", datetime(2026, 10, 31, 2, 5, tzinfo=UTC), "2026-10-31 02:05 UTC"),
        ("flags", ["partial", "slow"], "partial, slow"),
        ("flags", [], "-"),
        ("verdict", "harder", "harder"),
        ("mean_ease_0_100", None, "-"),
    ],
)
def test_a_value_is_shown_with_the_unit_of_its_columns_name(column: str, value: Any, expected: str) -> None:
    assert shown(column, value) == expected


def test_a_value_takes_the_unit_that_its_row_names() -> None:
    assert shown("value", 0.054, {"unit": "share"}) == "5.4 %"
    assert shown("target_low", 90.0, {"unit": "minutes"}) == "1.5 h"
    assert in_unit(-4.25, "points 0 to 100") == "-4.2 points"
    assert in_unit(3.0, "alerts") == "3 alerts"
    # A count is a count, whatever the unit of its row.
    assert shown("n", 30, {"unit": "share"}) == "30"


def test_a_heading_says_the_unit_of_points_and_leaves_out_that_of_times() -> None:
    assert heading("mean_ease_0_100") == "mean ease (0-100)"
    assert heading("difference_ease_0_100") == "difference ease (points)"
    assert heading("p50_minutes") == "p50"
    assert heading("survey_id") == "survey id"
    assert unit_of("effort_low_0_100") == "0_100"
    assert unit_of("handoffs") == ""

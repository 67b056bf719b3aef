"""Protects the detector of unusual days: what it must see, what it must not, and that no verdict changes afterwards."""

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.statistics.detector import Findings, Grain, examine, stabilised, unstabilised

START = "2024-01-01"
WEEKDAYS = np.array([1.2, 1.1, 1.0, 1.0, 1.0, 0.5, 0.4])


def examined(
    rows: np.ndarray, grain: Grain = "day", usable: np.ndarray | None = None, judged: np.ndarray | None = None
) -> Findings:
    """The findings on one series of counts."""
    days = pd.date_range(START, periods=len(rows), freq="D" if grain == "day" else "7D")
    month_days = np.stack([days.day, days.day - days.days_in_month - 1], axis=1)
    everywhere = np.ones((len(rows), 1), dtype=bool)
    ones = np.ones((len(rows), 1))
    return examine(
        stabilised(rows[:, None]),
        ones,
        ones,
        everywhere if usable is None else usable[:, None],
        everywhere if judged is None else judged[:, None],
        month_days,
        grain,
        is_proportional=True,
    )


def usual_days(days: int, a_day: float = 100, then: float | None = None, after: int = 0) -> np.ndarray:
    """Counts with a pattern of weekdays; from day `after` on, `then` a day."""
    day = np.arange(days)
    rate = np.where((then is not None) & (day >= after), then or 0, a_day)
    return np.random.default_rng(7).poisson(rate * WEEKDAYS[day % 7]).astype(float)


def test_counts_on_the_scale_of_equal_variance_come_back() -> None:
    assert unstabilised(stabilised(np.array([0.0, 1, 30, 400]))) == pytest.approx([0, 1, 30, 400])


def test_quiet_weekends_are_usual() -> None:
    found = examined(usual_days(56 + 8 * 7))
    assert not found.incident.any()
    assert np.isnan(found.z[:56]).all()
    assert np.isfinite(found.z[56:]).all()


def test_a_day_without_rows_is_a_spike_on_that_day_and_an_incident_until_the_figures_are_back() -> None:
    rows = usual_days(120, a_day=30)
    rows[80] = 0
    found = examined(rows)
    assert np.flatnonzero(found.spike).tolist() == [80]
    assert found.z[80, 0] < -4
    # 14 usual days close it.
    assert np.flatnonzero(found.incident).tolist() == [*range(80, 95)]
    assert not found.is_new_level.any()


def test_a_lasting_change_is_one_incident_and_then_the_usual_level() -> None:
    rows = usual_days(300, then=50, after=150)
    found = examined(rows)
    assert found.incident.max() == 1
    assert np.flatnonzero(found.incident)[0] == 150
    assert np.flatnonzero(found.is_new_level).tolist() == [170]
    assert unstabilised(found.expected[200:]).mean() == pytest.approx(rows[200:].mean(), rel=0.05)


def test_a_small_lasting_change_is_a_drift_that_begins_where_the_figures_changed() -> None:
    rows = usual_days(200, a_day=60, then=46, after=120)
    found = examined(rows)
    assert found.drift.any()
    first = np.flatnonzero(found.incident)[0]
    assert abs(first - 120) <= 3
    assert np.flatnonzero(found.drift)[0] <= 135


def test_a_day_of_the_month_that_is_always_busy_is_usual_from_its_fourth_time_on() -> None:
    rows = usual_days(500)
    days = pd.date_range(START, periods=500)
    rows[days.day == 1] *= 2
    busy = np.flatnonzero((days.day == 1) & (np.arange(500) >= 56))
    found = examined(rows)
    assert found.spike[busy[:3], 0].all()
    assert not found.spike[busy[3:], 0].any()


def test_a_holiday_gets_no_verdict_and_no_other_day_is_compared_with_it() -> None:
    rows = usual_days(100)
    usable = np.ones(100, dtype=bool)
    rows[70], usable[70] = 0, False
    found = examined(rows, usable=usable)
    assert np.isnan(found.z[70, 0])
    assert not found.incident.any()
    without = examined(np.where(usable, rows, 55), usable=usable)
    assert found.expected[71:] == pytest.approx(without.expected[71:])


def test_steps_with_too_few_rows_get_no_verdict() -> None:
    rows = usual_days(100)
    judged = np.arange(100) >= 90
    assert np.isfinite(examined(rows, judged=judged).z[:, 0]).tolist() == judged.tolist()


@pytest.mark.parametrize("grain", ["day", "week"])
@pytest.mark.parametrize("steps", [70, 111, 160])
def test_later_steps_change_no_verdict(grain: Grain, steps: int) -> None:
    rows = usual_days(220)
    rows[100:] *= 2
    rows[140] = 0
    early, late = examined(rows[:steps], grain), examined(rows, grain)
    for name in ("expected", "error", "z", "cusum_up", "cusum_down", "spike", "drift", "is_new_level"):
        assert np.array_equal(getattr(early, name), getattr(late, name)[:steps], equal_nan=True), name
    assert ((early.incident == 0) | (early.incident == late.incident[:steps])).all()

"""Protects mart.anomalies_daily: which figures are judged by day and by week, what is shown, and in which words."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.schemas.mart.anomalies import ANOMALIES_DAILY
from ces_pipeline.statistics.anomalies import anomalies_daily

FIRST = date(2024, 1, 1)
DAYS = 140


def series(kind: str, figure: str, n: np.ndarray, total: np.ndarray, **more: Any) -> pd.DataFrame:
    """Evidence of one series, one row per day with rows."""
    rows = pd.DataFrame(
        {
            "figure": figure,
            "series_kind": kind,
            "dimension": more.get("dimension", "survey"),
            "segment": more.get("segment", "after_case"),
            "day": [FIRST + timedelta(days=day) for day in range(len(n))],
            "n": n.astype(float),
            "total": total.astype(float),
            "square_total": more.get("square_total", np.nan),
            "examined_from": FIRST,
            "examined_to": FIRST + timedelta(days=DAYS - 1),
            "minimum_n": 30,
        }
    )
    return rows[rows["n"] > 0]


def counted(a_day: float, seed: int = 3, **more: Any) -> pd.DataFrame:
    rows = np.random.default_rng(seed).poisson(a_day, DAYS)
    rows[more.pop("silent", [])] = 0
    return series("responses", "count", rows, rows, **more)


def on(rows: pd.DataFrame, day: int) -> dict[str, Any]:
    found = rows[rows["day"] == FIRST + timedelta(days=day)]
    assert len(found) == 1
    return dict(found.iloc[0])


def test_a_silent_day_is_fewer_rows_with_what_was_expected() -> None:
    rows = anomalies_daily(counted(40, silent=[100]))
    found = on(rows[rows["grain"] == "day"], 100)
    assert (found["state"], found["direction"], found["observed"]) == ("spike down", "fewer", 0)
    assert found["incident_first_day"] == FIRST + timedelta(days=100)
    assert found["expected"] == pytest.approx(40, abs=5)
    assert 0 < found["expected_low"] < found["expected"] < found["expected_high"]
    assert on(rows[rows["grain"] == "day"], 99)["state"] == "usual"
    assert pd.isna(on(rows[rows["grain"] == "day"], 99)["direction"])
    assert on(rows[rows["grain"] == "day"], 105)["state"] == "in an incident"


def test_a_figure_with_few_rows_a_day_is_judged_by_the_week_alone() -> None:
    rows = anomalies_daily(counted(4))
    by_grain = rows.groupby("grain")["state"].agg(set)
    assert by_grain["day"] == {"too few rows"}
    assert by_grain["week"] == {"usual", "too little history"}
    assert {day.weekday() for day in rows.loc[rows["grain"] == "week", "day"]} == {6}


def test_a_figure_with_almost_no_rows_is_listed_once_with_the_reason() -> None:
    rows = anomalies_daily(counted(0.2))
    assert rows.groupby("grain")["state"].agg(list).to_dict() == {
        "day": ["too few rows"],
        "week": ["too few rows"],
    }


def test_effort_that_rises_is_harder_and_below_the_minimum_n_it_is_not_shown() -> None:
    rng = np.random.default_rng(5)
    n = np.full(DAYS, 60)
    n[120] = 20
    efforts = [rng.choice([0.0, 50.0, 100.0], size=size, p=[0.6, 0.2, 0.2]) for size in n]
    efforts[110] = np.full(60, 100.0)
    total = np.array([day.sum() for day in efforts])
    squares = np.array([(day**2).sum() for day in efforts])
    rows = anomalies_daily(series("effort", "mean", n, total, square_total=squares))
    by_day = rows[rows["grain"] == "day"]
    found = on(by_day, 110)
    assert (found["state"], found["direction"], found["observed"]) == ("spike up", "harder", 100)
    assert found["expected"] == pytest.approx(30, abs=5)
    assert np.isnan(on(by_day, 120)["observed"])
    assert np.isfinite(on(by_day, 120)["z"])


def test_shares_and_durations_are_shown_as_people_read_them() -> None:
    rng = np.random.default_rng(6)
    n = np.full(DAYS, 200)
    share = anomalies_daily(series("comment_share", "share", n, rng.binomial(200, 0.3, DAYS)))
    assert on(share[share["grain"] == "day"], 100)["expected"] == pytest.approx(0.3, abs=0.02)
    logs = rng.normal(np.log(45), 0.5, (DAYS, 200))
    seconds = anomalies_daily(
        series("duration_seconds", "mean", n, logs.sum(axis=1), square_total=(logs**2).sum(axis=1))
    )
    assert on(seconds[seconds["grain"] == "day"], 100)["expected"] == pytest.approx(45, rel=0.03)


def test_a_holiday_says_so() -> None:
    evidence = counted(40, silent=[90])
    day = {"figure": "holiday", "series_kind": "holiday", "segment": "all", "day": FIRST + timedelta(days=90)}
    rows = anomalies_daily(pd.concat([evidence, evidence.iloc[[0]].assign(**day)]))
    assert on(rows[rows["grain"] == "day"], 90)["state"] == "holiday"
    assert not rows["incident_first_day"].notna().any()


def test_the_order_of_the_evidence_does_not_matter_and_the_columns_are_those_of_the_table() -> None:
    evidence = pd.concat([counted(40), counted(12, seed=4, segment="after_chat")], ignore_index=True)
    rows = anomalies_daily(evidence)
    shuffled = anomalies_daily(evidence.sample(frac=1, random_state=1).reset_index(drop=True))
    pd.testing.assert_frame_equal(rows, shuffled)
    assert list(rows.columns) == list(ANOMALIES_DAILY.columns)
    assert not rows.duplicated(list(ANOMALIES_DAILY.key)).any()


def test_no_evidence_gives_no_row() -> None:
    assert anomalies_daily(counted(40).iloc[:0]).empty


@pytest.mark.parametrize("days", [1, 6, 8])
def test_the_first_days_of_a_home_have_too_little_history(days: int) -> None:
    evidence = counted(40).iloc[:days].assign(examined_to=FIRST + timedelta(days=days - 1))
    rows = anomalies_daily(evidence)
    assert set(rows["state"]) <= {"too few rows", "too little history"}
    assert rows["z"].isna().all()
    assert set(rows["grain"]) == ({"day", "week"} if days >= 7 else {"day"})


def test_a_figure_that_is_judged_by_days_from_then_on_is_in_no_incident_of_its_weeks() -> None:
    rejected = np.full(DAYS, 2)
    # So many that a day brings enough of them: they are judged by the day, and the weeks are not judged any more.
    rejected[120:134] = 30
    rows = anomalies_daily(series("rejected_share", "share", np.full(DAYS, 90), rejected, dimension="source"))
    weeks = rows[rows["grain"] == "week"].sort_values("day")
    assert "spike up" in set(weeks["state"])
    newest = weeks.iloc[-1]
    assert newest["state"] == "too few rows"
    assert pd.isna(newest["incident_first_day"])
    assert pd.isna(newest["direction"])

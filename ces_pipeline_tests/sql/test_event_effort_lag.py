"""Protects the relation of effort to backend measures: a planted lag is found, shuffled measures give none."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter
from statsmodels.regression.linear_model import yule_walker

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry
from ces_pipeline_tests.sql.asked import at, event
from ces_pipeline_tests.sql.snapshots import derived

MART = "mart.event_effort_lag"


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path, most_lag_days=4, minimum_n=30)


def measured(
    values: np.ndarray, category: str | None = "billing", name: str = "p95_seconds"
) -> list[dict[str, Any]]:
    """Three readings a day; the middle one is the value."""
    return [
        event(f"{name}{category}{number}.{off}", DAY + timedelta(days=number), event_type=name, category=category,
              value=float(value + off), occurred_at=at(DAY + timedelta(days=number), 9 + off // 50))
        for number, value in enumerate(values)
        for off in (-40, 0, 60)
    ]  # fmt: skip


def efforts(values: np.ndarray, category: str = "billing") -> list[dict[str, Any]]:
    return [
        {"day": DAY + timedelta(days=number), "category": category, "channel": channel, "tickets": 1, "n": 2,
         "is_suppressed": False, "effort_sum_0_100": round(2 * float(value + off), 6), "effort_square_sum_0_100": 0.0}
        for number, value in enumerate(values)
        for channel, off in (("web", -5), ("phone", 5))
    ]  # fmt: skip


def found(
    here: Registry, events: list[dict[str, Any]], answers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    with derived(here, [MART], {"core.events": events, "mart.category_daily": answers}) as snapshot:
        return snapshot.rows(f"FROM {MART} ORDER BY measure, category, lag_days")


def without_weekdays(values: np.ndarray) -> np.ndarray:
    day = np.arange(len(values))
    design = np.column_stack([np.eye(7)[day % 7], day])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def test_a_planted_lag_is_the_only_one_related_and_is_the_correlation_of_the_filtered_days(
    here: Registry,
) -> None:
    random = np.random.default_rng(4)
    week = np.arange(90) % 7
    latency = np.round(200 + 50 * random.standard_normal(90) + 80 * (week > 4), 3)
    effort = np.round(
        40 + 0.1 * np.concatenate([[200, 200], latency[:-2]]) + random.standard_normal(90) - 9 * (week > 4), 3
    )
    rows = found(here, measured(latency), efforts(effort))
    assert [row["lag_days"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["is_best_lag"] for row in rows] == [False, False, True, False, False]
    assert [row["verdict"] for row in rows] == ["not the best lag"] * 2 + ["related"] + [
        "not the best lag"
    ] * 2
    best = rows[2]
    # The filter takes the five days before each day, so it begins with the sixth; effort has 90 days.
    weights = yule_walker(without_weekdays(latency), 5, method="mle", result_object=False)[0]
    filtered = [lfilter([1, *-weights], [1], without_weekdays(values))[5:] for values in (latency, effort)]
    known = stats.spearmanr(filtered[0][:-2], filtered[1][2:]).statistic
    assert (best["n"], best["correlation"]) == (83, pytest.approx(known, abs=1e-9))
    assert 0 < best["correlation_low"] < best["correlation"] < best["correlation_high"]
    # One measure: q is p times five lags.
    assert best["q_value"] == pytest.approx(5 * best["p_value"])
    assert best["effective_n"] <= 83 - 7
    assert [row["q_value"] for row in rows if not row["is_best_lag"]] == [None] * 4


def test_shuffled_measures_and_drifts_give_no_relation(here: Registry) -> None:
    random = np.random.default_rng(9)
    latency = 200 + 50 * random.standard_normal(90)
    effort = np.round(40 + 0.1 * latency + 0.05 * np.arange(90), 3)
    events = [
        row
        for number in range(6)
        for row in measured(
            np.round(random.permutation(latency) + np.arange(90), 3), name=f"shuffled_{number}"
        )
    ]
    rows = found(here, events, efforts(effort))
    assert len(rows) == 30
    assert [row["verdict"] for row in rows if row["is_best_lag"]] == ["no relation shown"] * 6


def test_weekdays_alone_are_no_variance(here: Registry) -> None:
    week = np.arange(84) % 7
    rows = found(here, measured(100.0 + week), efforts(40.0 + 3 * week))
    assert {row["verdict"] for row in rows} == {"no variance"}


def test_events_without_a_category_are_held_against_all_tickets(here: Registry) -> None:
    latency = np.round(200 + 50 * np.random.default_rng(3).standard_normal(60), 3)
    answers = efforts(np.round(latency / 10, 3)) + efforts(np.round(latency / 5, 3), "login")
    rows = found(here, measured(latency, None), answers)
    assert {row["category"] for row in rows} == {"all tickets"}
    assert (rows[0]["verdict"], rows[0]["correlation"]) == ("related", pytest.approx(1))


def test_few_days_constant_measures_and_categories_without_answers_are_reported(here: Registry) -> None:
    random = np.random.default_rng(2)
    few = found(here, measured(random.standard_normal(12)), efforts(np.round(random.uniform(20, 60, 12), 3)))
    assert {(row["verdict"], row["correlation"]) for row in few} == {("not enough data", None)}
    flat = found(here, measured(np.full(60, 7.0)), efforts(np.round(random.uniform(20, 60, 60), 3)))
    assert {(row["verdict"], row["n"] >= 30) for row in flat} == {("no variance", True)}
    unknown = found(here, measured(np.arange(60.0), "printer"), efforts(np.full(60, 50.0)))
    assert {(row["n"], row["verdict"]) for row in unknown} == {(0, "not enough data")}
    assert found(here, [event("e")], []) == []

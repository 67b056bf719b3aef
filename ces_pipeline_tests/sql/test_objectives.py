"""Protects the progress of objectives: by hand, never from days before the baseline, never from too few answers."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.registry import Registry
from ces_pipeline.registry.objectives import PROGRAM_METRICS, Objective
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.asked import invitation
from ces_pipeline_tests.sql.by_hand import mean_interval
from ces_pipeline_tests.sql.snapshots import derived

MART = "mart.objectives"
BEFORE = DAY - timedelta(days=1)


def objective(**values: Any) -> Objective:
    """Difficult answers from a half to a fifth within a hundred days from the day before DAY."""
    given = {
        "id": "o",
        "title": "Fewer difficult answers",
        "figure": "difficult_share",
        "baseline": 0.5,
        "baseline_day": BEFORE,
        "target": 0.2,
        "target_day": BEFORE + timedelta(days=100),
        **values,
    }
    return Objective.model_validate({key: value for key, value in given.items() if value is not None})


def progress(
    folder: Path, goal: Objective, given: Mapping[str, list[dict[str, Any]]], **settings: Any
) -> dict[str, Any]:
    here: Registry = registry(folder, minimum_n=10, **settings).model_copy(update={"objectives": (goal,)})
    with derived(here, [MART], given) as snapshot:
        return snapshot.row(f"FROM {MART}")


def answers(difficult: int, easy: int, day: date, name: str = "r", **values: Any) -> list[dict[str, Any]]:
    eases = [0.0] * difficult + [100.0] * easy
    return [
        response(f"{name}{day}{n}", day, ease=ease, respondent_key=f"p{n}", **values)
        for n, ease in enumerate(eases)
    ]


def test_a_share_of_answers_has_come_as_far_as_computed_by_hand(tmp_path: Path) -> None:
    given = {
        "core.responses": [
            # The day of the baseline, and what is older than the newest 28 days, count for nothing.
            *answers(20, 0, BEFORE),
            *answers(20, 0, DAY),
            *answers(2, 6, DAY + timedelta(days=12)),
            *answers(6, 6, DAY + timedelta(days=39)),
        ]
    }
    row = progress(tmp_path, objective(owner="Support", sponsor="Board"), given)
    assert (row["first_day"], row["last_day"]) == (DAY + timedelta(days=12), DAY + timedelta(days=39))
    # 8 of 20; from 0.5 to 0.2 a third of the way, in 40 of 100 days.
    assert (row["n"], row["value"]) == (20, 0.4)
    assert (row["value_low"], row["value_high"]) == pytest.approx(proportion_confint(8, 20, method="wilson"))
    assert (row["way_share"], row["time_share"]) == (pytest.approx(1 / 3), 0.4)
    assert (row["state"], row["why_null"], row["unit"]) == ("behind", None, "share")
    assert (row["owner"], row["sponsor"], row["dimension"], row["segment"]) == (
        "Support",
        "Board",
        "all",
        "all",
    )


@pytest.mark.parametrize(
    ("difficult", "days", "state", "way"),
    [
        (4, 9, "reached", 1.0),
        (2, 9, "reached", 4 / 3),
        (9, 9, "on track", 1 / 6),
        (9, 29, "behind", 1 / 6),
        (12, 9, "behind", -1 / 3),
        # Once the day is over, anything short of the target is behind.
        (5, 199, "behind", 5 / 6),
    ],
)
def test_the_state_compares_progress_with_time(
    tmp_path: Path, difficult: int, days: int, state: str, way: float
) -> None:
    given = {"core.responses": answers(difficult, 20 - difficult, DAY + timedelta(days=days))}
    row = progress(tmp_path, objective(), given)
    assert (row["state"], row["way_share"]) == (state, pytest.approx(way))
    assert row["time_share"] == min((days + 1) / 100, 1)


@pytest.mark.parametrize(
    ("figure", "value", "low", "high"),
    [
        ("mean_ease_0_100", 60.0, *mean_interval([100.0] * 12 + [0.0] * 8)),
        ("mean_effort_0_100", 40.0, *mean_interval([0.0] * 12 + [100.0] * 8)),
        ("easy_share", 0.6, *proportion_confint(12, 20, method="wilson")),
        # Adjusted-Wald: 4 / 23 and a half-width of 1.96 x sqrt((21.5 / 23 - (4 / 23)^2) / 23).
        ("net_ease", 0.2, 4 / 23 - 0.388661, 4 / 23 + 0.388661),
    ],
)
def test_every_figure_has_the_interval_of_its_mart(
    tmp_path: Path, figure: str, value: float, low: float, high: float
) -> None:
    points = figure.endswith("0_100")
    goal = objective(figure=figure, baseline=50 if points else 0.1, target=90 if points else 0.9,
                    dimension="channel", segment="chat")  # fmt: skip
    given = {
        "core.responses": [*answers(8, 12, DAY, channel="chat"), *answers(9, 0, DAY, "other", channel="web")]
    }
    row = progress(tmp_path, goal, given)
    assert (row["n"], row["value"]) == (20, pytest.approx(value))
    assert (row["value_low"], row["value_high"]) == (
        pytest.approx(low, abs=2e-3),
        pytest.approx(high, abs=2e-3),
    )


def test_too_few_answers_are_suppressed_and_none_are_not_measurable_yet(tmp_path: Path) -> None:
    row = progress(tmp_path, objective(), {"core.responses": answers(3, 6, DAY)})
    assert (row["state"], row["why_null"], row["n"]) == ("suppressed", "fewer than the minimum n", 9)
    assert (row["value"], row["value_low"], row["way_share"]) == (None, None, None)
    row = progress(tmp_path, objective(), {"core.responses": answers(10, 10, BEFORE)})
    assert (row["state"], row["why_null"]) == (
        "not measurable yet",
        "no figure of a day later than the baseline",
    )
    assert (row["n"], row["last_day"], row["time_share"]) == (None, None, None)


def test_a_share_of_the_programme_pools_the_days_that_are_final(tmp_path: Path) -> None:
    goal = objective(figure=None, metric="response_rate_1", baseline=0.1, target=0.5)
    responses, invitations = [], []
    for day, asked, answered in (
        (DAY, 8, 2),
        (DAY + timedelta(days=3), 8, 6),
        (DAY + timedelta(days=20), 9, 9),
    ):
        invitations += [invitation(f"{day}{n}", day, person_key=f"{day}p{n}") for n in range(asked)]
        responses += [response(f"{day}{n}", day, respondent_key=f"{day}p{n}") for n in range(answered)]
    given = {"core.responses": responses, "core.invitations": invitations}
    row = progress(tmp_path, goal, given, invitation_window_days=10)
    # Each of the days is below the minimum n of ten, and the last may still be answered.
    assert (row["n"], row["value"], row["state"]) == (16, 0.5, "reached")
    assert (row["value_low"], row["value_high"]) == pytest.approx(proportion_confint(8, 16, method="wilson"))
    assert (row["dimension"], row["last_day"]) == ("programme", DAY + timedelta(days=3))


def test_what_the_programme_cannot_measure_says_why(tmp_path: Path) -> None:
    goal = objective(figure=None, metric="alert_response_minutes", baseline=600, target=60)
    row = progress(tmp_path, goal, {"core.responses": answers(1, 1, DAY)})
    assert (row["state"], row["why_null"]) == ("not measurable yet", "no incident was acknowledged")


def test_a_metric_that_is_no_share_has_its_newest_value(tmp_path: Path) -> None:
    goal = objective(
        figure=None, metric="mean_ease_0_100", segment="unknown: unknown", baseline=50, target=90
    )
    later = DAY + timedelta(days=7)
    row = progress(tmp_path, goal, {"core.responses": [*answers(10, 10, DAY), *answers(4, 16, later)]})
    assert (row["value"], row["n"], row["first_day"], row["last_day"]) == (80.0, 20, later, later)


def test_the_metrics_that_an_objective_may_name_are_those_of_the_programme(tmp_path: Path) -> None:
    here = registry(tmp_path)
    with derived(here, ["mart.program_metrics"], {"core.responses": [response("r")]}) as snapshot:
        rows = snapshot.rows("SELECT DISTINCT metric, unit FROM mart.program_metrics")
    assert {row["metric"]: row["unit"] for row in rows} == PROGRAM_METRICS

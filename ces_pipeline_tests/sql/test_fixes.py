"""Protects the verdicts on fixes: figures by hand, and no claim from a mix, a growth, a bad week or too few answers."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ces_pipeline.registry import Registry
from ces_pipeline.registry.fixes import Fix
from ces_pipeline_tests.lake_days import registry, response, ticket
from ces_pipeline_tests.sql.asked import at
from ces_pipeline_tests.sql.snapshots import derived

LIVE = date(2026, 3, 2)
EFFORT, TICKETS = "mart.fix_impact", "mart.fix_ticket_impact"
ZIGZAG = (2.0, -2.0, 1.0, -1.0)


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    """Windows of four weeks; the fix `f` of billing, held against login."""
    return fixed(registry(tmp_path, fix_window_weeks=4, minimum_n=10), {})


def fixed(here: Registry, *changes: Mapping[str, Any]) -> Registry:
    given = {
        "id": "f",
        "title": "F",
        "live_on": LIVE,
        "categories": ["billing"],
        "comparison_categories": ["login"],
    }
    return here.model_copy(
        update={"fixes": tuple(Fix.model_validate({**given, **change}) for change in changes)}
    )


def cell(
    week: int, category: str, efforts: list[float], tickets: int = 10, channel: str = "web"
) -> dict[str, Any]:
    """A week's answers and tickets of a category, all on its third day."""
    return {
        "day": LIVE + timedelta(days=7 * week + 2),
        "category": category,
        "channel": channel,
        "tickets": tickets,
        "n": len(efforts),
        "is_suppressed": False,
        "effort_sum_0_100": sum(efforts),
        "effort_square_sum_0_100": sum(value * value for value in efforts),
    }


def edge(week: int) -> dict[str, Any]:
    """A row that makes the data reach to the end of the week."""
    return {**cell(week, "elsewhere", [], 0), "day": LIVE + timedelta(days=7 * week + 6)}


def around(*, weeks: int = 4, effect: float = -10.0) -> list[dict[str, Any]]:
    """Billing 50 and login 30, four answers a week; everything rises by 5 with the fix, billing by the effect too."""
    rows = [{**edge(-weeks), "day": LIVE - timedelta(days=7 * weeks)}, edge(weeks - 1)]
    for week in range(-weeks, weeks):
        common = 5.0 if week >= 0 else 0.0
        own = common + ZIGZAG[week % 4] + (effect if week >= 0 else 0.0)
        rows.append(cell(week, "billing", [50 + own - 5, 50 + own + 5] * 2))
        rows.append(cell(week, "login", [30 + common - 5, 30 + common + 5] * 2))
    return rows


def by_method(
    here: Registry, mart: str, rows: list[dict[str, Any]], **core: Any
) -> dict[str, dict[str, Any]]:
    with derived(here, [mart], {"mart.category_daily": rows, **core}) as snapshot:
        return {row["method"]: row for row in snapshot.rows(f"FROM {mart} WHERE fix_id = 'f'")}


def test_the_difference_in_differences_is_the_one_computed_by_hand(here: Registry) -> None:
    found = by_method(here, EFFORT, around())
    row = found["difference in differences"]
    assert (row["n_before"], row["n_after"], row["weeks_before"], row["weeks_after"]) == (16, 16, 4, 4)
    assert (row["before_effort_0_100"], row["after_effort_0_100"]) == (50, 45)
    assert row["change_effort_0_100"] == pytest.approx(-10)
    # Residuals 2, -2, 1, -1 on both sides, their squares sum to 20. Neighbours alternate, so their correlation is the least
    # that is taken: 0.1. It scales the variance of a week to be unbiased, and gives t its degrees of freedom.
    weeks = np.arange(8)
    correlations = 0.1 ** np.abs(np.subtract.outer(weeks, weeks))
    deviations = np.kron(np.eye(2), np.eye(4) - 0.25) @ correlations
    of_week = 20 / np.trace(deviations)
    contrast = np.repeat([-0.25, 0.25], 4)
    degrees = np.trace(deviations) ** 2 / np.trace(deviations @ deviations)
    half = stats.t.ppf(0.975, degrees) * (of_week * contrast @ correlations @ contrast) ** 0.5
    assert row["change_low_0_100"] == pytest.approx(-10 - half)
    assert row["change_high_0_100"] == pytest.approx(-10 + half)
    assert (row["verdict"], row["why"], row["comparison_categories"]) == ("improved", None, "login")
    assert (row["regression_guard"], row["overlapping_fixes"], row["is_complete"]) == (
        "comparison categories alone",
        None,
        True,
    )
    # 2 x 7.849 x 3.52 x 1.1 / 0.9 / 25 + 0.96, rounded up; four answers a week.
    assert of_week == pytest.approx(3.52, abs=0.01)
    assert (row["weeks_needed"], row["n_needed"]) == (4, 16)
    assert found["plain before and after"]["change_effort_0_100"] == pytest.approx(-5)
    assert found["plain before and after"]["regression_guard"] == "none"
    assert found["interrupted series"]["verdict"] == "not enough data"


def test_the_weeks_of_a_fix_are_counted_by_hand(here: Registry) -> None:
    rows = [
        {**edge(-1), "day": LIVE - timedelta(days=7)},
        cell(-1, "billing", [50.0, 60.0], 3),
        cell(0, "billing", [40.0], 2, channel="web"),
        cell(0, "billing", [20.0], 1, channel="phone"),
        cell(0, "login", [20.0, 30.0], 4),
        edge(0),
    ]
    customers = [{"day": LIVE + timedelta(days=6), "active_customers": 9, "customers_basis": "accounts"}]
    given = {"mart.category_daily": rows, "mart.active_customers_daily": customers}
    before, after = (LIVE - timedelta(days=7), LIVE - timedelta(days=1)), (LIVE, LIVE + timedelta(days=6))
    with derived(here, ["mart.fix_weeks"], given) as snapshot:
        found = [tuple(row.values()) for row in snapshot.rows("FROM mart.fix_weeks")]
    assert found == [
        ("f", "billing", False, "before", -1, *before, -1.0, 3, None, "accounts", 2, 110.0),
        ("f", "billing", False, "after", 0, *after, 0.0, 3, 9, "accounts", 2, 60.0),
        ("f", "login", True, "before", -1, *before, -1.0, 0, None, "accounts", 0, 0.0),
        ("f", "login", True, "after", 0, *after, 0.0, 4, 9, "accounts", 2, 50.0),
    ]
    # Between the trigger and the fix lies no week: those before it end where it was triggered.
    triggered = fixed(here, {"triggered_on": LIVE - timedelta(days=1)})
    with derived(triggered, ["mart.fix_weeks"], given) as snapshot:
        assert {row["period"] for row in snapshot.rows("FROM mart.fix_weeks")} == {"after"}


def test_what_all_categories_do_is_no_effect(here: Registry) -> None:
    found = by_method(here, EFFORT, around(effect=0))
    assert found["difference in differences"]["verdict"] == "no change shown"
    assert found["plain before and after"]["verdict"] == "worsened"


def test_a_planted_mix_shift_is_shown_as_one_and_is_no_effect(here: Registry) -> None:
    rows = [{**edge(-4), "day": LIVE - timedelta(days=28)}, edge(3)]
    for week in range(-4, 4):
        phones, webs = (8, 2) if week < 0 else (2, 8)
        step = ZIGZAG[week % 4]
        rows.append(cell(week, "billing", [80 + step] * phones, channel="phone"))
        rows.append(cell(week, "billing", [20 + step] * webs, channel="web"))
        rows += [
            cell(week, "login", [value] * 5, channel=name) for name, value in (("phone", 80.0), ("web", 20.0))
        ]
    found = by_method(here, EFFORT, rows)
    row = found["difference in differences"]
    assert (row["before_effort_0_100"], row["after_effort_0_100"]) == (pytest.approx(68), pytest.approx(32))
    assert row["change_effort_0_100"] == pytest.approx(0, abs=1e-9)
    assert row["mix_part_0_100"] == pytest.approx(-36)
    assert row["verdict"] == "no change shown"
    assert found["plain before and after"]["verdict"] == "improved"


def test_too_few_answers_have_no_change_and_show_no_noise(here: Registry) -> None:
    rows = [{**edge(-4), "day": LIVE - timedelta(days=28)}, edge(3)]
    rows += [cell(week, name, [40.0, 60.0]) for week in (-1, 0) for name in ("billing", "login")]
    row = by_method(here, EFFORT, rows)["difference in differences"]
    assert (row["verdict"], row["why"]) == ("not enough data", "2 before: fewer than the minimum n")
    assert (row["change_effort_0_100"], row["weeks_needed"], row["n_needed"]) == (None, None, None)


def test_a_fix_without_any_data_is_reported(here: Registry) -> None:
    for mart in (EFFORT, TICKETS):
        found = by_method(here, mart, [])
        assert {row["verdict"] for row in found.values()} == {"not enough data"}
        assert {(row["n_before"], row["why"]) for row in found.values()} == {
            (0, "0 before: fewer than the minimum n")
        }


def test_a_category_that_only_came_back_to_its_level_has_not_improved(here: Registry) -> None:
    rows = [{**edge(-8), "day": LIVE - timedelta(days=56)}, edge(3)]
    for week in range(-8, 4):
        level = 70.0 if -4 <= week < 0 else 50.0
        rows.append(cell(week, "billing", [level + ZIGZAG[week % 4]] * 5))
        rows.append(cell(week, "login", [30.0] * 5))
    row = by_method(here, EFFORT, rows)["difference in differences"]
    assert row["change_high_0_100"] < 0
    assert (row["verdict"], row["regression_guard"]) == ("no change shown", "earlier weeks agree")
    assert "come back to its level" in row["why"]
    triggered = fixed(here, {"triggered_on": LIVE - timedelta(days=28)})
    row = by_method(triggered, EFFORT, rows)["difference in differences"]
    assert row["change_effort_0_100"] == pytest.approx(0)
    assert (row["verdict"], row["regression_guard"]) == ("no change shown", "time before the trigger")


def test_overlapping_fixes_and_those_of_one_day_say_so(here: Registry) -> None:
    three = fixed(
        here, {}, {"id": "g"}, {"id": "h", "live_on": LIVE + timedelta(days=27)},
        {"id": "later", "live_on": LIVE + timedelta(days=28)}, {"id": "other", "categories": ["printer"]},
    )  # fmt: skip
    for mart in (EFFORT, TICKETS):
        found = by_method(three, mart, around())
        assert {row["overlapping_fixes"] for row in found.values()} == {"g (same day), h"}


def test_unless_named_the_comparison_is_of_like_level_and_untouched(here: Registry) -> None:
    rows = around()
    levels = {"a": 52.0, "b": 49.0, "c": 51.0, "d": 47.0, "e": 54.0, "far": 90.0, "touched": 50.0}
    for week in range(-4, 4):
        rows += [cell(week, name, [level] * 3) for name, level in levels.items()]
    here_with_fix = fixed(
        here,
        {"comparison_categories": []},
        {"id": "g", "categories": ["touched"], "live_on": LIVE - timedelta(days=7)},
    )
    row = by_method(here_with_fix, EFFORT, rows)["difference in differences"]
    assert row["comparison_categories"] == "a, b, c, d, e"


def test_growth_of_all_tickets_is_no_effect_and_a_drop_is_by_hand(here: Registry) -> None:
    rows = [{**edge(-4), "day": LIVE - timedelta(days=28)}, edge(3)]
    counts = (20, 25, 20, 25)
    for week in range(-4, 4):
        growth = 1 if week < 0 else 3
        rows.append(cell(week, "billing", [], counts[week % 4] * growth))
        rows.append(cell(week, "login", [], 40 * growth))
    found = by_method(here, TICKETS, rows)
    row = found["difference in differences"]
    assert (row["n_before"], row["n_after"], row["verdict"]) == (90, 270, "no change shown")
    assert row["change_share"] == pytest.approx(0, abs=0.02)
    assert found["plain before and after"]["why"] == "the active customers of these weeks are not known"
    for row in rows:
        if row["category"] == "billing" and row["day"] >= LIVE:
            row["tickets"] = row["tickets"] // 3
    row = by_method(here, TICKETS, rows)["difference in differences"]
    assert row["change_share"] == pytest.approx(40.5 / 120.5 - 1, abs=0.001)
    assert row["verdict"] == "improved"
    assert row["change_low_share"] < row["change_share"] < row["change_high_share"] < 0


def test_tickets_are_counted_per_account_where_accounts_are_known(here: Registry) -> None:
    rows = [{**edge(-4), "day": LIVE - timedelta(days=28)}, edge(3)]
    rows += [cell(week, "billing", [], 20 + week % 2) for week in range(-4, 4)]
    accounts = [
        {
            "person_key": f"p{number}",
            "source_id": "crm",
            "valid_from": at(LIVE - timedelta(days=100)),
            "from_day": date(1, 1, 1),
            "until_day": LIVE if number < 50 else None,
        }
        for number in range(100)
    ]
    row = by_method(here, TICKETS, rows, **{"core.accounts": accounts})["plain before and after"]
    assert row["customers_basis"] == "accounts"
    assert row["before_tickets_per_1000_customers"] == pytest.approx(205)
    assert row["after_tickets_per_1000_customers"] == pytest.approx(410)
    assert row["verdict"] == "worsened"


def test_customers_seen_are_those_of_the_seven_days_that_end_with_the_day(here: Registry) -> None:
    days = {"a": (0, 3), "b": (1, 9), "c": (3,)}
    given = {
        "core.tickets": [
            ticket(f"{person}{day}", requester_key=person, created_at=at(LIVE + timedelta(days=day)))
            for person, of_person in days.items()
            for day in of_person
        ],
        "core.responses": [response("r", LIVE + timedelta(days=3), respondent_key="c")],
        "mart.category_daily": [edge(1)],
    }
    with derived(here, ["mart.active_customers_daily"], given) as snapshot:
        rows = snapshot.rows("FROM mart.active_customers_daily")
    counted = [row["active_customers"] for row in rows if row["day"] <= LIVE + timedelta(days=13)]
    # a until day 9, c until 9, b on days 1 to 7 and from 9 on.
    assert counted == [1, 2, 2, 3, 3, 3, 3, 3, 2, 3, 1, 1, 1, 1]
    assert {row["customers_basis"] for row in rows} == {"customers seen"}


def test_the_programmes_metrics_carry_every_fix_measured_or_not(here: Registry) -> None:
    two = fixed(here, {}, {"id": "g", "live_on": LIVE + timedelta(days=100)})
    answers = [response("a", LIVE)]
    with derived(
        two, ["mart.program_metrics"], {"mart.category_daily": around(), "core.responses": answers}
    ) as snapshot:
        rows = snapshot.rows(
            "FROM mart.program_metrics WHERE metric_id LIKE 'M10%' ORDER BY metric_id, segment"
        )
    assert [(row["metric_id"], row["segment"], row["state"]) for row in rows] == [
        ("M10a", "f", "measured"),
        ("M10a", "g", "not measurable yet"),
        ("M10b", "f", "not measurable yet"),
        ("M10b", "g", "not measurable yet"),
    ]
    assert (rows[0]["value"], rows[0]["n"], rows[0]["day"]) == (pytest.approx(-10), 32, LIVE)
    assert rows[1]["why_null"] == "0 before: fewer than the minimum n"
    assert "are equal" in rows[2]["why_null"]


def test_a_fix_that_goes_live_after_the_last_day_has_each_category_once(here: Registry) -> None:
    """Its own category is not also one that it is compared with, as long as no week after it is covered."""
    planned = fixed(here, {"live_on": LIVE + timedelta(weeks=5), "comparison_categories": []})
    rows = [edge(-8), *(cell(week, name, [50.0]) for week in range(-7, 4) for name in ("billing", "login"))]
    with derived(planned, ["mart.fix_weeks"], {"mart.category_daily": rows}) as snapshot:
        roles = snapshot.rows("SELECT DISTINCT category, is_comparison FROM mart.fix_weeks WHERE tickets > 0")
        repeated = snapshot.rows(
            "SELECT fix_id, category, week_number FROM mart.fix_weeks GROUP BY ALL HAVING count(*) > 1"
        )
    assert {(row["category"], row["is_comparison"]) for row in roles} == {("billing", False), ("login", True)}
    assert repeated == []


def test_weeks_before_the_first_known_customer_have_a_basis(here: Registry) -> None:
    known = {"day": LIVE + timedelta(days=20), "active_customers": 3, "customers_basis": "accounts"}
    for customers, basis in (([known], {"accounts"}), ([], {"customers seen"})):
        given = {"mart.category_daily": around(), "mart.active_customers_daily": customers}
        with derived(here, ["mart.fix_weeks"], given) as snapshot:
            found = snapshot.rows("SELECT DISTINCT customers_basis FROM mart.fix_weeks")
        assert {row["customers_basis"] for row in found} == basis

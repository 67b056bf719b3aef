"""Protects release windows and markers: a planted effect recovered by hand and by simulation, none where none is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.releases import Release
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.snapshots import derived

MART = "mart.release_windows"
LIVE = DAY + timedelta(days=20)


def released(folder: Path, *changes: dict[str, Any]) -> Registry:
    here = registry(folder, release_window_days=7, minimum_n=6)
    entries = [{"id": "v2", "day": LIVE, "title": "Version 2", **change} for change in changes]
    return here.model_copy(update={"releases": tuple(Release.model_validate(entry) for entry in entries)})


def daily(efforts: dict[int, list[float]], **values: Any) -> list[dict[str, Any]]:
    """Days from the release -> efforts of the answers of that day."""
    return [
        response(
            f"{values.get('product', '')}{offset}.{place}",
            LIVE + timedelta(days=offset),
            ease=100 - effort,
            **values,
        )
        for offset, of_day in efforts.items()
        for place, effort in enumerate(of_day)
    ]


BEFORE = (20.0, 24.0, 22.0, 21.0, 23.0, 60.0, 62.0)
CHANGES = (19.0, 22.0, 20.0, 18.0, 21.0, 21.0, 19.0)
"""The last week before, by day, with a hard weekend; what each weekday has more the week after."""
PLANTED = (
    {-8: [100.0, 100.0], 7: [100.0, 100.0]}
    | {place - 7: [level - 1, level + 1] for place, level in enumerate(BEFORE)}
    | {place: [level + CHANGES[place] - 1, level + CHANGES[place] + 1] for place, level in enumerate(BEFORE)}
)


def test_the_change_is_that_from_weekday_to_weekday(tmp_path: Path) -> None:
    with derived(released(tmp_path, {}), [MART], {"core.responses": daily(PLANTED)}) as snapshot:
        rows = snapshot.rows(f"FROM {MART}")
    assert [row["series"] for row in rows] == ["after_chat", "all surveys"]
    row = rows[0]
    assert (row["n_before"], row["n_after"], row["days_before"], row["days_after"]) == (14, 14, 7, 7)
    assert row["before_effort_0_100"] == pytest.approx(sum(BEFORE) / 7)
    assert row["change_effort_0_100"] == pytest.approx(20)
    # The weekend is 40 harder on both sides: with it in the noise, the interval would be wider than 20.
    assert 0.5 < row["change_high_0_100"] - 20 < 4
    assert row["change_low_0_100"] + row["change_high_0_100"] == pytest.approx(40)
    assert (row["verdict"], row["why"], row["overlapping_releases"]) == ("harder", None, None)
    assert row["mix_part_0_100"] == pytest.approx(0)


def test_days_whose_weekdays_are_all_on_one_side_cannot_be_compared(tmp_path: Path) -> None:
    short = {offset: efforts for offset, efforts in PLANTED.items() if -4 <= offset < 3}
    with derived(released(tmp_path, {}), [MART], {"core.responses": daily(short)}) as snapshot:
        row = snapshot.row(f"FROM {MART} WHERE series = 'after_chat'")
    assert (row["verdict"], row["change_effort_0_100"]) == ("not enough data", None)
    assert "weekdays" in row["why"]


def test_no_release_no_claim_and_too_few_answers_are_reported(tmp_path: Path) -> None:
    with derived(released(tmp_path), [MART], {"core.responses": daily(PLANTED)}) as snapshot:
        assert snapshot.rows(f"FROM {MART}") == []
    few = {offset: efforts[:1] for offset, efforts in PLANTED.items() if offset >= -3}
    with derived(released(tmp_path, {}), [MART], {"core.responses": daily(few)}) as snapshot:
        rows = snapshot.rows(f"FROM {MART}")
    assert {(row["verdict"], row["why"]) for row in rows} == {
        ("not enough data", "3 before: fewer than the minimum n")
    }
    assert {row["before_effort_0_100"] for row in rows} == {None}
    with derived(released(tmp_path, {}), [MART], {}) as snapshot:
        assert {row["n_before"] for row in snapshot.rows(f"FROM {MART}")} == {0}


def test_a_release_of_a_product_is_held_to_its_answers_alone(tmp_path: Path) -> None:
    rows = daily(PLANTED, product="Team") + daily(
        {offset: [90.0, 91.0] for offset in PLANTED}, product="Enterprise"
    )
    here = released(
        tmp_path,
        {"products": ["Team"]},
        {"id": "v3", "day": LIVE + timedelta(days=2), "touchpoints": ["after_chat"]},
    )
    with derived(here, [MART], {"core.responses": rows}) as snapshot:
        row = snapshot.row(f"FROM {MART} WHERE release_id = 'v2' AND series = 'after_chat'")
    assert (row["n_before"], row["change_effort_0_100"]) == (14, pytest.approx(20))
    assert row["overlapping_releases"] == "v3"


def test_a_release_marks_its_week_in_the_trend(tmp_path: Path) -> None:
    here = released(
        tmp_path, {}, {"id": "v1"}, {"id": "other", "products": ["Team"], "day": LIVE + timedelta(days=7)}
    )
    rows = daily({-20: [50.0, 50.0], 0: [50.0, 50.0], 7: [50.0, 50.0]})
    with derived(here, ["mart.ces_adjusted_weekly"], {"core.responses": rows}) as snapshot:
        found = snapshot.rows(
            "SELECT releases FROM mart.ces_adjusted_weekly WHERE series = 'after_chat' ORDER BY week"
        )
    assert [row["releases"] for row in found] == [None, "v1, v2", "other"]


def test_the_levers_add_up_and_untagged_fixes_are_counted_as_untagged(tmp_path: Path) -> None:
    here = registry(tmp_path)
    fix = {"title": "A fix", "live_on": DAY, "categories": ["billing"]}
    fixes = [{"id": "a", "lever": "bug", "cost": 3}, {"id": "b", "lever": "bug"}, {"id": "c"}]
    here = here.model_copy(update={"fixes": tuple(Fix.model_validate({**fix, **change}) for change in fixes)})
    common = {
        "n_before": 9,
        "n_after": 9,
        "weeks_before": 8,
        "weeks_after": 8,
        "n_needed": 1,
        "is_complete": True,
    }
    method = {"method": "difference in differences", "regression_guard": "none", **common}
    impact = [
        {"fix_id": "a", "change_effort_0_100": -6.0, "change_low_0_100": -9.0, "change_high_0_100": -3.0, "verdict": "improved"},
        {"fix_id": "b", "change_effort_0_100": 1.0, "change_low_0_100": -3.0, "change_high_0_100": 5.0,
         "verdict": "no change shown", "overlapping_fixes": "c"},
        {"fix_id": "c", "verdict": "not enough data"},
    ]  # fmt: skip
    given = {
        "mart.fix_impact": [{**method, **row} for row in impact],
        "mart.fix_ticket_impact": [{**method, "fix_id": fix_id, "verdict": "worsened"} for fix_id in "abc"],
    }
    with derived(here, ["mart.fix_levers"], given) as snapshot:
        bug, untagged = snapshot.rows("FROM mart.fix_levers")
    assert (bug["lever"], bug["fixes"], bug["cost"], bug["fixes_with_cost"], bug["overlapping"]) == (
        "bug",
        2,
        3.0,
        1,
        1,
    )
    assert (bug["effort_improved"], bug["effort_no_change_shown"], bug["tickets_worsened"]) == (1, 1, 2)
    # Half widths 3 and 4 make 5.
    assert [bug[f"effort_change_sum{end}_0_100"] for end in ("_low", "", "_high")] == [-10.0, -5.0, 0.0]
    assert (untagged["lever"], untagged["fixes"], untagged["effort_measured"]) == ("untagged", 1, 0)
    assert untagged["effort_change_sum_0_100"] is None

"""Protects the changes from period to period: hand-computed cases, and every reason why no change is computed."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline.registry.surveys import Survey
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.snapshots import Rows, Snapshot, derived

EASES = [100.0, 75.0, 75.0, 50.0, 25.0, 100.0, 0.0, 75.0]


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path)


def week_of(number: int, eases: list[float], **values: Any) -> list[dict[str, Any]]:
    """So many answers on each of the seven days of a week of the data."""
    return [
        response(
            f"{number}-{day}-{place}{sorted(values.items())}",
            DAY + timedelta(days=7 * number + day),
            ease=ease,
            **values,
        )
        for day in range(7)
        for place, ease in enumerate(eases)
    ]


def delivered(received_on: date) -> dict[str, Rows]:
    """A delivery in the night of this day."""
    received = datetime.combine(received_on, time(2), UTC)
    return {
        "audit.deliveries": [
            {
                "delivery_id": "d1", "source_id": "web", "kind": "survey", "file_name": "a", "size_bytes": 1,
                "received_at": received, "rows_read": 1, "rows_landed": 1, "rows_redelivered": 0,
                "rows_unreadable": 0, "rows_unlanded": 0, "rows_erased": 0,
            }
        ],
    }  # fmt: skip


def weeks(
    here: Registry, rows: list[dict[str, Any]], received_on: date | None = None
) -> list[dict[str, Any]]:
    """Delivered in the night after the newest answer, unless `received_on` is another day."""
    newest = max(row["day"] for row in rows)
    given = {"core.responses": rows, **delivered(received_on or newest + timedelta(days=1))}
    with derived(here, ["mart.week_changes"], given) as snapshot:
        return _rows(snapshot)


def _rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    return snapshot.rows("FROM mart.week_changes ORDER BY survey_id, week")


def test_a_week_is_compared_with_the_week_before(here: Registry) -> None:
    harder = [ease / 2 for ease in EASES]
    first, second, third = weeks(here, [*week_of(0, EASES), *week_of(1, EASES), *week_of(2, harder)])
    assert (first["verdict"], first["why_null"], first["n_before"]) == (None, "no week before", None)
    assert (second["change_ease_0_100"], second["verdict"], second["why_null"]) == (
        0,
        "no change shown",
        None,
    )
    assert (third["n"], third["n_before"], third["verdict"]) == (56, 56, "harder")
    assert third["change_ease_0_100"] == pytest.approx(mean(harder) - mean(EASES))
    assert third["change_low_0_100"] < third["change_ease_0_100"] < third["change_high_0_100"] < 0
    # The days are alike: the answers of a day resemble each other no more than others do.
    assert (third["effective_n"], third["effective_n_before"]) == (56, 56)
    assert all(row["is_whole_week"] for row in (first, second, third))


def test_answers_that_are_alike_within_days_count_less(here: Registry) -> None:
    # Each day has one answer eight times: a day says as much as one answer, so the change is within chance.
    def by_day(number: int, eases: list[float]) -> list[dict[str, Any]]:
        return [
            response(f"{number}-{day}-{place}", DAY + timedelta(days=7 * number + day), ease=ease)
            for day, ease in enumerate(eases)
            for place in range(8)
        ]

    rows = by_day(0, [100, 75, 100, 50, 100, 75, 25]) + by_day(1, [50, 25, 75, 0, 100, 25, 50])
    _, second = weeks(here, rows)
    assert second["effective_n"] == pytest.approx(7)
    assert second["verdict"] == "no change shown"


def test_no_change_is_computed_from_or_to_a_week_that_is_not_complete(here: Registry) -> None:
    begins_friday = [row for row in week_of(0, EASES) if row["day"] >= DAY + timedelta(days=4)]
    rows = [*begins_friday, *week_of(1, EASES), *week_of(2, EASES)]
    found = weeks(here, rows, received_on=DAY + timedelta(days=20))
    assert [(row["is_whole_week"], row["why_null"]) for row in found] == [
        (False, "week not complete"),
        (True, "week before not complete"),
        (False, "week not complete"),
    ]
    assert found[2]["mean_ease_0_100"] == pytest.approx(mean(EASES))


def test_no_change_is_computed_without_any_delivery(here: Registry) -> None:
    with derived(here, ["mart.week_changes"], {"core.responses": week_of(0, EASES)}) as snapshot:
        (only,) = _rows(snapshot)
    assert (only["is_whole_week"], only["why_null"]) == (False, "week not complete")


def changed(here: Registry, **values: Any) -> Registry:
    survey = Survey(id="after_chat", scale="ease_1_5", **values)
    return here.model_copy(update={"surveys": {"after_chat": survey}})


@pytest.mark.parametrize(
    ("first_day", "why"),
    [
        (DAY, [None, None]),
        (DAY + timedelta(days=3), ["reworded", None]),
        (DAY + timedelta(days=7), ["reworded", None]),
        (DAY + timedelta(days=10), ["reworded", "reworded"]),
        (DAY + timedelta(days=14), [None, "reworded"]),
        (DAY + timedelta(days=21), [None, None]),
    ],
)
def test_no_change_is_computed_across_a_rewording(
    here: Registry, first_day: date, why: list[str | None]
) -> None:
    reworded = changed(here, wording_version="2", wording_changes={"2": first_day})
    found = weeks(reworded, [row for number in range(3) for row in week_of(number, EASES)])
    assert [row["why_null"] for row in found[1:3]] == why
    inside = first_day - DAY
    assert [row["is_mixed_wordings"] for row in found] == [
        timedelta(weeks=number) < inside < timedelta(weeks=number + 1) for number in range(3)
    ]


def test_no_change_is_computed_across_a_changed_scale(here: Registry) -> None:
    rows = [
        *week_of(0, EASES),
        *week_of(1, EASES, scale_id="ease_1_7"),
        *week_of(2, EASES, scale_id="ease_1_7"),
    ]
    assert [row["why_null"] for row in weeks(here, rows)] == ["no week before", "other scale", None]


def test_a_small_week_is_suppressed_and_so_is_the_change_to_the_next(tmp_path: Path) -> None:
    here = registry(tmp_path, minimum_n=30)
    found = weeks(here, [*week_of(0, EASES), *week_of(1, EASES)[:5], *week_of(2, EASES), *week_of(3, EASES)])
    assert [row["why_null"] for row in found] == [
        "no week before", "suppressed", "week before suppressed", None,
    ]  # fmt: skip
    assert (found[1]["n"], found[1]["is_suppressed"], found[1]["mean_ease_0_100"]) == (5, True, None)


def test_a_week_without_answers_has_a_row_and_no_figure(here: Registry) -> None:
    found = weeks(here, [*week_of(0, EASES), *week_of(2, EASES)])
    assert [(row["n"], row["why_null"]) for row in found] == [
        (56, "no week before"), (0, "suppressed"), (56, "week before suppressed"),
    ]  # fmt: skip


def test_a_survey_has_no_rows_after_its_last_day_or_before_its_first_answer(here: Registry) -> None:
    surveys = {
        "after_chat": Survey(id="after_chat", scale="ease_1_5", live_to=DAY + timedelta(days=6)),
        "after_call": Survey(id="after_call", scale="ease_1_5"),
    }
    both = here.model_copy(update={"surveys": surveys})
    rows = [
        *week_of(0, EASES),
        *[row for number in (1, 2) for row in week_of(number, EASES, survey_id="after_call")],
    ]
    found = [((row["week"] - DAY).days, row["survey_id"], row["is_whole_week"]) for row in weeks(both, rows)]
    assert found == [(7, "after_call", True), (14, "after_call", True), (0, "after_chat", True)]


def test_equal_answers_and_too_few_days_have_no_verdict(here: Registry) -> None:
    equal = weeks(here, [*week_of(0, [75.0] * 8), *week_of(1, [75.0] * 8)])
    assert (equal[1]["why_null"], equal[1]["change_ease_0_100"]) == ("no variance", None)
    mondays = [row for row in [*week_of(0, EASES), *week_of(1, EASES)] if row["day"].weekday() == 0]
    later = week_of(2, EASES)[:8]
    found = weeks(here, [*mondays, *later])
    assert [row["why_null"] for row in found[:2]] == ["no week before", "too few days"]


def test_months_and_quarters_are_those_of_the_calendar(here: Registry) -> None:
    rows = [row for number in range(-9, 18) for row in week_of(number, EASES)]
    given = {"core.responses": rows, **delivered(DAY + timedelta(days=7 * 18))}
    with derived(
        here, ["mart.month_changes", "mart.quarter_changes", "mart.week_changes", "mart.ces_segments"], given
    ) as snapshot:
        months = snapshot.rows("FROM mart.month_changes ORDER BY month")
        quarters = snapshot.rows("FROM mart.quarter_changes ORDER BY quarter")
        assert snapshot.check("period_changes_tie").passed
    assert [(row["month"].isoformat(), row["n"], row["is_whole_month"]) for row in months] == [
        ("2025-12-01", 8 * 3, False), ("2026-01-01", 8 * 31, True), ("2026-02-01", 8 * 28, True), ("2026-03-01", 8 * 31, True),
        ("2026-04-01", 8 * 30, True), ("2026-05-01", 8 * 31, True), ("2026-06-01", 8 * 30, True), ("2026-07-01", 8 * 5, False),
    ]  # fmt: skip
    assert [row["why_null"] for row in quarters] == [
        "quarter not complete", "quarter before not complete", None, "quarter not complete",
    ]  # fmt: skip
    assert months[3]["verdict"] == "no change shown"


def test_segments_of_a_survey_add_up_in_every_span(here: Registry) -> None:
    rows = [
        *week_of(0, [100.0], channel="chat"), *week_of(0, [50.0], channel="phone"), *week_of(3, [0.0], channel="phone"),
        *week_of(4, [25.0], channel="phone", survey_id="after_call"),
    ]  # fmt: skip
    reworded = changed(here, wording_version="2", wording_changes={"2": DAY + timedelta(days=8)})
    with derived(
        reworded, ["mart.touchpoint_segments", "mart.ces_weekly"], {"core.responses": rows}
    ) as snapshot:
        assert snapshot.check("touchpoint_segments_tie").passed
        found = snapshot.rows(
            "FROM mart.touchpoint_segments WHERE survey_id = 'after_chat' AND dimension = 'channel' AND segment = 'phone'"
            " ORDER BY span, span_start"
        )
        spans = snapshot.row("SELECT count(DISTINCT span) AS n FROM mart.touchpoint_segments")["n"]
    by_span = [
        ((row["span_start"] - DAY).days, (row["span_end"] - DAY).days, row["n"], row["is_mixed_wordings"])
        for row in found
        if row["span"] == "4 weeks"
    ]
    # Four weeks end with each of the weeks 0 to 4.
    assert by_span == [
        (-21, 6, 7, False), (-14, 13, 7, True), (-7, 20, 7, True), (0, 27, 14, True), (7, 34, 7, True),
    ]  # fmt: skip
    (all_days,) = (row for row in found if row["span"] == "all")
    assert (all_days["span_start"], all_days["span_end"], all_days["n"]) == (
        DAY,
        DAY + timedelta(days=27),
        14,
    )
    assert all_days["mean_ease_0_100"] == pytest.approx(25)
    assert spans == 5


def test_a_week_by_channel_says_whether_it_is_complete(here: Registry) -> None:
    begins_friday = [row for row in week_of(0, EASES) if row["day"] >= DAY + timedelta(days=4)]
    rows = [*begins_friday, *week_of(1, EASES), *week_of(2, EASES)]
    given = {"core.responses": rows, **delivered(DAY + timedelta(days=20))}
    with derived(here, ["mart.ces_weekly"], given) as snapshot:
        found = snapshot.rows("SELECT is_whole_week FROM mart.ces_weekly ORDER BY week")
    assert [row["is_whole_week"] for row in found] == [False, True, False]

"""Protects weeks of resolved tickets that are not complete: the first, which hold only short ones, and the newest."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline_tests.lake_days import DAY, registry, ticket
from ces_pipeline_tests.sql.asked import at
from ces_pipeline_tests.sql.snapshots import derived

WANTED = ["mart.category_effort", "mart.handling_effort"]


def on(number: int) -> date:
    return DAY + timedelta(days=number)


def resolved(key: str, opened: int, days: int, **values: Any) -> dict[str, Any]:
    """A ticket of the category `c`, opened at noon of a day and resolved so many days and an hour later."""
    return ticket(key, on(opened), category="c", created_at=at(on(opened)), solved_at=at(on(opened + days), 13),
                  resolution_minutes=1440.0 * days + 60, replies=1, **values)  # fmt: skip


def test_the_first_weeks_are_truncated_until_the_long_tickets_of_the_first_days_can_be_resolved(
    tmp_path: Path,
) -> None:
    # 28 days with 20 tickets each; two of them, more than 5 %, take ten days.
    tickets = [
        resolved(f"t{day}.{number}", day, 10 if number < 2 else 0)
        for day in range(28)
        for number in range(20)
    ]
    # A single old ticket is no history.
    tickets.append(resolved("old", -1000, 2))
    with derived(registry(tmp_path), WANTED, {"core.tickets": tickets}) as snapshot:
        row = snapshot.row("FROM mart.resolution_coverage")
        weeks = {
            table: snapshot.rows(
                f"SELECT period_start, is_truncated FROM mart.{table} "
                f"WHERE period = 'week' AND period_start >= '{DAY}' ORDER BY ALL"
            )
            for table in ("category_effort", "handling_effort")
        }
    assert row == {
        "newest_day": on(37),
        "first_created_day": on(0),
        "first_resolved_day": on(0),
        "p95_days_to_resolve": 10,
        "first_complete_day": on(11),
        "last_final_day": on(30),
    }
    truncated = [(on(7 * week), week < 2) for week in range(6)]
    for rows in weeks.values():
        assert [tuple(row.values()) for row in rows] == truncated


def test_tickets_that_may_still_be_reopened_are_in_no_reopened_share(tmp_path: Path) -> None:
    # The newest day is day 12: tickets resolved on day 5 and before are final.
    tickets = [
        *(resolved(f"a{n}", 0, 0, reopens=n % 2) for n in range(4)),
        *(resolved(f"b{n}", 5, 0, reopens=1) for n in range(4)),
        *(resolved(f"c{n}", 6, 0, reopens=0) for n in range(4)),
        *(resolved(f"d{n}", 12, 0, reopens=0) for n in range(4)),
    ]
    with derived(registry(tmp_path), WANTED, {"core.tickets": tickets}) as snapshot:
        found = {
            (row["period"], row["period_start"]): row for row in snapshot.rows("FROM mart.category_effort")
        }
        handled = snapshot.rows(
            "SELECT period, reopen_known, reopened_share, is_final FROM mart.handling_effort ORDER BY ALL"
        )
    figures = ("tickets", "reopen_known", "reopened_share", "one_touch_known", "one_touch_share", "is_final")
    assert [found["week", on(0)][name] for name in figures] == [12, 8, 0.75, 8, 0.25, False]
    assert [found["week", on(7)][name] for name in figures] == [4, 0, None, 0, None, False]
    assert [found["all", on(0)][name] for name in figures] == [16, 8, 0.75, 8, 0.25, False]
    assert [tuple(row.values()) for row in handled] == [
        ("all", 8, 0.75, False),
        ("week", 0, None, False),
        ("week", 8, 0.75, False),
    ]


@pytest.mark.parametrize("window", [1, 7])
def test_a_week_is_final_when_all_its_tickets_are(tmp_path: Path, window: int) -> None:
    tickets = [resolved("a", 0, 0), resolved("b", 6 + window, 0)]
    with derived(
        registry(tmp_path, reopen_window_days=window), WANTED, {"core.tickets": tickets}
    ) as snapshot:
        rows = snapshot.rows(
            "SELECT is_final FROM mart.category_effort WHERE period = 'week' ORDER BY period_start"
        )
    assert [row["is_final"] for row in rows] == [True, False]

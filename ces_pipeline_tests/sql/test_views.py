"""Protects the views: each is published with its comment and answers what a small home's rows say by hand."""

import re
from datetime import date
from typing import Any

import pytest

from ces_pipeline.publish.view_columns import described
from ces_pipeline.storage.sql_files import SqlFile, sql_files
from ces_pipeline_tests.lake_days import (
    DAY,
    NOON,
    SmallHome,
    days_from,
    rejected,
    response,
    small_home,
    ticket,
)

_, NEXT = days_from(DAY, 2)
VIEWS = {file.name: file for file in sql_files("views")}
EXPECTED: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "effort_today": (
        "day, survey_id, survey_title, n, mean_ease_0_100, is_suppressed, n_all_days, mean_ease_all_days_0_100",
        # One answer of the newest day is below the minimum n of 2; all days have (75 + 25 + 0 + 100) / 4.
        [(NEXT, "after_chat", "After a chat", 1, None, True, 4, 50.0)],
    ),
    "effort_by_segment": (
        "period, period_start, dimension, segment, n, mean_ease_0_100 "
        "WHERE period = 'month' AND dimension IN ('all', 'channel')",
        # Chat is 75; the others are 25, 0 and 100.
        [
            ("month", DAY.replace(day=1), "all", "all", 4, 50.0),
            ("month", DAY.replace(day=1), "channel", "chat", 1, None),
            ("month", DAY.replace(day=1), "channel", "unknown", 3, pytest.approx(125 / 3)),
        ],
    ),
    "feed_books": (
        "source_id, kind, landed, redelivered, superseded, accepted, rejected, suspect, last_accepted_day",
        # Two days of answers: 3 + 1 accepted, 2 rejected, 1 superseded and 2 delivered again.
        [("desk", "tickets", 2, 0, 0, 2, 0, 0, DAY), ("web", "survey", 9, 2, 1, 4, 2, 0, NEXT)],
    ),
    "figures_as_known": (
        # Published once: the figures of both days are the present ones.
        "day, survey_id, known_until, is_restated, n, mean_ease_0_100, difficult_share ORDER BY day",
        [
            (DAY, "after_chat", date(9999, 12, 31), False, 3, pytest.approx(100 / 3), pytest.approx(2 / 3)),
            (NEXT, "after_chat", date(9999, 12, 31), False, 1, None, None),
        ],
    ),
    "hard_tickets": (
        "last_difficult_day, ticket_id, category, difficult_answers, hardest_effort_0_100, reopens",
        # Of T two answers are difficult, of E the only one is easy.
        [(DAY, "T", "billing", 2, 100.0, 1)],
    ),
    "open_quarantine": (
        "kind, day, source_id, reason, file_name, row_number",
        [
            ("survey", DAY, "web", "incomplete", None, 2),
            ("survey", DAY, "web", "too_fast", None, 2),
            ("survey", NEXT, "web", "too_fast", None, 2),
        ],
    ),
    "response_rate_by_touchpoint": (
        "survey_id, survey_title, basis, rate, responses, last_response_day, days_silent, why_null",
        [
            (
                "after_chat",
                "After a chat",
                "none",
                None,
                4,
                NEXT,
                0,
                "neither invitations nor views are delivered",
            ),
        ],
    ),
    "responses_with_tickets": (
        # The view does not sort millions of rows; the query does.
        "response_id, survey_title, link_method, ticket_category, resolution_minutes, reopens ORDER BY response_id",
        [
            ("a", "After a chat", None, None, None, None),
            ("b", "After a chat", "ticket_id", "billing", 90.0, 1),
            ("c", "After a chat", "ticket_id", "billing", 90.0, 1),
            ("d", "After a chat", "ticket_id", "delivery", None, None),
        ],
    ),
    "start_here": (
        "position, look_at, newest_day WHERE position <= 3",
        [(1, "effort_today", NEXT), (2, "effort_by_segment", NEXT), (3, "ticket_effort_by_category", NEXT)],
    ),
    "ticket_effort_by_category": (
        "category, tickets, n, mean_effort_0_100, mean_ease_0_100, median_resolution_minutes",
        # Of `billing` one resolved ticket with two answers; the other category has no resolved ticket.
        [("billing", 1, 2, 87.5, 12.5, None)],
    ),
}
"""View -> the columns (and rows) looked at, and the answer; in the view's own order where none is asked."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("home"))
    small.clean(
        "survey",
        [
            response("a", ease=75.0, channel="chat"),
            response("b", ease=25.0, ticket_id="T"),
            response("c", ease=0.0, ticket_id="T"),
        ],
        [rejected("x", reasons=("too_fast", "incomplete"))],
        superseded=1,
        redelivered=2,
    )
    small.clean("survey", [response("d", NEXT, ease=100.0, ticket_id="E")], [rejected("y", NEXT)], day=NEXT)
    solved = ticket("T", category="billing", solved_at=NOON, resolution_minutes=90.0, reopens=1)
    small.clean("tickets", [solved, ticket("E", category="delivery")])
    assert small.publish().published
    return small


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_every_view_is_published_with_its_comment(small: SmallHome, view: SqlFile) -> None:
    (comment,) = small.rows(f"SELECT comment FROM duckdb_views() WHERE view_name = '{view.name}'")
    assert comment == (view.title,)


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_of_a_view_says_what_it_means(small: SmallHome, view: str) -> None:
    columns = small.rows(
        f"SELECT column_name, comment FROM duckdb_columns() WHERE database_name = 'ces' AND table_name = '{view}'"
    )
    assert columns
    assert [name for name, comment in columns if not comment] == []


def test_start_here_names_views_and_tables_that_are_there(small: SmallHome) -> None:
    for (place,) in small.rows("SELECT look_at FROM start_here"):
        assert small.rows(f"SELECT count(*) FROM {place}")[0][0] >= 0


def test_a_column_of_a_view_without_a_meaning_is_named() -> None:
    view = SqlFile("views", "new", "-- A view.\nselect a + b as c from core.x")
    with pytest.raises(LookupError, match="column c"):
        described(view, {"c": [("core.x", "a"), ("core.x", "b")]}, {})
    unknown = SqlFile("views", "new", "-- A view.\n-- column d: text\nselect 1 as c")
    with pytest.raises(LookupError, match="describes d"):
        described(unknown, {"c": []}, {})


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers_as_computed_by_hand(small: SmallHome, view: str) -> None:
    columns, expected = EXPECTED[view]
    names, clause, more = re.match(r"(.*?)( WHERE | ORDER BY |$)(.*)", columns).groups()  # type: ignore[union-attr]
    assert small.rows(f"SELECT {names} FROM {view}{clause}{more}") == expected

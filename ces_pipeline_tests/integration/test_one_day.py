"""Protects one day from export to published rows: every row accounted for, every figure worked out by hand."""

import json
from datetime import date
from typing import Any

import pytest

from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import DESK, SURVEYS, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import published_rows, run

DAY = date(2026, 3, 2)
FEED = {
    **WEB,
    "columns": {**WEB["columns"], "duration_seconds": "seconds", "ticket_id": "ticket", "status": "status"},
}


def said(number: int, **values: Any) -> dict[str, Any]:
    return answer(
        number,
        **{
            "seconds": 30,
            "ticket": None,
            "status": None,
            "recorded": f"2026-03-02T{number:02}:00:00Z",
            **values,
        },
    )


ROWS = [
    said(1, score="5 - Very easy"),
    said(2, score=3, comment="call me on +44 20 7946 0958"),
    said(3, score="Very difficult", ticket="T-1"),
    said(4, score=None),
    said(5, score=6, seconds=1),
    said(6, score="easyish", status="test"),
    said(7, email="person1@example.org", score=4),
    said(8, email="person1@example.org", score=4, ticket="T-2"),
    said(9, recorded="2026-02-30T09:00:00Z"),
    said(10, score=5, comment="terrible, a waste of time"),
]
REJECTED = {
    "r4": ["incomplete"],
    "r5": ["score_off_scale", "too_fast"],
    "r6": ["test_response", "unknown_answer"],
    "r7": ["duplicate"],
    "r9": ["missing_time"],
}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    """One export with its own first rows again, a revision of response 2 in a second, and two tickets."""
    small = inbox_home(
        tmp_path_factory.mktemp("day") / "home",
        FEED,
        DESK,
        surveys=[{**SURVEYS[0], "channel": "chat"}],
        settings={"minimum_n": 2},
    )
    small.drop("1.csv", ROWS + ROWS[:2])
    small.drop("2.csv", [said(2, score=2, comment="slow", recorded="2026-03-02T23:30:00Z")])
    tickets = [
        {
            "number": "T-1",
            "state": "Solved",
            "updated": "2026-03-02T02:00:00Z",
            "email": "person3@example.org",
        },
        {
            "number": "T-1",
            "state": "Closed",
            "updated": "2026-03-02T08:00:00Z",
            "email": "person3@example.org",
        },
    ]
    small.drop("t.csv", tickets, "desk")
    run(small.home)
    return small


def published(day: InboxHome, query: str) -> list[tuple[Any, ...]]:
    with open_published(day.home.published) as connection:
        return connection.execute(query).fetchall()


def test_the_accepted_answers_with_their_direction_and_marks(day: InboxHome) -> None:
    assert published(
        day,
        "SELECT response_id, score, effort_0_100, ease_0_100, effort_band, channel, is_suspect, flags, revision "
        f"FROM core.responses WHERE day = DATE '{DAY}' ORDER BY response_id",
    ) == [
        ("r1", 5, 0.0, 100.0, "easy", "chat", False, [], 1),
        ("r10", 5, 0.0, 100.0, "easy", "chat", True, ["comment_contradicts"], 1),
        ("r2", 2, 75.0, 25.0, "difficult", "chat", False, [], 2),
        ("r3", 1, 100.0, 0.0, "difficult", "chat", False, [], 1),
        ("r8", 4, 25.0, 75.0, "easy", "chat", False, [], 1),
    ]


def test_the_rejected_rows_with_every_reason_and_their_place(day: InboxHome) -> None:
    found = published(day, "SELECT response_id, reasons, row_number, day FROM core.rejected_responses")
    assert {name: reasons for name, reasons, _, _ in found} == REJECTED
    assert {name: row for name, _, row, _ in found} == {"r4": 5, "r5": 6, "r6": 7, "r7": 8, "r9": 10}
    # A row without a usable time lies on the day of its receipt.
    assert {name for name, _, _, lies_on in found if lies_on != DAY} == {"r9"}
    ((landed,),) = published(day, "SELECT landed FROM core.rejected_responses WHERE response_id = 'r9'")
    assert json.loads(landed)["times_as_written"] == '{"recorded_at":"2026-02-30T09:00:00Z"}'


def test_the_books_balance(day: InboxHome) -> None:
    query = "SELECT day, landed, redelivered, superseded, accepted, rejected, suspect FROM audit.load_audit"
    assert published(day, f"{query} WHERE kind = 'survey' ORDER BY day") == [
        (DAY, 12, 2, 1, 5, 4, 1),
        (date(2026, 3, 20), 1, 0, 0, 0, 1, 0),
    ]
    assert published(day, f"{query} WHERE kind = 'tickets'") == [(DAY, 2, 0, 0, 2, 0, 0)]


def test_the_daily_figures(day: InboxHome) -> None:
    # Ease of 100, 100, 25, 0 and 75: mean 60, three easy, none neutral, two difficult.
    figures = "SELECT day, n, mean_ease_0_100, easy_count, neutral_count, difficult_count FROM mart.ces_daily"
    assert published(day, figures) == [(DAY, 5, 60.0, 3, 0, 2)]


def test_answers_are_linked_to_the_tickets_that_they_name(day: InboxHome) -> None:
    query = """
        SELECT r.response_id, t.ticket_id, t.status, l.method, l.confidence
        FROM core.response_tickets l JOIN core.responses r USING (response_key)
        LEFT JOIN core.tickets t USING (ticket_key)
        ORDER BY 1
    """
    linked = published(day, query)
    assert ("r3", "T-1", "closed", "ticket_id", 1.0) in linked
    assert ("r8", None, None, "named_not_found", 0.0) in linked


def test_no_persons_value_is_written(day: InboxHome) -> None:
    assert day.find("person1@", "person3@", "7946 0958") == []
    assert len(published_rows(day.home)["core.responses"]) == 5

"""Protects ticket versions: which content of an update counts, its figures, and which rows are unusable."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.tickets import clean_tickets
from ces_pipeline_tests.unit.clean.frames import NOW, RULE_VERSION, at, raw_rows, registry


def cleaned(*rows: dict[str, Any]) -> CleanedDays:
    return clean_tickets(raw_rows(*rows, kind="tickets"), registry(), RULE_VERSION)


def version(**values: Any) -> dict[str, Any]:
    """The only accepted version, nulls as None."""
    frame = cleaned(values).accepted
    (row,) = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {str(name): value for name, value in row.items()}


def update(content: int, **values: Any) -> dict[str, Any]:
    """A content of the one update of ticket `t`."""
    return {"ticket_id": "t", "content": content, "status": f"content {content}", **values}


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([update(1, version="9"), update(2, version="10")], "content 2"),
        ([update(1, version="10"), update(2, version="9", received_order=9)], "content 1"),
        ([update(1, version=None, received_order=9), update(2, version="1")], "content 2"),
        ([update(1, received_order=3), update(2, received_order=2)], "content 1"),
        ([update(1, version="v1"), update(2, version="v2", delivery_id="d2")], "content 2"),
    ],
)
def test_the_greatest_version_of_an_update_counts_then_the_newest_export(
    rows: list[dict], status: str
) -> None:
    for order in (rows, rows[::-1]):
        found = cleaned(*order)
        assert found.accepted["status"].to_list() == [status]
        assert found.counts["superseded"].to_list() == [1]


def test_updates_at_different_times_are_all_kept() -> None:
    found = cleaned(update(1), update(2, event_at=at("13:00")), update(1, delivery_id="d2"))
    assert sorted(found.accepted["status"]) == ["content 1", "content 2"]
    assert found.counts[["stored", "landed_again", "superseded"]].to_numpy().tolist() == [[3, 1, 0]]


def test_minutes_are_as_reported_else_measured() -> None:
    times = {"created_at": at("10:00"), "first_reply_at": at("10:01:30"), "solved_at": at("11:00")}
    measured = version(**times)
    assert (measured["first_reply_minutes"], measured["resolution_minutes"]) == (1.5, 60.0)
    reported = version(**times, first_reply_minutes="7", resolution_minutes="0")
    assert (reported["first_reply_minutes"], reported["resolution_minutes"]) == (7.0, 0.0)


def test_a_ticket_closed_and_never_solved_is_measured_to_its_close() -> None:
    assert version(created_at=at("10:00"), closed_at=at("10:30"))["resolution_minutes"] == 30.0
    both = version(created_at=at("10:00"), solved_at=at("10:10"), closed_at=at("10:30"))
    assert both["resolution_minutes"] == 10.0


@pytest.mark.parametrize(
    "values",
    [
        {"created_at": at("10:00"), "first_reply_at": at("09:00"), "solved_at": at("09:59:59")},
        {"first_reply_minutes": "-3", "resolution_minutes": "-0.5"},
        {"first_reply_minutes": "soon", "resolution_minutes": "inf"},
        {"first_reply_at": at("09:00"), "solved_at": at("09:00")},
    ],
)
def test_minutes_are_never_negative_nor_guessed(values: dict[str, Any]) -> None:
    row = version(**values)
    assert (row["first_reply_minutes"], row["resolution_minutes"]) == (None, None)


@pytest.mark.parametrize(
    ("written", "count"), [("0", 0), ("3", 3), ("3.0", 3), ("2.5", None), ("-1", None), ("many", None)]
)
def test_counts_are_whole_and_not_negative(written: str, count: int | None) -> None:
    row = version(reopens=written, handoffs=written, replies=written)
    assert [row[name] for name in ("reopens", "handoffs", "replies")] == [count] * 3


@pytest.mark.parametrize(
    ("written", "satisfaction"),
    [
        ("good", 100.0),
        (" BAD ", 0.0),
        ("75", 75.0),
        ("100", 100.0),
        ("101", None),
        ("-1", None),
        ("offered", None),
    ],
)
def test_satisfaction_is_a_verdict_or_a_percentage(written: str, satisfaction: float | None) -> None:
    assert version(csat=written)["csat_0_100"] == satisfaction


def test_a_deleted_ticket_says_so_whatever_its_last_status() -> None:
    row = version(status="Solved", is_deleted="True")
    assert (row["status"], row["is_deleted"]) == ("deleted", True)
    row = version(status="Solved", is_deleted="false")
    assert (row["status"], row["is_deleted"]) == ("solved", False)
    assert version(is_deleted=None)["is_deleted"] is False


def test_unusable_rows_are_rejected_with_every_reason_and_their_values() -> None:
    found = cleaned(
        {"event_at": None, "status": "open"},
        {"event_at": at("2019-12-31T23:59:59")},
        {"event_at": at("20T12:05:01")},
        {"event_at": None, "problem": "3 cells, the header has 9"},
        {"event_at": NOW},
        {"event_at": at("2020-01-01T00:00:00")},
    )
    refused = dict(zip(found.rejected["ticket_id"], map(tuple, found.rejected["reasons"]), strict=True))
    assert refused == {
        "t0": ("missing_time",),
        "t1": ("missing_time",),
        "t2": ("in_the_future",),
        "t3": ("unreadable_row",),
    }
    assert sorted(found.accepted["ticket_id"]) == ["t4", "t5"]
    kept = dict(zip(found.rejected["ticket_id"], found.rejected["landed"], strict=True))
    assert json.loads(kept["t0"]) == {"ticket_id": "t0", "status": "open"}
    assert found.reasons.sum().to_dict() == {"unreadable_row": 1, "missing_time": 2, "in_the_future": 1}


def test_a_ticket_updated_before_it_was_created_is_kept() -> None:
    assert version(created_at=at("13:00"), event_at=at("12:00"))["created_at"] == at("13:00")


@pytest.mark.parametrize(
    ("status", "state", "minutes"),
    [
        ("Solved", "solved", 60.0),
        ("6 - Resolved", "solved", 60.0),
        ("Closed - no answer", "closed", 60.0),
        ("fechado com êxito", "closed", 60.0),
        ("Erledigt", "solved", 60.0),
        ("canceled", "closed", 60.0),
        ("Open", "open", None),
        ("waiting_on_customer", "pending", None),
        ("Closed - Pending", "unknown", None),
        ("not resolved", "open", None),
        ("frobnicated", "unknown", None),
        (None, None, 60.0),
    ],
)
def test_resolved_is_what_the_latest_status_says(
    status: str | None, state: str | None, minutes: float | None
) -> None:
    row = version(status=status, created_at=at("10:00"), solved_at=at("11:00"))
    assert (row["state"], row["resolution_minutes"]) == (state, minutes)
    assert (row["resolved_at"] is not None) == (minutes is not None)
    assert row["solved_at"] == at("11:00")
    assert list(row["flags"]) == (["unknown_value"] if state == "unknown" else [])


def test_an_unknown_status_is_published_as_written_and_listed() -> None:
    found = cleaned({"status": "Frobnicated"})
    assert found.accepted["status"].to_list() == ["frobnicated"]
    assert list(found.unknown.values()) == [{"status": {"Frobnicated": 1}}]


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"status": "closed", "is_spam": "true"}, "spam"),
        ({"status": "spam"}, "spam"),
        ({"status": "closed", "is_merged": "yes"}, "merged"),
        ({"status": "Merged"}, "merged"),
        ({"status": "closed", "merged_into": "17"}, "merged"),
        ({"status": "closed", "tags": '["vip", "closed_by_merge"]'}, "merged"),
        ({"status": "closed", "is_deleted": "2026-03-02T09:00:00Z"}, "deleted"),
        ({"status": "trash"}, "deleted"),
    ],
)
def test_merged_deleted_and_spam_are_no_cases_of_their_own(values: dict[str, str], state: str) -> None:
    row = version(created_at=at("10:00"), closed_at=at("11:00"), **values)
    assert (row["state"], row["is_deleted"], row["resolved_at"]) == (state, True, None)


@pytest.mark.parametrize("word", ["0", "false", "no", None])
def test_a_flag_that_says_no_leaves_the_ticket(word: str | None) -> None:
    row = version(status="closed", is_spam=word, is_merged=word, is_deleted=word, tags="merge_request")
    assert (row["state"], row["is_deleted"]) == ("closed", False)


@pytest.mark.parametrize(
    ("values", "minutes"),
    [
        ({"resolution_hours": "1.5"}, 90.0),
        ({"resolution_hours": "1:30:00"}, 90.0),
        ({"resolution_hours": "00:45:30"}, 45.5),
        ({"resolution_seconds": "5400"}, 90.0),
        ({"resolution_minutes": "90", "resolution_hours": "9"}, 90.0),
        ({"resolution_hours": "-1"}, None),
        ({"resolution_hours": "soon"}, None),
    ],
)
def test_a_duration_is_used_where_closing_times_are_missing(
    values: dict[str, str], minutes: float | None
) -> None:
    row = version(status="closed", created_at=at("10:00"), **values)
    assert row["resolution_minutes"] == minutes
    expected = None if minutes is None else at("10:00") + timedelta(minutes=minutes)
    assert row["resolved_at"] == expected
    assert version(status="open", created_at=at("10:00"), **values)["resolution_minutes"] is None

"""Protects invitations and events: their newest state, their reasons, and that they land like everything else."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.clean.invitations import _WORDS
from ces_pipeline.schemas.vocabularies import INVITATION_STATUSES
from ces_pipeline_tests.builders import WEB, InboxHome, inbox_home
from ces_pipeline_tests.drills.homes import clean, run, stale

ASKED: dict[str, Any] = {
    "id": "asked",
    "kind": "invitations",
    "reader": "csv",
    "survey_column": "poll",
    "columns": {"invitation_id": "id", "person": "email", "status": "state", "sent_at": "sent"},
}
HAPPENED: dict[str, Any] = {
    "id": "happened",
    "kind": "events",
    "reader": "json",
    "columns": {
        "event_id": "id",
        "event_type": "name",
        "person": "who",
        "value": "count",
        "survey": "poll",
        "occurred_at": "at",
    },
}


def invitation(number: int, state: str = "sent", **values: Any) -> dict[str, Any]:
    return {
        "id": f"i{number}",
        "poll": "after_chat",
        "email": f"person{number}@example.org",
        "state": state,
        "sent": "2026-03-02T10:00:00Z",
        **values,
    }


def rows_of(small: InboxHome, table: str) -> list[dict[str, Any]]:
    folder = small.home.lake / table.replace(".", "/")
    return [
        row
        for path in sorted(folder.rglob("*.parquet"))
        for row in small.lake.read_table(str(path.relative_to(small.home.lake))).to_pylist()
    ]


@pytest.fixture
def asked_home(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path, WEB, ASKED, HAPPENED)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_an_invitation_only_moves_on_whatever_order_exports_come_in(
    asked_home: InboxHome, order: tuple[int, ...]
) -> None:
    exports = [
        [invitation(1, "Sent"), invitation(2)],
        [invitation(1, "Opened")],
        [invitation(1, "hard bounce")],
    ]
    for place in order:
        asked_home.drop(f"{place}.csv", exports[place], "asked")
        asked_home.land("asked")
    clean(asked_home.home, kind="invitations")
    statuses = {
        row["invitation_id"]: (row["status"], row["survey_id"])
        for row in rows_of(asked_home, "core.invitations")
    }
    assert statuses == {"i1": ("bounced", "after_chat"), "i2": ("sent", "after_chat")}


@pytest.mark.slow
def test_an_invitation_sent_again_on_another_day_lies_there(asked_home: InboxHome) -> None:
    asked_home.drop("a.csv", [invitation(1)], "asked")
    run(asked_home.home)
    asked_home.drop("b.csv", [invitation(1, sent="2026-03-04T10:00:00Z")], "asked")
    asked_home.land("asked")
    assert stale(asked_home.home, "invitations") == ["2026-03-02", "2026-03-04"]
    run(asked_home.home)
    (row,) = rows_of(asked_home, "core.invitations")
    assert (row["day"].day, row["revision"]) == (4, 2)


def test_bad_rows_are_kept_with_reasons_and_the_rows_reconcile(asked_home: InboxHome) -> None:
    rows = [
        invitation(1, "teleported"),
        invitation(2, poll="nobody's"),
        invitation(3, sent="soon"),
        invitation(4, sent="2026-04-01T00:00:00Z"),
    ]
    asked_home.drop("a.csv", rows, "asked")
    events = (
        '{"id": "e1", "name": "Chat_Closed", "who": "person1@example.org", "at": "2026-03-02T09:00:00Z"}\n'
        '{"id": "e2", "name": "survey_views", "poll": "after_chat", "count": 40, "at": "2026-03-02T23:00:00Z"}\n'
        '{"id": "e3", "at": "2026-03-02T09:00:00Z"}\n'
        '{"id": "e4", "name": "survey_views", "count": "many", "at": "2026-03-02T09:00:00Z"}\n'
    )
    asked_home.drop("e.jsonl", events, "happened")
    run(asked_home.home)
    kept = {row["invitation_id"]: row for row in rows_of(asked_home, "core.invitations")}
    assert {name: (row["status"], row["survey_id"], row["channel"]) for name, row in kept.items()} == {
        "i1": ("unknown", "after_chat", "unknown"),
        "i2": ("sent", None, "unknown"),
    }
    refused = {
        row["invitation_id"]: row["reasons"] for row in rows_of(asked_home, "core.rejected_invitations")
    }
    assert refused == {"i3": ["missing_time"], "i4": ["in_the_future"]}
    found = {row["event_id"]: row for row in rows_of(asked_home, "core.events")}
    assert (found["e1"]["event_type"], found["e1"]["person_key"]) == ("chat_closed", kept["i1"]["person_key"])
    assert (found["e2"]["survey_id"], found["e2"]["value"]) == ("after_chat", 40.0)
    assert {row["event_id"]: row["reasons"] for row in rows_of(asked_home, "core.rejected_events")} == {
        "e3": ["missing_type"],
        "e4": ["unreadable_value"],
    }
    assert asked_home.find("person1@example.org", "person3@example.org") == []


def test_every_word_for_a_status_means_one_that_exists() -> None:
    assert set(_WORDS.values()) == set(INVITATION_STATUSES)

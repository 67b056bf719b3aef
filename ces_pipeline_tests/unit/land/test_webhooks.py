"""Protects payloads as Zapier posts them, dropped as JSON files: one a file or several, sent again or not."""

import json
from pathlib import Path
from typing import Any

from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.drills.homes import run

CLOSED: dict[str, Any] = {
    "id": "zap_tickets",
    "kind": "tickets",
    "reader": "json",
    "columns": {
        "ticket_id": "ticket.id",
        "status": "ticket.status",
        "updated_at": "ticket.updated_at",
        "requester": "ticket.requester__email",
    },
    # What Zapier adds is another one at every sending.
    "ignore": ["zap_meta_human_now", "zap_meta_timestamp"],
}
ANSWERED: dict[str, Any] = {
    "id": "zap_answers",
    "kind": "survey",
    "reader": "json",
    "survey": "after_chat",
    "columns": {
        "response_id": "response_id",
        "score": "answers.ease",
        "comment": "answers.why",
        "respondent": "contact__email",
        "recorded_at": "submitted",
    },
    "ignore": ["zap_meta_human_now", "zap_meta_timestamp"],
}


def closed(number: int, sent: str = "09:00", **more: Any) -> dict[str, Any]:
    return {
        "zap_meta_human_now": f"03/02/26 {sent}AM",
        "zap_meta_timestamp": sent,
        "event": "ticket_closed",
        "ticket": {
            "id": number,
            "status": "closed",
            "updated_at": "2026-03-02T08:59:00Z",
            "requester__email": f"person{number}@example.org",
            **more,
        },
    }


def drop(home: InboxHome, name: str, payload: Any, source_id: str = "zap_tickets") -> None:
    home.drop(f"{name}.json", json.dumps(payload), source_id)


def test_one_payload_a_file_and_a_list_of_payloads_land_alike(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, CLOSED)
    drop(home, "hook-1", closed(1))
    drop(home, "hook-2", [closed(2), closed(3)])
    assert home.land("zap_tickets").failures == ()
    rows = home.rows("zap_tickets")
    assert sorted((row["ticket_id"], row["status"]) for row in rows) == [
        ("1", "closed"),
        ("2", "closed"),
        ("3", "closed"),
    ]
    assert all(row["extra"] == {"event": "ticket_closed"} for row in rows)
    assert home.find("person1@example.org", "person2@example.org") == []


def test_a_webhook_that_is_sent_again_is_the_same_row(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, CLOSED, settings={"first_day": "2026-03-01"})
    drop(home, "hook-1", closed(1))
    run(home.home)
    for number in range(3):
        drop(home, f"hook-1-again-{number}", closed(1, sent=f"09:0{number + 5}"))
    drop(home, "hook-2", closed(1, updated_at="2026-03-02T10:00:00Z", status="open"))
    run(home.home)
    with open_published(home.home.published) as connection:
        query = "SELECT ticket_id, status FROM core.ticket_versions ORDER BY updated_at"
        assert connection.execute(query).fetchall() == [("1", "closed"), ("1", "open")]
        query = "SELECT landed - redelivered, accepted FROM audit.load_audit WHERE is_current AND kind = 'tickets'"
        assert connection.execute(query).fetchall() == [(2, 2)]


def test_an_answer_with_its_questions_nested_is_read(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, ANSWERED)
    payload = {
        "response_id": "r1",
        "submitted": "2026-03-02T12:00:00+01:00",
        "contact__email": "ann@example.org",
        "answers": {"ease": 5, "why": "write to ann@example.org"},
        "zap_meta_timestamp": "1772449200",
    }
    drop(home, "hook", payload, "zap_answers")
    assert home.land("zap_answers").failures == ()
    row = home.row("zap_answers")
    assert (row["response_id"], row["score"], row["comment"]) == ("r1", "5", "write to [email]")
    assert row["recorded_at"].isoformat() == "2026-03-02T11:00:00+00:00"


def test_half_a_payload_is_reported_and_the_others_land(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, CLOSED)
    home.drop("hook-1.json", json.dumps(closed(1))[:-9], "zap_tickets")
    drop(home, "hook-2", closed(2))
    outcome = home.land("zap_tickets")
    (failure,) = outcome.failures
    assert "hook-1.json" in failure
    assert [row["ticket_id"] for row in home.rows("zap_tickets")] == ["2"]

"""Protects the way of a webhook: posted, kept in the inbox, landed, cleaned and published, and counted if sent again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.corrections.people import held_of
from ces_pipeline.receive.senders import senders_of
from ces_pipeline.reports.preview import preview
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.unit.receive.served import SECRET, Served, served, signed

FORM: dict[str, Any] = {
    "id": "form",
    "kind": "survey",
    "reader": "json",
    "survey": "after_chat",
    "columns": {
        "response_id": "form_response.token",
        "score": "form_response.answers.ease",
        "comment": "form_response.answers.why",
        "respondent": "form_response.answers.email",
        "ticket_id": "form_response.hidden.ticket",
        "started_at": "form_response.landed_at",
        "submitted_at": "form_response.submitted_at",
    },
    "ignore": ["event_id"],
    "options": {
        "answers": {
            "list": "form_response.answers",
            "name": "field.ref",
            "value": ["number", "text", "email"],
        }
    },
    "receive": {"signature": "typeform", "secret": "FORM_SECRET"},
}
ZAP: dict[str, Any] = {
    "id": "zap",
    "kind": "tickets",
    "reader": "json",
    "columns": {"ticket_id": "id", "status": "status", "updated_at": "updated", "requester": "email"},
    "ignore": ["zap_meta_timestamp"],
    "receive": {"signature": "shared_secret", "header": "X-Ces-Secret", "secret": "ZAP_SECRET"},
}


def form_payload(number: int, event: str = "e1") -> dict[str, Any]:
    """A payload as Typeform posts it."""
    fields = [
        {"id": "a1", "ref": "ease", "type": "opinion_scale", "title": "How easy was it?"},
        {"id": "a2", "ref": "why", "type": "long_text", "title": "Why?"},
        {"id": "a3", "ref": "email", "type": "email", "title": "Your address"},
    ]
    values: list[dict[str, Any]] = [
        {"type": "number", "number": number % 5 + 1},
        {"type": "text", "text": f"Call person{number}@example.org"},
        {"type": "email", "email": f"person{number}@example.org"},
    ]
    return {
        "event_id": event,
        "event_type": "form_response",
        "form_response": {
            "form_id": "lT4Z3j",
            "token": f"token{number}",
            "landed_at": "2026-03-02T11:58:00Z",
            "submitted_at": "2026-03-02T12:00:00Z",
            "hidden": {"ticket": f"{number}"},
            "definition": {"id": "lT4Z3j", "title": "Effort", "fields": fields},
            "answers": [
                {**value, "field": {key: field[key] for key in ("id", "ref", "type")}}
                for field, value in zip(fields, values, strict=True)
            ],
        },
    }


def zap_payload(number: int, sent: str = "1") -> dict[str, Any]:
    return {
        "id": number,
        "status": "closed",
        "updated": "2026-03-02T10:00:00Z",
        "email": f"person{number}@example.org",
        "zap_meta_timestamp": sent,
    }


def zap(receiver: Served, payload: dict[str, Any]) -> int:
    headers = {"content-type": "application/json", "x-ces-secret": SECRET}
    return receiver.post(payload, headers, "/receive/zap")[0]


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path, FORM, ZAP, settings={"first_day": "2026-03-01"})


@pytest.fixture
def receiver(home: InboxHome) -> Iterator[Served]:
    known = senders_of(
        home.registry, {"FORM_SECRET": SECRET, "ZAP_SECRET": SECRET}, datetime(2026, 3, 20, tzinfo=UTC)
    )
    with served(home.home.inbox, *known.values()) as running:
        yield running


def ask(home: InboxHome, query: str) -> list[tuple[Any, ...]]:
    with open_published(home.home.published) as connection:
        return connection.execute(query).fetchall()


def test_payloads_are_published_and_those_sent_again_are_counted(home: InboxHome, receiver: Served) -> None:
    for number in range(3):
        assert receiver.post(form_payload(number))[0] == 200
        assert zap(receiver, zap_payload(number)) == 200
    assert receiver.post(form_payload(1))[0] == 200
    assert receiver.post(form_payload(2), signed(b"", "wrong"))[0] == 401
    waiting = preview(home.home, home.registry, ["form", "zap"]).files
    assert [(source, why) for source, _, why in waiting] == [
        ("form", "received payloads"),
        ("zap", "received payloads"),
    ]
    run(home.home)
    assert ask(
        home,
        "SELECT response_id, score, comment, ticket_id, started_at < submitted_at, respondent_key IS NOT NULL "
        "FROM core.responses ORDER BY response_id",
    ) == [(f"token{n}", n + 1, "Call [email]", f"{n}", True, True) for n in range(3)]
    assert ask(home, "SELECT count(*) FROM core.response_tickets WHERE ticket_key IS NOT NULL") == [(3,)]
    assert home.find("person1@example.org") == []
    assert ask(
        home, "SELECT source_id, rows_read, rows_landed, rows_redelivered FROM audit.deliveries ORDER BY ALL"
    ) == [("form", 4, 3, 1), ("zap", 3, 3, 0)]


def test_a_file_whose_payloads_were_all_sent_before_counts_as_delivered_again(
    home: InboxHome, receiver: Served
) -> None:
    for sent in ("1", "2"):
        assert receiver.post(form_payload(2, event=sent))[0] == 200
        assert zap(receiver, zap_payload(0, sent)) == 200
        for source_id in ("form", "zap"):
            landing = home.land(source_id)
            assert landing.failures == ()
            assert (landing.rows_landed, landing.rows_redelivered) == ((1, 0) if sent == "1" else (0, 1))


def test_the_answers_of_a_payload_of_tally_become_columns(tmp_path: Path) -> None:
    entry = {
        "id": "tally",
        "kind": "survey",
        "reader": "json",
        "survey": "after_chat",
        "columns": {
            "response_id": "responseId",
            "score": "fields.How easy was it?",
            "submitted_at": "createdAt",
        },
        "options": {"record_path": "data", "answers": {"list": "fields", "name": "label", "value": "value"}},
        "receive": {"signature": "tally", "secret": "TALLY_SECRET"},
    }
    home = inbox_home(tmp_path, entry)
    payload = {
        "eventId": "e1",
        "eventType": "FORM_RESPONSE",
        "createdAt": "2026-03-02T12:00:01Z",
        "data": {
            "responseId": "r1",
            "submissionId": "r1",
            "respondentId": "p1",
            "formId": "f1",
            "createdAt": "2026-03-02T12:00:00Z",
            "fields": [
                {"key": "q1", "label": "How easy was it?", "type": "LINEAR_SCALE", "value": 4},
                {"key": "q2", "label": "Why?", "type": "TEXTAREA", "value": None},
            ],
        },
    }
    known = senders_of(home.registry, {"TALLY_SECRET": SECRET}, datetime(2026, 3, 20, tzinfo=UTC))
    body = json.dumps(payload).encode()
    headers = signed(body)
    headers["tally-signature"] = headers.pop("typeform-signature").removeprefix("sha256=")
    with served(home.home.inbox, *known.values()) as receiver:
        assert receiver.post(body, headers, "/receive/tally")[0] == 200
    assert home.land("tally").failures == ()
    row = home.row("tally")
    assert (row["response_id"], row["score"], row["submitted_at"]) == (
        "r1",
        "4",
        datetime(2026, 3, 2, 12, tzinfo=UTC),
    )


def test_payloads_under_an_earlier_id_and_without_an_entry_that_receives_still_land(
    home: InboxHome, receiver: Served
) -> None:
    assert receiver.post(form_payload(1))[0] == 200
    renamed = {**FORM, "id": "effort_form", "formerly": ["form"]}
    del renamed["receive"]
    home.write_registry(renamed, settings={"first_day": "2026-03-01"})
    assert home.land("effort_form").rows_landed == 1


def test_a_payload_that_waits_is_found_when_a_person_is_asked_for(home: InboxHome, receiver: Served) -> None:
    assert receiver.post(form_payload(1))[0] == 200
    assert home.land("zap").failures == ()
    assert held_of(home.home, home.registry, "person1@example.org").inbox == ("form/.receiving.jsonl",)
    assert held_of(home.home, home.registry, "person2@example.org").inbox == ()


def test_an_inbox_that_cannot_be_written_is_a_failure_and_its_files_land(
    home: InboxHome, receiver: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert receiver.post(form_payload(1))[0] == 200
    home.drop("export.jsonl", json.dumps(form_payload(2)), "form")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refused)
        landing = home.land("form")
    assert landing.rows_landed == 1
    (failure,) = landing.failures
    assert "Permission denied" in failure
    assert home.land("form").rows_landed == 1

"""Protects the loop of surveys on events: events are handled, decisions land, coverage and latency are exact."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ces_pipeline.activation.contacts import copy_contacts
from ces_pipeline.cli.main import main
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE, Pseudonyms
from ces_pipeline.storage.duck import open_published
from ces_pipeline.triggers import aws
from ces_pipeline.triggers.decisions import DecisionFiles
from ces_pipeline.triggers.event import Event
from ces_pipeline.triggers.handler import handler_of
from ces_pipeline.triggers.store import SqliteStore
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import run

DECISIONS: dict[str, Any] = {
    "id": "survey_trigger",
    "kind": "invitations",
    "reader": "json",
    "survey_column": "survey",
    "hashed": ["person"],
    "columns": {
        "invitation_id": "invitation_id",
        "person": "person",
        "ticket_id": "ticket_id",
        "event_id": "event_id",
        "status": "status",
        "sent_at": "sent_at",
    },
}
CHATS: dict[str, Any] = {
    "id": "chats",
    "kind": "events",
    "reader": "json",
    "columns": {"event_id": "id", "event_type": "name", "person": "who", "occurred_at": "at"},
}
SURVEY = {
    "id": "after_chat",
    "scale": "ease_1_5",
    "trigger_event": "chat_closed",
    "link": "https://surveys.example.com/effort",
}
ANN, BOB, CYD = (f"{name}@example.org" for name in ("ann", "bob", "cyd"))
# (event, person, time of the event, minutes until it was handled). The limit is two contacts in ten days.
HAPPENED = [
    ("e1", ANN, datetime(2026, 3, 2, 9, tzinfo=UTC), 1),
    ("e2", BOB, datetime(2026, 3, 2, 9, tzinfo=UTC), 3),
    ("e3", ANN, datetime(2026, 3, 2, 10, tzinfo=UTC), 5),
    ("e4", ANN, datetime(2026, 3, 2, 11, tzinfo=UTC), 1),  # over the limit
    ("e5", CYD, datetime(2026, 3, 2, 12, tzinfo=UTC), -2),  # the clock of the chat is ahead
    ("e6", ANN, datetime(2026, 3, 12, 9, tzinfo=UTC), 1),  # the first is exactly one window ago
]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    small = inbox_home(
        tmp_path_factory.mktemp("home"),
        WEB,
        CHATS,
        DECISIONS,
        surveys=[SURVEY],
        settings={"first_day": "2026-03-01", "minimum_n": 2, "contact_limit": 2, "contact_window_days": 10},
    )
    environment = {
        "CES_HOME": str(small.home.root),
        KEY_VARIABLE: "a test's key",
        "CES_LINK_KEY": "another",
        "CES_TRIGGER_STORE": str(tmp_path_factory.mktemp("handlers") / "store.db"),
        "CES_TRIGGER_DECISIONS": str(small.home.inbox / "survey_trigger"),
    }
    for name, person, at, minutes in HAPPENED:
        handled_at = at + timedelta(minutes=minutes)
        handler = replace(handler_of(environment), now=lambda handled_at=handled_at: handled_at)
        body = json.dumps(
            {"source": "chats", "event_id": name, "event_type": "chat_closed", "person": person}
        )
        record = {"messageId": name, "body": body}
        # Queues deliver at least once.
        assert aws.entry(lambda handler=handler: handler)({"Records": [record, record]}, None) == {
            "batchItemFailures": []
        }
    lines = [
        json.dumps({"id": name, "name": "chat_closed", "who": who, "at": at.isoformat()})
        for name, who, at, _ in HAPPENED
    ]
    lines.append(json.dumps({"id": "e7", "name": "chat_closed", "who": BOB, "at": "2026-03-02T13:00:00Z"}))
    small.drop("chats.jsonl", "\n".join(lines), "chats")
    small.drop("answers.csv", [answer(1, email=BOB, recorded="2026-03-02T10:03:00Z")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(KEY_VARIABLE, "a test's key")
        run(small.home)
    return small


def asked(home: InboxHome, query: str) -> list[tuple[Any, ...]]:
    with open_published(home.home.published) as connection:
        return connection.execute(query).fetchall()


def test_every_handled_event_has_exactly_one_invitation(loop: InboxHome) -> None:
    # e7 never reached the handler.
    assert asked(
        loop,
        "SELECT day::VARCHAR, events, with_invitation, with_several_invitations, with_response, invited_share "
        "FROM mart.event_coverage_daily ORDER BY day",
    ) == [("2026-03-02", 6, 5, 0, 1, 5 / 6), ("2026-03-12", 1, 1, 0, 0, None)]


def test_the_time_from_event_to_invitation_is_exact_and_a_clock_ahead_is_an_error(loop: InboxHome) -> None:
    assert asked(
        loop,
        "SELECT step, n, negative_count, p50_minutes, longest_minutes FROM mart.response_latency_daily "
        "WHERE day = '2026-03-02' AND step LIKE '%invit%' ORDER BY step",
    ) == [("event_to_invitation", 3, 1, 3.0, 5.0), ("invitation_to_response", 1, 0, None, None)]


def test_the_funnel_counts_invitations_and_skips_refusals(loop: InboxHome) -> None:
    assert asked(
        loop,
        "SELECT day::VARCHAR, invited, completes FROM mart.response_funnel_daily ORDER BY day",
    ) == [("2026-03-02", 4, 1), ("2026-03-12", 1, 0)]
    assert asked(loop, "SELECT event_id, survey_id FROM core.invitations WHERE status = 'out_of_scope'") == [
        ("e4", "after_chat")
    ]


def test_the_audit_of_contacts_finds_the_limit_kept(loop: InboxHome) -> None:
    # Ann's contact on the 12th is the second within ten days, because her first contact on the 2nd does not count.
    assert asked(
        loop,
        "SELECT place, is_over_limit, contacts FROM mart.contact_frequency ORDER BY place",
    ) == [(1, False, 3), (2, False, 2)]
    assert asked(loop, "SELECT count(*) FROM mart.over_contacted_customers") == [(0,)]


def test_the_handlers_get_contacts_that_other_systems_made(loop: InboxHome, tmp_path: Path) -> None:
    now = datetime(2026, 3, 12, 10, tzinfo=UTC)
    store = SqliteStore(tmp_path / "other.db")
    settings = loop.registry.settings
    # Ann's second and third contact, and Cyd's contact. Ann's first and Bob's contact are at least ten days old.
    assert copy_contacts(loop.home, settings, store, now) == 3
    assert copy_contacts(loop.home, settings, store, now) == 3
    environment = {"CES_HOME": str(loop.home.root), KEY_VARIABLE: "a test's key", "CES_LINK_KEY": "another"}
    outlet = DecisionFiles(tmp_path / "decisions")
    handler = replace(handler_of(environment, store=store, outlet=outlet), now=lambda: now)
    fields = {"source": "chats", "event_type": "chat_closed"}
    reasons = [
        handler.handle(Event(event_id=who, person=who, **fields)).decision.reason for who in (ANN, BOB)
    ]
    assert reasons == ["over_limit", None]


def test_a_contact_of_the_handler_that_comes_back_from_the_source_counts_once(
    loop: InboxHome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "handlers0" / "store.db"
    own = SqliteStore(path)
    person = Pseudonyms(b"a test's key").of(ANN)
    ann = f"contact/{person}"
    before = own.rows(ann)
    assert len(before) == 3
    copy_contacts(loop.home, loop.registry.settings, own, datetime(2026, 3, 12, 10, tzinfo=UTC))
    assert own.rows(ann) == before


def test_the_handlers_hash_is_the_pipelines(loop: InboxHome) -> None:
    assert asked(
        loop,
        "SELECT method, person_key = respondent_key FROM core.response_invitations "
        "JOIN core.invitations USING (invitation_key) JOIN core.responses USING (response_key)",
    ) == [("person_window", True)]


def test_only_the_exports_name_a_person(loop: InboxHome) -> None:
    assert loop.find(ANN, BOB, CYD) == []
    decisions = "".join(path.read_text() for path in (loop.home.inbox / "survey_trigger").iterdir())
    assert "example.org" not in decisions


def test_the_command_writes_contacts_to_a_store(loop: InboxHome, tmp_path: Path) -> None:
    words = ["export", "contacts", "--to", str(tmp_path / "new" / "store.db"), "--home", str(loop.home.root)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "store.db has the " in result.output
    (tmp_path / "broken.db").write_text("no database, " * 100)
    broken = CliRunner().invoke(main, ["export", "contacts", "--to", str(tmp_path / "broken.db"), *words[4:]])
    assert broken.exit_code == 1
    assert "broken.db cannot be used (DatabaseError)" in broken.output

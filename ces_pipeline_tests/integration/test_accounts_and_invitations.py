"""Protects the other kinds of source (besides surveys and tickets) in a full run: landed, cleaned in order, linked and published."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.cli import runs
from ces_pipeline.doctor import examine
from ces_pipeline.home import Home
from ces_pipeline.pipeline import stale_days
from ces_pipeline.registry import load_registry
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import SURVEYS, WEB, InboxHome, answer, inbox_home

FEEDS: list[dict[str, Any]] = [
    {**WEB, "columns": {**WEB["columns"], "product": "area"}},
    {
        "id": "crm",
        "kind": "accounts",
        "reader": "csv",
        "columns": {"person": "email", "valid_from": "since"},
    },
    {
        "id": "mails",
        "kind": "invitations",
        "reader": "csv",
        "survey": "after_chat",
        "columns": {
            "invitation_id": "id",
            "person": "email",
            "event_id": "event",
            "status": "state",
            "sent_at": "sent",
        },
    },
    {
        "id": "chats",
        "kind": "events",
        "reader": "json",
        "columns": {"event_id": "id", "event_type": "name", "person": "who", "occurred_at": "at"},
    },
]
RULES = [
    {"id": "big", "value": "enterprise", "when": {"account.plan": "Enterprise"}},
    {"id": "any", "value": "smb", "when": {"account.plan": ["SMB", "Enterprise"]}},
    {"id": "never", "value": "nobody", "when": {"account.plan": "SMB", "account.region": "EU"}},
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    """Three people asked after a chat: two answered, one of them upgraded on the day before her second answer."""
    surveys = [{**SURVEYS[0], "trigger_event": "chat_closed"}]
    small = inbox_home(
        tmp_path_factory.mktemp("home"),
        *FEEDS,
        segments=RULES,
        surveys=surveys,
        products=[{"id": "web_shop", "title": "Web shop", "also_known_as": ["Webshop"], "owner": "sales"}],
        # Six days after the first invitations, no answer to them is to be waited for.
        settings={"first_day": "2026-03-01", "minimum_n": 2, "invitation_window_days": 5},
    )
    answers = [
        answer(1, email="ann@example.org", recorded="2026-03-05T12:00:00Z", area="Webshop"),
        answer(2, email="ann@example.org", recorded="2026-03-11T12:00:00Z", area="web_shop"),
        answer(3, email="bob@example.org", recorded="2026-03-05T13:00:00Z", area="Kiosk"),
    ]
    small.drop("answers.csv", answers)
    accounts = [
        {"email": "Ann@example.org", "since": "2026-03-01", "plan": "SMB"},
        {"email": "ann@example.org", "since": "2026-03-10", "plan": "Enterprise"},
    ]
    small.drop("accounts.csv", accounts, "crm")
    asked = [
        ("i1", "ann", "e1", "05T10"),
        ("i2", "ann", "e2", "11T10"),
        ("i3", "bob", "e3", "05T10"),
        ("i4", "cat", "", "05T10"),
    ]
    sent = [
        {
            "id": key,
            "email": f"{who}@example.org",
            "event": event,
            "state": "Delivered",
            "sent": f"2026-03-{at}:00:00Z",
        }
        for key, who, event, at in asked
    ]
    small.drop("mails.csv", sent, "mails")
    lines = [
        f'{{"id": "{key}", "name": "chat_closed", "who": "ann@example.org", "at": "2026-03-{at}:59:00Z"}}'
        for key, at in (("e1", "05T09"), ("e2", "11T09"), ("e3", "05T09"))
    ]
    small.drop("chats.jsonl", "\n".join(lines), "chats")
    assert runs.run(small.home)
    return small


def asked(home: Home, query: str) -> list[tuple[Any, ...]]:
    with open_published(home.published) as connection:
        return connection.execute(query).fetchall()


def test_the_account_of_the_day_gives_the_persona(small: InboxHome) -> None:
    found = asked(small.home, "SELECT response_id, persona FROM core.responses ORDER BY response_id")
    assert found == [("r1", "smb"), ("r2", "enterprise"), ("r3", "unassigned")]


def test_invitations_answers_and_events_find_each_other(small: InboxHome) -> None:
    assert asked(
        small.home,
        "SELECT day::VARCHAR, invited, completes, non_contacts, uninvited_responses, response_rate_1 "
        "FROM mart.response_funnel_daily ORDER BY day",
    ) == [("2026-03-05", 3, 2, 1, 0, 2 / 3), ("2026-03-11", 1, 1, 0, 0, None)]
    assert asked(
        small.home,
        "SELECT step, n, p50_minutes FROM mart.response_latency_daily WHERE day = '2026-03-05' AND step LIKE '%invit%' "
        "ORDER BY step",
    ) == [("event_to_invitation", 2, 1.0), ("invitation_to_response", 2, 120.0)]
    assert asked(small.home, "SELECT sum(with_response) FROM mart.event_coverage_daily") == [(3,)]


def test_products_have_one_name_and_one_that_nobody_registered_is_reported(small: InboxHome) -> None:
    assert asked(
        small.home,
        "SELECT product, owner, count(*) FROM core.responses LEFT JOIN reference.products ON product_id = product "
        "GROUP BY ALL ORDER BY product",
    ) == [("Kiosk", None, 1), ("web_shop", "sales", 2)]
    ((detail,),) = asked(
        small.home, "SELECT detail FROM audit.check_results WHERE check_name = 'unregistered_products'"
    )
    assert detail.startswith("product Kiosk, responses 1, tickets 0. ")


def test_a_name_that_is_registered_later_makes_the_days_stale(small: InboxHome, tmp_path: Path) -> None:
    assert stale_days(small.home, small.registry, "survey") == []
    later = shutil.copytree(small.home.registry, tmp_path / "registry")
    with (later / "products.yaml").open("a", encoding="utf-8") as file:
        file.write("- {id: kiosk, also_known_as: [Kiosk]}\n")
    waiting = stale_days(small.home, load_registry(later), "survey")
    assert [str(day) for day in waiting] == ["2026-03-05", "2026-03-11"]


def test_a_second_run_finds_nothing_to_do(small: InboxHome, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run(small.home)
    assert "nothing new to publish" in capsys.readouterr().out


def test_the_doctor_reports_rules_that_overlap_and_of_one_that_is_never_used(small: InboxHome) -> None:
    verdicts = [
        (finding.is_well, finding.text)
        for finding in examine(small.home)
        if finding.text.startswith("rules:")
    ]
    assert verdicts == [
        (True, "rules: if big and any both match, big is used"),
        (
            False,
            "rules: never is never used, because any comes before it and matches everything that never matches. "
            "In segments.yaml, move never before any or remove it",
        ),
    ]


def test_nobody_is_named_anywhere(small: InboxHome) -> None:
    assert small.find("ann@example.org", "bob@example.org", "cat@example.org") == []

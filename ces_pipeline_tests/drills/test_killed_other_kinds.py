"""Drill: runs killed while accounts, invitations and events are landed, cleaned or published.

The next run ends as if nothing had happened. What is killed here is chosen by name; kills at any rename and at any
moment of a run are in `test_killed.py`.
"""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.home import Home
from ces_pipeline_tests.builders import SURVEYS, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import published_rows, run
from ces_pipeline_tests.drills.test_killed import assert_ends_undisturbed, copied, started

CRM: dict[str, Any] = {
    "id": "crm",
    "kind": "accounts",
    "reader": "csv",
    "columns": {"person": "email", "valid_from": "since"},
}
MAILS: dict[str, Any] = {
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
}
CHATS: dict[str, Any] = {
    "id": "chats",
    "kind": "events",
    "reader": "csv",
    "columns": {"event_id": "id", "event_type": "name", "person": "email", "occurred_at": "at"},
}
RULES = [{"id": "big", "value": "enterprise", "when": {"account.plan": "Enterprise"}}]
EMAILS = [f"person{number}@example.org" for number in range(6)]


def fill(small: InboxHome) -> None:
    """Two deliveries of each kind; the second upgrades an account, moves invitations on, one of them to another day, and
    repeats an event with a new time."""
    accounts = [{"email": email, "since": "2026-03-01", "plan": "SMB"} for email in EMAILS]
    small.drop("a1.csv", accounts, "crm")
    upgraded = {"email": EMAILS[0], "since": "2026-03-02", "plan": "Enterprise"}
    small.drop("a2.csv", [*accounts[:2], upgraded], "crm")
    events = [
        {"id": f"e{n}", "name": "chat_closed", "email": email, "at": f"2026-03-0{2 + n % 3}T09:00:00Z"}
        for n, email in enumerate(EMAILS)
    ]
    small.drop("e1.csv", events, "chats")
    small.drop("e2.csv", [{**events[1], "at": "2026-03-04T09:30:00Z"}], "chats")
    sent = [
        {
            "id": f"i{n}",
            "email": email,
            "event": f"e{n}",
            "state": "sent",
            "sent": f"2026-03-0{2 + n % 3}T10:00:00Z",
        }
        for n, email in enumerate(EMAILS)
    ]
    small.drop("i1.csv", sent, "mails")
    moved = {**sent[1], "sent": "2026-03-04T10:00:00Z"}
    small.drop("i2.csv", [{**sent[0], "state": "completed"}, {**sent[2], "state": "bounced"}, moved], "mails")
    small.drop(
        "r.csv",
        [
            answer(n, email=email, recorded=f"2026-03-0{2 + n % 3}T12:00:00Z")
            for n, email in enumerate(EMAILS)
            if n != 2
        ],
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose only run nothing disturbed."""
    small = inbox_home(
        tmp_path_factory.mktemp("undisturbed") / "home",
        WEB,
        CRM,
        MAILS,
        CHATS,
        surveys=[{**SURVEYS[0], "trigger_event": "chat_closed"}],
        segments=RULES,
        settings={"first_day": "2026-03-01"},
    )
    fill(small)
    run(small.home)
    return small.home


def run_until_rename_to(home: Home, place: str, count: int) -> None:
    """Run, and be killed just before the given rename (from 1) to a path below `place` of the home."""
    left = count
    rename = Path.replace

    def counted(self: Path, target: Any) -> Path:
        nonlocal left
        left -= Path(target).is_relative_to(home.root / place)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.replace = counted  # type: ignore[method-assign, assignment]
    run(home)


def test_the_undisturbed_run_published_what_the_second_deliveries_say(undisturbed: Home) -> None:
    """Without it the drills below could compare two empty files."""
    rows = published_rows(undisturbed)
    assert len(rows["core.responses"]) == 5
    assert sum("enterprise" in row for row in rows["core.responses"]) == 1
    assert (len(rows["core.account_versions"]), len(rows["core.invitations"]), len(rows["core.events"])) == (
        7,
        6,
        6,
    )
    assert sorted(
        status
        for row in rows["core.invitations"]
        for status in row
        if status in ("sent", "completed", "bounced")
    ) == ["bounced", "completed", "sent", "sent", "sent", "sent"]
    # Person 1 was asked again after having answered.
    assert len(rows["core.response_invitations"]) == 4


@pytest.mark.parametrize(
    ("place", "count"),
    [
        pytest.param("lake/raw/crm", 1, marks=pytest.mark.slow),
        pytest.param("lake/ledger/mails", 2, marks=pytest.mark.slow),
        ("lake/core/account_versions", 2),
        pytest.param("lake/core/invitations", 1, marks=pytest.mark.slow),
        ("lake/audit/load_audit/kind=events", 2),
        ("warehouse", 1),
        pytest.param("lake/ledger/crm", 1, marks=pytest.mark.slow),
        pytest.param("lake/index/chats", 2, marks=pytest.mark.slow),
        pytest.param("lake/core/responses", 2, marks=pytest.mark.slow),
        pytest.param("lake/ledger/chats", 1, marks=pytest.mark.slow),
        pytest.param("lake/raw/mails", 3, marks=pytest.mark.slow),
        pytest.param("lake/core/events", 1, marks=pytest.mark.slow),
        pytest.param("lake/audit/load_audit/kind=accounts", 1, marks=pytest.mark.slow),
        pytest.param("lake/audit/load_audit/kind=invitations", 3, marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_there_is_made_good_by_the_next(
    undisturbed: Home, tmp_path: Path, place: str, count: int
) -> None:
    home = copied(undisturbed, tmp_path / "home")
    process = started(run_until_rename_to, home, place, count)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert_ends_undisturbed(home, undisturbed)

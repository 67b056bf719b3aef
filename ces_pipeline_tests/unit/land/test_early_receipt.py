"""Protects answers that landed while the clock was wrong: they count, on their own days, when it is right."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.schemas.audit import LOAD_AUDIT
from ces_pipeline_tests.builders import DESK, InboxHome, answer, inbox_home

BEHIND, RIGHT, LATER = (
    datetime(2026, month, day, 3, tzinfo=UTC) for month, day in ((1, 8), (3, 20), (3, 21))
)
MONDAY = date(2026, 3, 2)


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    """Two answers of 2 March that landed with the clock at 8 January."""
    found = inbox_home(tmp_path / "home")
    found.drop("a.csv", [answer(1), answer(2)])
    found.land(now=BEHIND)
    assert clean(found) == ({}, {"r1": ["in_the_future"], "r2": ["in_the_future"]})
    return found


def clean(home: InboxHome, kind: str = "survey") -> tuple[dict[str, date], dict[str, Any]]:
    """Cleans the stale days. Returns id -> day of the accepted rows, id -> reasons of the rejected ones."""
    days = pipeline.stale_days(home.home, home.registry, kind)
    for result in pipeline.clean(home.home, home.registry, kind, days, run_id="test"):
        assert result.problems == ()
    accepted, rejected = pipeline.KINDS[kind].tables
    name = "response_id" if kind == "survey" else "ticket_id"
    taken = {row[name]: row["day"] for row in table(home, accepted)}
    refused = {row[name]: row["reasons"] for row in table(home, rejected)}
    return taken, refused


def table(home: InboxHome, name: str) -> list[dict[str, Any]]:
    return [
        row
        for day in home.lake.days(name)
        if home.lake.exists(home.lake.day_file(name, day))
        for row in home.lake.read_table(home.lake.day_file(name, day)).to_pylist()
    ]


def books(home: InboxHome) -> Counter[str]:
    """The sums of the current audit rows, which must balance."""
    total: Counter[str] = Counter()
    for info in home.lake.list("audit/load_audit", recursive=True):
        if info.base_name.endswith(".parquet"):
            for row in home.lake.read_table(info.path).cast(LOAD_AUDIT.arrow).to_pylist():
                if row["is_current"]:
                    total.update(
                        {name: row[name] for name in ("landed", "redelivered", "accepted", "rejected")}
                    )
    return total


def test_a_later_export_brings_them_to_their_own_days(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(2), answer(3)])
    home.land(now=RIGHT)
    assert clean(home) == ({"r1": MONDAY, "r2": MONDAY, "r3": MONDAY}, {})
    assert books(home) == {"landed": 5, "redelivered": 2, "accepted": 3, "rejected": 0}


def test_the_same_file_is_received_again_once(home: InboxHome) -> None:
    outcome = home.land(now=RIGHT)
    assert (outcome.files_new, outcome.rows_landed) == (1, 2)
    assert clean(home) == ({"r1": MONDAY, "r2": MONDAY}, {})
    assert home.land(now=LATER).files_new == 0


def test_both_ways_together_count_each_answer_once(home: InboxHome) -> None:
    home.drop("b.csv", [answer(1), answer(2), answer(3)])
    home.land(now=RIGHT)
    taken, refused = clean(home)
    assert (sorted(taken), refused) == (["r1", "r2", "r3"], {})
    assert len(table(home, "core.responses")) == 3


def test_without_the_file_and_a_later_export_nothing_changes(home: InboxHome) -> None:
    (home.home.inbox / "web" / "a.csv").unlink()
    home.land(now=RIGHT)
    assert clean(home)[1] == {"r1": ["in_the_future"], "r2": ["in_the_future"]}


def test_a_time_that_is_still_to_come_stays_refused(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1), answer(4, recorded="2031-01-01T12:00:00Z")])
    home.land(now=RIGHT)
    assert home.land(now=LATER).files_new == 0
    taken, refused = clean(home)
    assert (taken["r1"], refused["r4"]) == (MONDAY, ["in_the_future"])


def test_an_answer_that_was_edited_meanwhile_counts_as_edited(home: InboxHome) -> None:
    home.drop("a.csv", [answer(1, score=1), answer(2)])
    home.land(now=RIGHT)
    clean(home)
    assert {row["response_id"]: row["score"] for row in table(home, "core.responses")} == {"r1": 1, "r2": 4}


def test_a_killed_landing_is_finished_with_the_new_receipt(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ces_pipeline.land import step

    with monkeypatch.context() as patched:
        patched.setattr(step, "_land_opened", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            home.land(now=RIGHT)
    home.land(now=LATER)
    assert clean(home) == ({"r1": MONDAY, "r2": MONDAY}, {})


def test_tickets_count_once_their_time_has_come(tmp_path: Path) -> None:
    found = inbox_home(tmp_path / "home", DESK)
    ticket = "number,state,updated,email\n7,open,2026-03-02T12:00:00Z,ann@example.org\n"
    found.drop("a.csv", ticket, "desk")
    found.land("desk", now=BEHIND)
    found.land("desk", now=RIGHT)
    assert clean(found, "tickets") == ({"7": MONDAY}, {})

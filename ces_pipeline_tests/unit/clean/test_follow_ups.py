"""Protects follow-ups on their way in: every step is kept, in any order, and nobody's name is."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.unit.clean.test_invitations import rows_of

CALLS: dict[str, Any] = {
    "id": "calls",
    "kind": "follow_ups",
    "reader": "csv",
    "columns": {"follow_up_id": "case", "response_id": "answer", "agent": "by", "state": "what", "changed_at": "at"},
}  # fmt: skip


def step(what: str, at: str, *, case: str = "c1", of: str = "r1") -> dict[str, Any]:
    return {"case": case, "answer": of, "by": "bob@example.org", "what": what, "at": f"2026-03-{at}:00Z"}


@pytest.fixture
def small(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path, WEB, CALLS)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_every_step_is_kept_whatever_order_exports_come_in(small: InboxHome, order: tuple[int, ...]) -> None:
    exports = [
        [step("Open", "02T10:00")],
        # Two states at one moment: the further counts.
        [step("Called back", "03T09:00"), step("claimed", "03T09:00")],
        [step("Open", "02T10:00"), step("done", "04T09:00"), step("shrugged", "05T09:00", case="c2")],
    ]
    for place in order:
        small.drop(f"{place}.csv", exports[place], "calls")
    run(small.home)
    kept = rows_of(small, "core.follow_ups")
    assert [(row["follow_up_id"], row["state"], row["day"].day) for row in kept] == [
        ("c1", "assigned", 2),
        ("c1", "contacted", 3),
        ("c1", "resolved", 4),
        ("c2", "unknown", 5),
    ]
    assert len({row["agent_key"] for row in kept}) == 1
    assert small.find("bob@example.org") == []


def test_bad_rows_are_kept_with_reasons(small: InboxHome) -> None:
    small.drop(
        "a.csv",
        [step("done", "02T10:00", of=""), step("done", "soon"), step("done", "30T10:00", case="c3")],
        "calls",
    )
    run(small.home)
    refused = {tuple(row["reasons"]) for row in rows_of(small, "core.rejected_follow_ups")}
    assert refused == {("missing_answer",), ("missing_time",), ("in_the_future",)}
    with open_published(small.home.published) as published:
        rows = published.execute("SELECT kind, count(*) FROM open_quarantine GROUP BY kind").fetchall()
    assert rows == [("follow_ups", 3)]


def test_a_difficult_answer_is_followed_up_in_a_whole_run(small: InboxHome) -> None:
    small.drop("a.csv", [answer(1, score=1), answer(2, score=1)], "web")
    small.drop("b.csv", [step("done", "03T10:00", of=str(answer(1)["id"]))], "calls")
    run(small.home)
    with open_published(small.home.published) as published:
        rows = published.execute("SELECT state FROM mart.follow_ups ORDER BY state").fetchall()
    assert rows == [("none",), ("resolved",)]

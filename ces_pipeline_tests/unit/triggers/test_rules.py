"""Protects that the handler and the marts apply the same limit: the marts' SQL checks decisions on random events."""

import random
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from ces_pipeline_tests.lake_days import registry
from ces_pipeline_tests.sql.asked import invitation
from ces_pipeline_tests.sql.snapshots import derived
from ces_pipeline_tests.unit.triggers.handlers import Desk, event

WANTED = ["mart.contact_frequency", "mart.over_contacted_customers"]


@pytest.mark.parametrize("seed", range(3))
def test_the_marts_find_no_person_over_the_limit_and_every_refusal_necessary(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    desk = Desk(tmp_path / "desk")
    limit = chance.choice((1, 2, 3))
    here = registry(tmp_path / "registry", contact_limit=limit, contact_window_days=2)
    for number in range(120):
        # The events are often exactly one window apart, to the microsecond.
        desk.later(hours=chance.choice((0, 1, 6, 24, 48)), microseconds=chance.choice((0, 0, 1)))
        desk.handler(contact_limit=limit, contact_window_days=2).handle(
            event(f"e{number}", chance.choice(("ann", "bob", "cyd")))
        )
    decided = [
        invitation(
            row["invitation_id"],
            person_key=row["person"],
            sent_at=datetime.fromisoformat(row["sent_at"]),
            status=row["status"],
        )
        for row in desk.rows
    ]
    statuses = Counter(row["status"] for row in decided)
    assert min(statuses["sent"], statuses["out_of_scope"]) > 10
    with derived(here, WANTED, {"core.invitations": decided}) as snapshot:
        assert snapshot.rows("SELECT * FROM mart.over_contacted_customers") == []
    # If any of these refusals had been an invitation, the person would be over the limit.
    for refused in [row for row in decided if row["status"] == "out_of_scope"][:5]:
        until = [row for row in decided if row["sent_at"] <= refused["sent_at"]]
        allowed = [{**row, "status": "sent"} if row is refused else row for row in until]
        with derived(here, WANTED, {"core.invitations": allowed}) as snapshot:
            assert snapshot.row("SELECT person_key FROM mart.over_contacted_customers") == {
                "person_key": refused["person_key"]
            }

"""Protects that no mart depends on the order in which its rows lie: the same answers and tickets, the same bits."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.objectives import Objective
from ces_pipeline.registry.priorities import Priorities
from ces_pipeline.registry.releases import Release
from ces_pipeline.registry.segments import Segment
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import DAY, NOON, registry, response, ticket
from ces_pipeline_tests.sql.snapshots import derived

MARTS = [file.table for file in sql_files("mart")]


@pytest.fixture(scope="module")
def given() -> dict[str, list[dict[str, Any]]]:
    """Answers on uneven values (thirds, sevenths), half of them with a ticket."""
    random = np.random.default_rng(7)
    responses, links = [], []
    for number in range(400):
        key, day = f"r{number:03}", DAY + timedelta(days=int(random.integers(0, 20)))
        ease = float(round(random.choice([0, 100 / 6, 100 / 3, 200 / 3, 500 / 6, 100]), 6))
        segment = {
            name: f"{name}{random.integers(0, 3)}"
            for name in ("channel", "persona", "product", "device", "journey_stage", "process", "language")
        }
        responses.append(
            response(key, day, ease=ease, respondent_key=f"p{number % 90}", nps=number % 11,
                     csat_0_100=float(round(random.choice([0, 100 / 3, 100]), 6)), **segment)
        )  # fmt: skip
        if number % 2:
            links.append({"response_key": key, "ticket_key": f"t{number // 2:03}", "method": "ticket_id",
                          "confidence": 1.0, "day": day})  # fmt: skip
    tickets = [
        ticket(f"t{number:03}", created_at=NOON + timedelta(hours=number), category=f"c{number % 4}", reopens=number % 2,
               solved_at=NOON + timedelta(hours=number, minutes=int(random.exponential(900))), handoffs=number % 5,
               resolution_minutes=float(random.exponential(900)), requester_key=f"p{number % 30}", replies=number % 7)
        for number in range(200)
    ]  # fmt: skip
    follow_ups = [
        {"follow_up_key": f"f{number // 2:03}", "source_id": "calls", "follow_up_id": f"f{number // 2:03}",
         "response_id": f"r{number // 2:03}" if number % 4 < 2 else None,
         "ticket_id": f"t{number // 2:03}" if number % 4 >= 2 else None,
         "state": ("assigned", "contacted", "resolved")[number % 3], "delivery_id": "d6", "day": DAY,
         "changed_at": NOON + timedelta(days=number % 30, minutes=number)}
        for number in range(300)
    ]  # fmt: skip
    return {
        "core.follow_ups": follow_ups,
        "core.responses": responses,
        "core.response_tickets": links,
        "core.tickets": tickets,
        "core.ticket_versions": tickets,
    }


def test_the_rows_of_every_mart_are_the_same_bits_in_any_order(
    tmp_path: Path, given: dict[str, list[dict[str, Any]]]
) -> None:
    here = registry(tmp_path, minimum_n=5, fix_window_weeks=3, release_window_days=5)
    live = DAY + timedelta(days=9)
    here = here.model_copy(
        update={
            "fixes": (Fix(id="f", title="F", live_on=live, categories=("c1",)),),
            "releases": (Release(id="r", title="R", day=live),),
            "handling": (
                Segment(id="one", assigns="handling", value="machine", when={"replies": (0, 1)}),
                Segment(id="two", assigns="handling", value="people", when={"category": ("c1", "c2")}),
            ),
            "objectives": (
                Objective(
                    id="o",
                    title="O",
                    figure="mean_effort_0_100",
                    baseline=60,
                    baseline_day=DAY,
                    target=40,
                    target_day=live,
                ),
            ),
            "priorities": Priorities(value_weights={"unassigned": 1.0}, category_costs={"c1": 2.0}),
        }
    )
    random = np.random.default_rng(8)
    answers = []
    for _ in range(2):
        with derived(here, MARTS, given) as snapshot:
            answers.append({mart: sorted(map(repr, snapshot.rows(f"FROM {mart}"))) for mart in MARTS})
        given = {
            name: [rows[place] for place in random.permutation(len(rows))] for name, rows in given.items()
        }
    filled = {mart for mart in MARTS if answers[0][mart]}
    assert len(filled) >= 20
    assert {"mart.follow_ups", "mart.follow_up_rates", "mart.handling_effort", "mart.objectives"} <= filled
    assert [mart for mart in MARTS if answers[0][mart] != answers[1][mart]] == []

"""Protects the figures along the journey: hand-computed journeys, stages without answers, processes apart."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response, ticket
from ces_pipeline_tests.sql.asked import at, event, invitation
from ces_pipeline_tests.sql.snapshots import Snapshot, derived

WEEK = timedelta(days=7)
JOURNEYS = ["mart.customer_journeys"]


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    """Touchpoints of support and, with trigger event `quote_accepted`, of renewal; half-life 10 days."""
    here = registry(tmp_path, effort_half_life_days=10, journey_window_days=100)
    chat = here.surveys["after_chat"].model_copy(
        update={"process": "support", "journey_stage": "support", "trigger_event": "Chat_Closed"}
    )
    renewal = chat.model_copy(
        update={
            "id": "renewal",
            "process": "renewal",
            "journey_stage": "renewal",
            "trigger_event": "quote_accepted",
        }
    )
    return here.model_copy(update={"surveys": {"after_chat": chat, "renewal": renewal}})


def of_stage(key: str, day: Any, ease: float, process: str, **values: Any) -> dict[str, Any]:
    return response(key, day, ease=ease, **{"process": process, "journey_stage": process, **values})


def test_a_week_has_every_stage_and_one_without_answers_is_not_measured(here: Registry) -> None:
    rows = [
        of_stage("a", DAY, 100.0, "support"),
        of_stage("b", DAY, 50.0, "support", is_suspect=True),
        of_stage("c", DAY, 0.0, "onboarding"),
        of_stage("d", DAY + 2 * WEEK, 25.0, "renewal"),
        response("e", DAY, ease=None, process="support", journey_stage="support"),
    ]
    with derived(here, ["mart.journey_weekly"], {"core.responses": rows}) as snapshot:
        found = {(row["week"], row["process"]): row for row in snapshot.rows("FROM mart.journey_weekly")}
    assert len(found) == 9
    measured = {key: row["n"] for key, row in found.items() if row["is_measured"]}
    assert measured == {(DAY, "support"): 2, (DAY, "onboarding"): 1, (DAY + 2 * WEEK, "renewal"): 1}
    support = found[DAY, "support"]
    assert (support["mean_effort_0_100"], support["mean_ease_0_100"], support["n_suspect"]) == (25.0, 75.0, 1)
    assert support["ease_low_0_100"] == 0.0
    assert support["net_ease"] == 0.5
    missing = found[DAY + WEEK, "support"]
    assert (missing["n"], missing["mean_effort_0_100"], missing["net_ease"]) == (0, None, None)
    assert missing["is_suppressed"]
    assert (found[DAY, "onboarding"]["n"], found[DAY, "onboarding"]["mean_ease_0_100"]) == (1, None)


def journey_rows() -> dict[str, list[dict[str, Any]]]:
    """Ann: two tickets (one answered on the last day but 20, effort 75; one never), a renewal event that was answered
    (effort 100) and one that was not, and an answer of her own on the last day (effort 25)."""
    last = DAY + timedelta(days=50)
    return {
        "core.responses": [
            of_stage("r1", last - timedelta(days=20), 25.0, "support", ticket_id="T1"),
            of_stage(
                "r2", last - timedelta(days=10), 0.0, "renewal", survey_id="renewal", respondent_key="ann"
            ),
            of_stage("r3", last, 75.0, "support", respondent_key="ann", journey_stage="onboarding"),
            of_stage("r4", last, 75.0, "support", respondent_key="bob"),
            of_stage("r5", last - timedelta(days=100), 0.0, "support", respondent_key="bob"),
        ],
        "core.ticket_versions": [
            ticket(
                "T1", last - timedelta(days=21), requester_key="ann", solved_at=at(last - timedelta(days=21))
            ),
            ticket("T2", last, requester_key="ann", created_at=at(last)),
            ticket("T3", last, requester_key="ann", is_deleted=True),
            ticket("T4", last - timedelta(days=100), requester_key="cat"),
        ],
        "core.events": [
            event("e1", last - timedelta(days=11), event_type="quote_accepted", person_key="ann"),
            event("e2", last - timedelta(days=5), event_type="quote_accepted", person_key="ann"),
            event("e3", last, event_type="page_seen", person_key="ann"),
            event("e4", last, event_type="chat_closed", person_key="ann", ticket_id="T2"),
        ],
        "core.invitations": [
            invitation("i1", last - timedelta(days=11), survey_id="renewal", event_id="e1", person_key="ann"),
        ],
    }


def journeys(snapshot: Snapshot) -> dict[tuple[str, str], dict[str, Any]]:
    rows = snapshot.rows("FROM mart.customer_journeys")
    return {(row["person_key"], row["process"]): row for row in rows}


def test_a_journey_states_its_missing_touches_and_adds_up_effort_by_process(here: Registry) -> None:
    with derived(here, JOURNEYS, journey_rows()) as snapshot:
        found = journeys(snapshot)
    figures = (
        "touches",
        "measured_touches",
        "missing_touches",
        "responses",
        "cumulative_effort",
        "worst_stage",
    )
    assert {key: tuple(row[name] for name in figures) for key, row in found.items()} == {
        ("ann", "support"): (3, 2, 1, 2, 100.0, "support"),
        ("ann", "renewal"): (2, 1, 1, 1, 100.0, "renewal"),
        ("bob", "support"): (1, 1, 0, 1, 25.0, "support"),
    }
    # 75 two half-lives ago and 25 now; 100 one half-life ago.
    assert found["ann", "support"]["decayed_effort"] == 75 / 4 + 25
    assert found["ann", "renewal"]["decayed_effort"] == 50.0


def test_no_order_of_the_rows_changes_a_journey(here: Registry) -> None:
    rows = journey_rows()
    with derived(here, JOURNEYS, rows) as snapshot:
        first = journeys(snapshot)
    with derived(here, JOURNEYS, {name: found[::-1] for name, found in rows.items()}) as snapshot:
        assert journeys(snapshot) == first


def test_a_customer_who_never_answered_has_no_effort_and_not_zero(here: Registry) -> None:
    given = {
        "core.responses": [of_stage("r", DAY, 50.0, "support")],
        "core.ticket_versions": [ticket("T", requester_key="ann")],
    }
    with derived(here, JOURNEYS, given) as snapshot:
        row = snapshot.row("FROM mart.customer_journeys")
    assert (row["touches"], row["missing_touches"], row["responses"]) == (1, 1, 0)
    assert (row["cumulative_effort"], row["decayed_effort"], row["worst_stage"]) == (None, None, None)


def test_without_a_response_there_is_no_journey(here: Registry) -> None:
    with derived(
        here, [*JOURNEYS, "mart.journey_weekly"], {"core.ticket_versions": [ticket("T")]}
    ) as snapshot:
        assert snapshot.rows("FROM mart.customer_journeys") == []
        assert snapshot.rows("FROM mart.journey_weekly") == []

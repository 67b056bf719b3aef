"""Protects the links between responses and tickets: which method wins, and that a guess is never made."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import NOON, registry, response, small_home, ticket
from ces_pipeline_tests.sql.snapshots import derived

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return registry(tmp_path_factory.mktemp("registry"))


def link(known: Registry, answer: dict[str, Any], *tickets: dict[str, Any]) -> tuple[Any, ...] | None:
    """(ticket_key, method, confidence) of one response given these tickets; None: no row."""
    given = {"core.responses": [answer], "core.ticket_versions": tickets}
    with derived(known, ["core.response_tickets"], given) as snapshot:
        found = snapshot.rows("SELECT ticket_key, method, confidence FROM core.response_tickets")
    return tuple(found[0].values()) if found else None


def answer(**values: Any) -> dict[str, Any]:
    return response("r", recorded_at=NOON, **values)


def test_the_named_ticket_wins_over_every_other_match(known: Registry) -> None:
    named = ticket("T1", requester_key="p")
    other = ticket("T2", requester_key="p", external_key="X", solved_at=NOON - HOUR)
    assert link(known, answer(ticket_id="T1", external_id="X", respondent_key="p"), named, other) == (
        "T1",
        "ticket_id",
        1.0,
    )


def test_the_external_id_is_used_where_the_named_ticket_is_not_there(known: Registry) -> None:
    found = link(known, answer(ticket_id="gone", external_id="X"), ticket("T2", external_key="X"))
    assert found == ("T2", "external_id", 0.9)


def test_the_closest_solve_before_the_answer_is_linked_with_less_confidence_than_an_only_one(
    known: Registry,
) -> None:
    near = ticket("near", requester_key="p", solved_at=NOON - HOUR)
    far = ticket("far", requester_key="p", solved_at=NOON - 5 * HOUR)
    after = ticket("after", requester_key="p", solved_at=NOON + HOUR)
    assert link(known, answer(respondent_key="p"), near, after) == ("near", "requester_window", 0.6)
    assert link(known, answer(respondent_key="p"), near, far, after) == ("near", "requester_window", 0.3)


def test_a_ticket_without_a_solve_counts_by_its_close(known: Registry) -> None:
    closed = ticket("T", requester_key="p", closed_at=NOON - HOUR)
    assert link(known, answer(respondent_key="p"), closed) == ("T", "requester_window", 0.6)


@pytest.mark.parametrize(
    ("age", "expected"), [(timedelta(days=7), "T"), (timedelta(days=7, seconds=1), None), (timedelta(), "T")]
)
def test_the_window_is_the_surveys_own_with_both_ends_in(
    known: Registry, age: timedelta, expected: str | None
) -> None:
    found = link(known, answer(respondent_key="p"), ticket("T", requester_key="p", solved_at=NOON - age))
    assert (found and found[0]) == expected


def test_two_tickets_solved_at_the_same_closest_instant_stay_unlinked(known: Registry) -> None:
    two = [ticket(key, requester_key="p", solved_at=NOON - HOUR) for key in ("T1", "T2")]
    assert link(known, answer(respondent_key="p"), *two) == (None, "ambiguous", 0.0)


def test_an_id_that_two_ticket_systems_share_stays_unlinked(known: Registry) -> None:
    two = [ticket("T1", ticket_id="7"), ticket("T2", ticket_id="7")]
    assert link(known, answer(ticket_id="7"), *two) == (None, "ambiguous", 0.0)


def test_a_named_ticket_without_a_match_is_reported(known: Registry) -> None:
    assert link(known, answer(ticket_id="gone"), ticket("T1")) == (None, "named_not_found", 0.0)


def test_a_response_that_names_and_matches_nothing_has_no_row(known: Registry) -> None:
    assert link(known, answer(respondent_key="q"), ticket("T1", requester_key="p", solved_at=NOON)) is None


def test_the_latest_version_of_a_ticket_is_the_ticket(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    day = NOON.date() + timedelta(days=1)
    small.clean("tickets", [ticket("T1", status="open"), ticket("T2", status="open")])
    small.clean("tickets", [ticket("T1", day, status="solved")], day=day)
    small.publish()
    assert small.rows("SELECT ticket_key, status, day FROM core.tickets ORDER BY 1") == [
        ("T1", "solved", day),
        ("T2", "open", NOON.date()),
    ]


def merged(key: str, into: str | None, **values: Any) -> dict[str, Any]:
    return ticket(key, state="merged", is_deleted=True, merged_into=into, **values)


def test_an_answer_about_a_merged_ticket_follows_the_surviving_one(known: Registry) -> None:
    tickets = [merged("T1", "T2"), merged("T2", "T3"), ticket("T3")]
    assert link(known, answer(ticket_id="T1"), *tickets) == ("T3", "ticket_id", 1.0)


@pytest.mark.parametrize("into", [None, "T1", "gone"])
def test_an_answer_stays_with_a_merged_ticket_whose_survivor_is_not_known(
    known: Registry, into: str | None
) -> None:
    assert link(known, answer(ticket_id="T1"), merged("T1", into)) == ("T1", "ticket_id", 1.0)


def test_an_answer_is_not_about_a_solved_ticket_of_its_person_that_is_no_case(known: Registry) -> None:
    gone = merged("T1", None, requester_key="p", solved_at=NOON - HOUR)
    own = ticket("T2", requester_key="p", solved_at=NOON - 2 * HOUR)
    assert link(known, answer(respondent_key="p"), gone, own) == ("T2", "requester_window", 0.6)

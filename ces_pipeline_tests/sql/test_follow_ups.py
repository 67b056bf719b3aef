"""Protects the closing of the loop: every difficult answer and every follow-up counts once, whatever it names."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, NOON, registry, response, ticket
from ces_pipeline_tests.sql.snapshots import Snapshot, derived

MARTS = ["mart.follow_ups", "mart.follow_up_rates", "mart.follow_up_matches", "mart.program_metrics"]
NEXT_WEEK = DAY + timedelta(days=7)


def step(key: str, state: str, hours: float, **values: Any) -> dict[str, Any]:
    """A step of a follow-up, `hours` after noon of DAY, when the answers were recorded."""
    return {
        "follow_up_key": key,
        "source_id": "calls",
        "follow_up_id": key,
        "state": state,
        "changed_at": NOON + timedelta(hours=hours),
        "delivery_id": "d6",
        "day": (NOON + timedelta(hours=hours)).date(),
        **values,
    }


def noon(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


GIVEN: dict[str, list[dict[str, Any]]] = {
    "core.responses": [
        response("resolved_answer", ease=0.0),
        response("called", ease=25.0, ticket_id="T1"),
        response("by_link", ease=0.0),
        response("taken", ease=0.0),
        response("odd_word", ease=0.0),
        response("without", ease=0.0),
        response("twice", ease=0.0),
        response("twice_too", ease=0.0, response_id="twice"),
        response("fine", ease=100.0),
        response("later", NEXT_WEEK, ease=0.0, survey_id="after_call"),
    ],
    "core.tickets": [ticket("T1"), ticket("T2")],
    "core.response_tickets": [
        {"response_key": "by_link", "ticket_key": "T2", "method": "requester_window", "confidence": 0.6, "day": DAY}
    ],
    "core.follow_ups": [
        step("f1", "assigned", 1, response_id="resolved_answer"),
        step("f1", "contacted", 3, response_id="resolved_answer"),
        step("f1", "resolved", 24, response_id="resolved_answer"),
        # A step back, and a second follow-up, undo nothing.
        step("f1", "assigned", 30, response_id="resolved_answer"),
        step("f2", "contacted", 2, response_id="resolved_answer"),
        # What was done for the ticket before its answer is no answer to it; what follows is.
        step("f3", "assigned", -5, ticket_id="T1"),
        step("f3", "contacted", 6, ticket_id="T1"),
        step("f4", "assigned", 8, ticket_id="T2"),
        step("f5", "assigned", 4, response_id="taken"),
        step("f6", "unknown", 4, response_id="odd_word"),
        step("f7", "resolved", 4, response_id="fine"),
        step("f8", "resolved", 4, response_id="twice"),
        step("f9", "resolved", 4, response_id="never heard of"),
        step("f10", "resolved", -9, ticket_id="T1"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    # The newest answer is a week later: the time for a follow-up is over for those of DAY alone.
    return registry(tmp_path_factory.mktemp("registry"), minimum_n=3, follow_up_window_days=7)


@pytest.fixture(scope="module")
def given(here: Registry) -> Iterator[Snapshot]:
    with derived(here, MARTS, GIVEN) as snapshot:
        yield snapshot


def test_every_difficult_answer_has_its_state_and_times_by_hand(given: Snapshot) -> None:
    rows = {row["response_key"]: row for row in given.rows("FROM mart.follow_ups")}
    assert {key: (row["state"], row["follow_ups"], row["open_days"]) for key, row in rows.items()} == {
        "resolved_answer": ("resolved", 2, None),
        "called": ("contacted", 1, 7),
        "by_link": ("assigned", 1, 7),
        "taken": ("assigned", 1, 7),
        "odd_word": ("unknown", 1, 7),
        "without": ("none", 0, 7),
        "twice": ("none", 0, 7),
        "twice_too": ("none", 0, 7),
        "later": ("none", 0, 0),
    }
    resolved = rows["resolved_answer"]
    assert (resolved["assigned_at"], resolved["contacted_at"], resolved["resolved_at"]) == (
        noon(1),
        noon(2),
        noon(24),
    )
    assert (resolved["minutes_to_contact"], resolved["minutes_to_resolve"]) == (120.0, 1440.0)
    called = rows["called"]
    assert (called["assigned_at"], called["contacted_at"], called["minutes_to_contact"]) == (
        None,
        noon(6),
        360.0,
    )
    assert (rows["by_link"]["ticket_key"], rows["by_link"]["assigned_at"]) == ("T2", noon(8))


def test_a_follow_up_of_nothing_that_is_known_is_counted(given: Snapshot) -> None:
    rows = given.rows("SELECT match, follow_ups FROM mart.follow_up_matches")
    assert {row["match"]: row["follow_ups"] for row in rows} == {
        "difficult answer": 6,
        "other answer": 1,
        "ambiguous": 1,
        "unknown answer": 2,
    }


def test_the_rates_are_those_computed_by_hand(given: Snapshot) -> None:
    rows = {
        (row["period"], str(row["period_start"]), row["survey_id"]): row
        for row in given.rows("FROM mart.follow_up_rates")
    }
    assert len(rows) == 7
    week = rows["week", str(DAY), "after_chat"]
    counts = ("difficult_answers", "final_answers", "not_followed_up", "followed_up", "contacted", "resolved")
    assert [week[name] for name in counts] == [8, 8, 3, 5, 2, 1]
    for name, counted in (("followed_up", 5), ("contacted", 2), ("resolved", 1)):
        low, high = proportion_confint(counted, 8, method="wilson")
        assert week[f"{name}_share"] == counted / 8
        assert (week[f"{name}_share_low"], week[f"{name}_share_high"]) == (
            pytest.approx(low),
            pytest.approx(high),
        )
    # Two contacts are known, fewer than the minimum n.
    assert (week["median_minutes_to_contact"], week["why_null"]) == (None, None)
    everything = rows["all", str(DAY), "all surveys"]
    assert [everything[name] for name in counts] == [9, 8, 3, 5, 2, 1]
    alone = rows["week", str(NEXT_WEEK), "after_call"]
    assert [alone[name] for name in counts] == [1, 0, 0, 0, 0, 0]
    assert (alone["followed_up_share"], alone["why_null"]) == (None, "the answers may still be followed up")


def test_medians_are_shown_from_the_minimum_n_on(here: Registry) -> None:
    answers = [*(response(f"r{n}", ease=0.0) for n in range(3)), response("later", NEXT_WEEK)]
    steps = [step(f"f{n}", "contacted", hours, response_id=f"r{n}") for n, hours in enumerate((1, 2, 9))]
    with derived(here, MARTS, {"core.responses": answers, "core.follow_ups": steps}) as snapshot:
        row = snapshot.row("FROM mart.follow_up_rates WHERE period = 'all' AND survey_id = 'after_chat'")
    assert (row["median_minutes_to_contact"], row["median_minutes_to_resolve"]) == (120.0, None)


def test_the_share_is_a_metric_of_the_programme(given: Snapshot) -> None:
    row = given.row(f"FROM mart.program_metrics WHERE metric = 'followed_up_share' AND day = '{DAY}'")
    assert (row["value"], row["n"], row["counted"], row["state"]) == (5 / 8, 8, 5, "measured")


def test_without_a_source_of_follow_ups_they_are_unknown(here: Registry) -> None:
    with derived(
        here, MARTS, {"core.responses": [response(f"r{n}", ease=0.0) for n in range(4)]}
    ) as snapshot:
        assert snapshot.rows("FROM mart.follow_ups") == snapshot.rows("FROM mart.follow_up_matches") == []
        row = snapshot.row("FROM mart.follow_up_rates WHERE period = 'all' AND survey_id = 'all surveys'")
        metric = snapshot.row("FROM mart.program_metrics WHERE metric = 'followed_up_share'")
        assert snapshot.check("follow_ups_tie").passed
    assert (row["difficult_answers"], row["followed_up"], row["not_followed_up"]) == (4, None, None)
    assert row["why_null"] == metric["why_null"] == "no follow-ups are delivered"
    assert (metric["state"], metric["value"]) == ("not measurable yet", None)


def test_the_counts_tie_and_the_check_finds_where_they_do_not(given: Snapshot) -> None:
    assert given.check("follow_ups_tie").passed
    assert given.check("program_metrics_tie").passed
    for damage in (
        "DELETE FROM mart.follow_ups WHERE state = 'none'",
        "DELETE FROM mart.follow_up_matches WHERE match = 'unknown answer'",
        "UPDATE mart.follow_up_rates SET difficult_answers = 99 WHERE survey_id = 'after_call'",
        "UPDATE mart.follow_up_rates SET followed_up = 99 WHERE survey_id = 'after_call'",
    ):
        given.connection.execute("BEGIN")
        given.connection.execute(damage)
        assert not given.check("follow_ups_tie").passed, damage
        given.connection.execute("ROLLBACK")

"""Protects response rates, latencies and contact frequency: each figure is compared with a computation by hand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.asked import at, event, invitation
from ces_pipeline_tests.sql.snapshots import Snapshot, derived

FUNNEL = ["mart.response_funnel_daily", "mart.response_rates"]
LATER = DAY + timedelta(days=40)


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path, invitation_window_days=30)


def funnel(here: Registry, wanted: list[str] = FUNNEL, **given: list[dict[str, Any]]) -> Any:
    return derived(here, wanted, {f"core.{name}": rows for name, rows in given.items()})


def test_every_invitation_has_one_disposition_and_the_rates_are_those_of_aapor(here: Registry) -> None:
    invitations = [
        invitation("i1", person_key="ann"),
        invitation("i2", person_key="bob", status="completed"),
        invitation("i3", status="refused"),
        invitation("i4", status="started"),
        invitation("i5", status="bounced"),
        invitation("i6", status="opened"),
        invitation("i7", status="completed"),
        invitation("i8", status="failed"),
        invitation("i9", status="unknown"),
        invitation("i10", status="out_of_scope"),
        invitation("i11", survey_id=None),
    ]
    responses = [
        response("r1", respondent_key="ann"),
        response("r2", respondent_key="bob", flags=["partial"], is_suspect=True),
        response("r3", respondent_key="not invited"),
        response("r4", LATER, respondent_key="cat"),
    ]
    with funnel(here, invitations=invitations, responses=responses) as snapshot:
        row = snapshot.row(f"FROM mart.response_funnel_daily WHERE day = '{DAY}'")
        later = snapshot.row(f"FROM mart.response_funnel_daily WHERE day = '{LATER}'")
        (survey, _) = snapshot.rows("FROM mart.response_rates ORDER BY basis")
    counts = ("invited", "completes", "partials", "refusals", "non_contacts", "others", "unknown_eligibility")
    assert [row[name] for name in counts] == [9, 1, 1, 2, 2, 2, 1]
    assert (row["basis"], row["out_of_scope"], row["uninvited_responses"], row["is_final"]) == (
        "invitations",
        1,
        1,
        True,
    )
    assert (row["response_rate_1"], row["response_rate_2"]) == (1 / 9, 2 / 9)
    assert (row["response_rate_1_low"], row["response_rate_1_high"]) == pytest.approx(
        proportion_confint(1, 9, method="wilson")
    )
    assert (row["response_rate_2_low"], row["response_rate_2_high"]) == pytest.approx(
        proportion_confint(2, 9, method="wilson")
    )
    assert (row["completed_views_share"], row["why_null"]) == (None, None)
    assert (later["basis"], later["response_rate_1"], later["why_null"]) == (
        "none",
        None,
        "neither invitations nor views are delivered",
    )
    assert (survey["basis"], survey["rate"], survey["n"], survey["days_silent"]) == (
        "invitations",
        1 / 9,
        9,
        40,
    )


def test_views_give_a_completed_share_that_is_called_no_response_rate(here: Registry) -> None:
    events = [
        event("e1", event_type="survey_views", survey_id="after_chat", value=3.0),
        event("e2", event_type="survey_views", survey_id="after_chat"),
        event("e3", LATER, event_type="survey_views", survey_id="after_chat", value=2.0),
    ]
    responses = [response("r1"), *(response(f"l{n}", LATER) for n in range(3))]
    with funnel(here, events=events, responses=responses) as snapshot:
        first, second = snapshot.rows("FROM mart.response_funnel_daily ORDER BY day")
    assert (first["basis"], first["views"], first["completed_views_share"]) == ("views", 4, 0.25)
    assert (first["response_rate_1"], first["why_null"]) == (None, None)
    assert (second["completed_views_share"], second["why_null"]) == (None, "more responses than views")


def test_an_unfinished_answer_to_a_survey_of_one_question_is_a_complete(here: Registry) -> None:
    invitations = [invitation(f"i{n}", response_id=f"r{n}") for n in range(4)]
    responses = [
        response("r0"),
        response("r1", flags=["partial"], is_suspect=True),
        response("late", LATER),
    ]
    found = {}
    for questions in (None, 1, 2):
        survey = here.surveys["after_chat"].model_copy(update={"questions": questions})
        asked = here.model_copy(update={"surveys": {"after_chat": survey}})
        with funnel(asked, invitations=invitations, responses=responses) as snapshot:
            row = snapshot.row(f"FROM mart.response_funnel_daily WHERE day = '{DAY}'")
        found[questions] = (row["completes"], row["partials"], row["response_rate_1"], row["response_rate_2"])
    assert found == {None: (1, 1, 0.25, 0.5), 1: (2, 0, 0.5, 0.5), 2: (1, 1, 0.25, 0.5)}


def test_below_the_minimum_n_there_is_no_rate_and_open_days_count_in_none(here: Registry) -> None:
    invitations = [invitation("i1"), *(invitation(f"l{n}", LATER) for n in range(3))]
    responses = [response("r1", LATER)]
    with funnel(here, invitations=invitations, responses=responses) as snapshot:
        first, second = snapshot.rows("FROM mart.response_funnel_daily ORDER BY day")
        survey = snapshot.row("FROM mart.response_rates")
    assert (first["response_rate_1"], first["why_null"]) == (None, "fewer than the minimum n")
    assert (second["response_rate_1"], second["is_final"], second["why_null"]) == (
        None,
        False,
        "the invitations of the day may still be answered",
    )
    assert (survey["n"], survey["rate"], survey["why_null"]) == (
        1,
        None,
        "fewer than the minimum n",
    )


def test_an_empty_home_gives_the_reason_for_every_survey(here: Registry) -> None:
    with funnel(here) as snapshot:
        row = snapshot.row("FROM mart.response_rates")
        assert snapshot.rows("FROM mart.response_funnel_daily") == []
    assert (row["survey_id"], row["rate"], row["why_null"]) == (
        "after_chat",
        None,
        "no response, invitation or view was delivered",
    )


def links(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    rows = snapshot.rows("FROM core.response_invitations")
    return {row["response_key"]: (row["invitation_key"], row["method"]) for row in rows}


def test_an_answer_takes_the_last_invitation_before_it_and_an_invitation_one_answer(here: Registry) -> None:
    invitations = [
        invitation("named", response_id="r1"),
        invitation("ticket", ticket_id="T1"),
        invitation("old", person_key="ann", sent_at=at(DAY, 8)),
        invitation("new", person_key="ann", sent_at=at(DAY, 9)),
        invitation("stale", DAY - timedelta(days=31), person_key="dan"),
        invitation("other", person_key="eve", ticket_id="T9"),
        invitation("void", person_key="flo", status="out_of_scope"),
    ]
    responses = [
        response("r1", recorded_at=at(DAY, 7)),
        response("r2", ticket_id="T1"),
        response("r3", respondent_key="ann"),
        response("r4", respondent_key="ann", recorded_at=at(DAY, 13)),
        response("r5", respondent_key="dan"),
        response("r6", respondent_key="eve", ticket_id="T8"),
        response("r7", respondent_key="flo"),
        response("r8", respondent_key="ann", recorded_at=at(DAY, 8, 30)),
    ]
    with funnel(
        here, ["core.response_invitations"], invitations=invitations, responses=responses
    ) as snapshot:
        found = links(snapshot)
    assert found == {
        "r1": ("named", "response_id"),
        "r2": ("ticket", "ticket_id"),
        "r3": ("new", "person_window"),
        "r8": ("old", "person_window"),
    }


def test_percentiles_are_exact_and_negative_times_are_data_errors(here: Registry) -> None:
    invitations = [
        invitation(f"i{n}", event_id=f"e{n}", response_id=f"r{n}", sent_at=at(DAY, 10, n))
        for n in range(1, 11)
    ]
    invitations.append(invitation("i11", event_id="e11", sent_at=at(DAY, 8)))
    events = [event(f"e{n}", occurred_at=at(DAY, 10)) for n in range(1, 12)]
    responses = [response(f"r{n}", recorded_at=at(DAY, 10, 30)) for n in range(1, 11)]
    given = {
        "core.invitations": invitations,
        "core.events": events,
        "core.responses": responses,
        "audit.deliveries": [
            {
                "delivery_id": "d1",
                "source_id": "web",
                "kind": "survey",
                "file_name": "a",
                "size_bytes": 1,
                "received_at": at(DAY, 11),
                "rows_read": 10,
                "rows_landed": 10,
                "rows_redelivered": 0,
                "rows_unreadable": 0,
            }
        ],
        "audit.check_results": [
            verdict("failed", at(DAY, 11, 5), passed=False),
            verdict("first", at(DAY, 11, 20)),
            verdict("second", at(DAY, 12)),
        ],
        "audit.publication": [{"run_id": "third", "published_at": at(DAY, 13), "inputs": "", "layout": ""}],
    }
    with derived(here, ["mart.response_latency_daily"], given) as snapshot:
        rows = {row["step"]: row for row in snapshot.rows("FROM mart.response_latency_daily")}
    figures = ("n", "negative_count", "p50_minutes", "p90_minutes", "p95_minutes", "longest_minutes")
    assert {step: tuple(row[name] for name in figures) for step, row in rows.items()} == {
        "event_to_invitation": (10, 1, 5.0, 9.0, 10.0, 10.0),
        "invitation_to_response": (10, 0, 24.0, 28.0, 29.0, 29.0),
        "response_to_landed": (10, 0, 30.0, 30.0, 30.0, 30.0),
        "landed_to_published": (10, 0, 20.0, 20.0, 20.0, 20.0),
        "response_to_published": (10, 0, 50.0, 50.0, 50.0, 50.0),
    }


def verdict(run_id: str, checked_at: Any, *, passed: bool = True) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "check_name": "books_balance",
        "is_blocking": True,
        "passed": passed,
        "failures": 0 if passed else 1,
        "checked_at": checked_at,
    }


def test_events_without_an_invitation_and_with_several_are_counted(tmp_path: Path) -> None:
    here = registry(tmp_path)
    chat = here.surveys["after_chat"].model_copy(update={"trigger_event": "Chat_Closed"})
    here = here.model_copy(update={"surveys": {"after_chat": chat}})
    # The time for an invitation is over two days later.
    newest = DAY + timedelta(days=2)
    events = [
        *(event(f"e{n}") for n in range(4)),
        event("other", event_type="page_seen"),
        *(event(f"new{n}", newest) for n in range(4)),
    ]
    invitations = [
        invitation("i0", event_id="e0", response_id="r"),
        invitation("i1", event_id="e1", status="out_of_scope"),
        invitation("i2", event_id="e1"),
    ]
    with funnel(
        here,
        ["mart.event_coverage_daily"],
        events=events,
        invitations=invitations,
        responses=[response("r")],
    ) as snapshot:
        row = snapshot.row(f"FROM mart.event_coverage_daily WHERE day = '{DAY}'")
        young = snapshot.row(f"FROM mart.event_coverage_daily WHERE day = '{newest}'")
    counts = ("event_type", "events", "with_invitation", "with_several_invitations", "with_response")
    assert [row[name] for name in counts] == ["chat_closed", 4, 2, 1, 1]
    assert (row["invited_share"], row["invited_share_low"]) == (
        0.5,
        pytest.approx(proportion_confint(2, 4, method="wilson")[0]),
    )
    assert (row["is_final"], row["why_null"]) == (True, None)
    assert (young["events"], young["invited_share"], young["is_final"], young["why_null"]) == (
        4,
        None,
        False,
        "the invitations to the events of the day may still come",
    )


def days(*numbers: int) -> list[date]:
    return [DAY + timedelta(days=number) for number in numbers]


def test_only_over_contacted_customers_are_found_across_sources(tmp_path: Path) -> None:
    here = registry(tmp_path, contact_limit=2, contact_window_days=7)
    invitations = [
        *(invitation(f"a{n}", day, person_key="ann", source_id=f"s{n}") for n, day in enumerate(days(0, 3))),
        *(invitation(f"b{n}", day, person_key="bob") for n, day in enumerate(days(0, 7, 14))),
        *(
            invitation(f"c{n}", day, person_key="cat", status="bounced")
            for n, day in enumerate(days(0, 1, 2))
        ),
        invitation("unknown person"),
    ]
    # Ann answers the first; her unasked answer on day 6 is a third contact within seven days.
    responses = [
        response("r1", days(1)[0], respondent_key="ann", response_id="x"),
        response("r2", days(6)[0], respondent_key="ann", survey_id="after_call"),
        # The time to answer is over for the invitations of the first days, and not for the last two.
        response("r3", days(36)[0], respondent_key="zoe", survey_id="after_call"),
    ]
    wanted = ["mart.contact_frequency", "mart.over_contacted_customers"]
    with funnel(here, wanted, invitations=invitations, responses=responses) as snapshot:
        over = snapshot.row("FROM mart.over_contacted_customers")
        places = snapshot.rows("FROM mart.contact_frequency ORDER BY place NULLS LAST")
    assert over == {
        "person_key": "ann",
        "contacts": 3,
        "touchpoints": 2,
        "most_in_window": 3,
        "contacts_over_limit": 1,
        "first_over_day": days(6)[0],
        "last_over_day": days(6)[0],
    }
    latencies = [
        tuple(
            row[name]
            for name in (
                "place",
                "is_over_limit",
                "contacts",
                "invitations",
                "final_invitations",
                "answered",
            )
        )
        for row in places
    ]
    assert latencies == [
        (1, False, 5, 4, 2, 1),
        (2, False, 1, 1, 1, 0),
        (3, True, 1, 0, 0, 0),
        (None, False, 1, 1, 1, 0),
    ]
    assert [row["answered_share"] for row in places] == [0.5, None, None, None]


def test_open_invitations_do_not_lower_the_answered_share(here: Registry) -> None:
    asked = [
        *(invitation(f"old{n}", person_key=f"o{n}", response_id=f"r{n}") for n in range(10)),
        *(invitation(f"new{n}", LATER, person_key=f"n{n}") for n in range(10)),
    ]
    answers = [*(response(f"r{n}", respondent_key=f"o{n}") for n in range(4)), response("late", LATER)]
    with funnel(here, ["mart.contact_frequency"], invitations=asked, responses=answers) as snapshot:
        row = snapshot.row("FROM mart.contact_frequency WHERE place = 1")
    assert (row["invitations"], row["final_invitations"], row["answered_share"]) == (20, 10, 0.4)


def test_a_survey_without_answers_and_a_silent_survey_are_reported(tmp_path: Path) -> None:
    here = registry(tmp_path, silent_touchpoint_days=5)
    other = here.surveys["after_chat"].model_copy(update={"id": "after_call"})
    here = here.model_copy(update={"surveys": {**here.surveys, "after_call": other}})
    views = event("e1", days(9)[0], event_type="survey_views", survey_id="after_chat", value=40.0)
    responses = [response("r1"), response("r2", days(9)[0], survey_id="after_call")]
    with funnel(here, events=[views], responses=responses) as snapshot:
        shown, silent = (
            snapshot.check(name) for name in ("prompts_without_answers", "touchpoint_fell_silent")
        )
    assert shown.detail is not None
    assert shown.detail.startswith("survey_id after_chat, prompts 40. ")
    assert silent.detail is not None
    assert silent.detail.startswith("survey_id after_chat, last_response_day 2026-03-02. ")
    with funnel(
        here, responses=[response("r1"), response("r2", days(4)[0], survey_id="after_call")]
    ) as snapshot:
        assert snapshot.check("touchpoint_fell_silent").passed
        assert snapshot.check("prompts_without_answers").passed

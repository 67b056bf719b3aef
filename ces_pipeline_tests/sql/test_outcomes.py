"""Protects the outcomes: measured with an interval or said to be not measurable yet and why, never promised."""

import math
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response, ticket
from ces_pipeline_tests.sql.asked import at, version
from ces_pipeline_tests.sql.snapshots import derived

MART = "mart.outcomes"


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path, outcome_window_days=28, minimum_n=8)


def outcomes(here: Registry, given: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    with derived(here, [MART], given) as snapshot:
        return {row["outcome"]: row for row in snapshot.rows(f"FROM {MART}")}


def on(week: int) -> date:
    return DAY + timedelta(days=7 * week)


def history(weeks: int = 9) -> dict[str, list[dict[str, Any]]]:
    """Weekly: two answers by web, effort 40 then 30; tickets of ten customers, ten then eight, 100 then 70 minutes."""
    responses, tickets = [], []
    for week in range(weeks):
        is_new = week >= weeks - 4
        wobble = (1.02, 1 / 1.02)[week % 2]
        for number in range(2):
            responses.append(
                response(
                    f"r{week}.{number}",
                    on(week),
                    ease=round(100 - (30 if is_new else 40) * wobble, 6),
                    channel="web",
                )
            )
        for number in range(8 if is_new else 10):
            minutes = (70 if is_new else 100) * wobble - 1
            tickets.append(
                ticket(f"t{week}.{number}", requester_key=f"p{number}", category="c", created_at=at(on(week)),
                       solved_at=at(on(week), 14), resolution_minutes=minutes)
            )  # fmt: skip
        responses += [
            response(f"seen{week}.{number}", on(week), ease=None, respondent_key=f"p{number}")
            for number in range(10)
        ]
    # The data end with full weeks.
    end = on(weeks) - timedelta(days=1)
    responses.append(response("end", end, ease=60.0 if weeks < 9 else 70.0, channel="web"))
    tickets.append(
        ticket(
            "end",
            requester_key="p0",
            category="c",
            created_at=at(end),
            solved_at=at(end, 13),
            resolution_minutes=69.0,
        )
    )
    return {"core.responses": responses, "core.tickets": tickets}


def test_measured_outcomes_are_those_computed_by_hand(here: Registry) -> None:
    found = outcomes(here, history())
    effort = found["less effort"]
    assert (effort["state"], effort["why"]) == ("measured", None)
    # Four answers of 40 and as many of 30 by the wobble; the last week has one more of 30.
    assert effort["measured_share"] == pytest.approx(0.25, abs=0.01)
    assert effort["measured_low_share"] < 0.25 < effort["measured_high_share"]
    for measured in found.values():
        if measured["state"] == "measured":
            assert measured["measured_ratio"] == pytest.approx(1 - measured["measured_share"])
            assert measured["measured_ratio_low"] == pytest.approx(1 - measured["measured_high_share"])
    assert (effort["n_before"], effort["n_after"]) == (8, 9)
    assert (effort["claimed_low_share"], effort["claimed_high_share"]) == (0.2, 0.4)
    resolution = found["faster resolution"]
    # The medians lie on the wobble: 2 % on each side.
    assert resolution["measured_share"] == pytest.approx(0.3, abs=0.03)
    fewer = found["fewer tickets"]
    assert (fewer["n_before"], fewer["n_after"]) == (40, 33)
    assert fewer["measured_share"] > 0.1
    assert (found["better retention"]["state"], found["better retention"]["measured_share"]) == (
        "not measurable yet",
        None,
    )


def test_thin_data_are_not_measurable_yet_and_say_why(here: Registry) -> None:
    found = outcomes(here, {})
    assert {row["state"] for row in found.values()} == {"not measurable yet"}
    assert {name: row["why"] for name, row in found.items()} == {
        "less effort": "no scored answers",
        "better retention": "no accounts feed says which customers there are",
        "fewer tickets": "no tickets",
        "faster resolution": "no resolved tickets with an opening and a resolution time",
    }
    short = outcomes(here, history(5))
    assert short["less effort"]["why"] == "the data cover 35 days: two windows take 56"
    assert {row["measured_share"] for row in short.values()} == {None}


def test_retention_needs_accounts_that_end(here: Registry) -> None:
    def accounts(left_early: int, left_late: int) -> list[dict[str, Any]]:
        ends = dict.fromkeys(range(left_early), 10) | {100 + n: 90 for n in range(left_late)}
        return [
            {
                **{
                    key: value
                    for key, value in version(f"p{n}", at(DAY)).items()
                    if key in ("person_key", "source_id", "valid_from")
                },
                "from_day": date(1, 1, 1),
                "until_day": DAY + timedelta(days=ends[n]) if n in ends else None,
            }
            for n in range(200)
        ]

    kept = outcomes(here, {"core.accounts": accounts(0, 0), **history()})["better retention"]
    assert kept["why"] == "no account of the feed ever ended: who left is not known"
    row = outcomes(here, {"core.accounts": accounts(40, 8)})["better retention"]
    # 160 of 200 in the first window, 152 of 160 in the last: 0.95 / 0.8.
    assert (row["n_before"], row["n_after"]) == (200, 160)
    assert row["measured_share"] == pytest.approx(0.95 / 0.8 - 1)
    half = 1.959963985 * (1 / 160 - 1 / 200 + 1 / 152 - 1 / 160) ** 0.5
    assert row["measured_low_share"] == pytest.approx(0.95 / 0.8 * 2.718281828459045**-half - 1)


def steady(factor: float = 1.0, days: int = 196) -> list[dict[str, Any]]:
    """Eight tickets a day opened since DAY, median five days to resolution; the second half takes `factor` times it.

    The times are a lognormal distribution at evenly spread places. Tickets that would be resolved later are open.
    """
    first, end = at(DAY, 0), at(DAY + timedelta(days=days), 0)
    rows = []
    for number in range(8 * days):
        opened = first + timedelta(hours=3 * number)
        place = min(max((number + 0.5) * 0.6180339887498949 % 1, 0.0005), 0.9995)
        wait = timedelta(days=5 * math.exp(1.2 * NormalDist().inv_cdf(place)))
        solved = opened + wait * (factor if number >= 4 * days else 1)
        done = (
            {"solved_at": solved, "resolution_minutes": (solved - opened) / timedelta(minutes=1)}
            if solved < end
            else {}
        )
        rows.append(ticket(f"t{number}", opened.date(), category="c", created_at=opened, **done))
    return rows


def test_an_export_that_begins_with_new_tickets_is_no_slower_resolution(tmp_path: Path) -> None:
    here = registry(tmp_path, outcome_window_days=84)
    found = outcomes(here, {"core.tickets": steady()})["faster resolution"]
    assert found["state"] == "measured"
    assert found["measured_share"] == pytest.approx(0, abs=0.02)
    assert found["measured_low_share"] < 0 < found["measured_high_share"]


def test_four_times_as_long_is_a_ratio_and_no_share(tmp_path: Path) -> None:
    here = registry(tmp_path, outcome_window_days=84)
    found = outcomes(here, {"core.tickets": steady(factor=4)})["faster resolution"]
    assert found["state"] == "measured"
    assert found["measured_ratio"] == pytest.approx(4, rel=0.05)
    assert found["measured_ratio_low"] < 4 < found["measured_ratio_high"]
    assert (found["measured_share"], found["measured_low_share"], found["measured_high_share"]) == (None,) * 3


def test_half_of_the_newest_tickets_must_be_resolved(tmp_path: Path) -> None:
    here = registry(tmp_path, outcome_window_days=84)
    found = outcomes(here, {"core.tickets": steady(factor=100)})["faster resolution"]
    assert (found["state"], found["why"]) == (
        "not measurable yet",
        "half of the tickets of a window are not resolved yet, or all times are equal",
    )


def test_the_mix_of_categories_is_no_change_of_resolution(tmp_path: Path) -> None:
    # Slow tickets become half instead of a tenth; no ticket takes longer than its like did.
    here = registry(tmp_path, outcome_window_days=28, minimum_n=8)
    tickets = []
    for day in range(60):
        for number in range(10):
            opened = at(DAY + timedelta(days=day), 0)
            is_slow = number < (1 if day < 30 else 5)
            minutes = (600 if is_slow else 60) * (1 + 0.01 * number + 0.01 * (7 * day % 11))
            solved = opened + timedelta(minutes=minutes)
            tickets.append(
                ticket(f"t{day}.{number}", opened.date(), category="slow" if is_slow else "fast",
                       created_at=opened, solved_at=solved, resolution_minutes=float(minutes))
            )  # fmt: skip
    found = outcomes(here, {"core.tickets": tickets})["faster resolution"]
    assert found["measured_share"] == pytest.approx(0, abs=0.03)


def test_retention_begins_with_what_the_feeds_cover(here: Registry) -> None:
    def account(person: str, since: date, until: date | None = None) -> dict[str, Any]:
        return {
            "person_key": person,
            "source_id": "crm",
            "valid_from": at(since),
            "from_day": date(1, 1, 1),
            "until_day": until,
        }

    old = account("ann", date(2012, 3, 1))
    ended = [
        account(f"e{n}", DAY, DAY + timedelta(days=10 + 4 * n) if n % 5 == 0 else None) for n in range(100)
    ]
    answers = [response(f"r{n}", DAY + timedelta(days=n)) for n in range(120)]
    delivery = {"source_id": "crm", "delivery_id": "d", "kind": "accounts", "received_at": at(on(20))}
    given = {"core.responses": answers, "core.accounts": [old, *ended], "audit.deliveries": [delivery]}
    found = outcomes(here, given)["better retention"]
    # The feed names accounts that ended before it was first delivered: it can show who left from then on.
    assert (found["state"], found["first_day"]) == ("measured", DAY + timedelta(days=9))
    # An extract of today's accounts cannot show who left before its first delivery.
    kept = [account(f"k{n}", DAY) for n in range(100)]
    early = {**delivery, "received_at": at(on(2))}
    for left, first_day in ((None, on(2)), (on(8), on(2))):
        current = [old, *kept, account("gone", DAY, left)]
        found = outcomes(here, {**given, "core.accounts": current, "audit.deliveries": [early]})[
            "better retention"
        ]
        assert found["first_day"] == first_day


def test_a_survey_with_a_changed_wording_is_not_compared_with_itself(here: Registry) -> None:
    survey = here.surveys["after_chat"].model_copy(
        update={"wording_changes": {"2": on(4)}, "wording_version": "2"}
    )
    reworded = here.model_copy(update={"surveys": {"after_chat": survey}})
    assert (
        outcomes(reworded, history())["less effort"]["why"]
        == "0 in the first window: fewer than the minimum n"
    )

"""Protects the ticket marts: hand-computed minutes, shares and indices, and that what is not known stays so."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from ces_pipeline.registry import Registry
from ces_pipeline.registry.settings import OpenHours
from ces_pipeline_tests.lake_days import DAY, NOON, registry, response, ticket
from ces_pipeline_tests.sql.asked import at
from ces_pipeline_tests.sql.by_hand import mean_interval
from ces_pipeline_tests.sql.snapshots import derived

EFFORT = "mart.ticket_effort"


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path)


def link(
    response_key: str, ticket_key: str | None, method: str = "ticket_id", day: date = DAY
) -> dict[str, Any]:
    return {
        "response_key": response_key,
        "ticket_key": ticket_key,
        "method": method,
        "confidence": 0.0 if ticket_key is None else 1.0,
        "day": day,
    }


def effort_of(here: Registry, tickets: list[dict[str, Any]], **given: Any) -> list[dict[str, Any]]:
    with derived(
        here, [EFFORT], {"core.tickets": tickets, **{f"core.{k}": v for k, v in given.items()}}
    ) as snapshot:
        return snapshot.rows(f"FROM {EFFORT} ORDER BY ticket_key")


@pytest.mark.parametrize(
    ("zone", "holidays", "opened", "solved", "business_minutes"),
    [
        # Friday 16:00 to Monday 10:00 in Berlin, over the night in which summer time begins: one hour and one hour.
        ("Europe/Berlin", [], "2026-03-27T15:00", "2026-03-30T08:00", 120),
        ("Europe/Berlin", ["2026-03-30"], "2026-03-27T15:00", "2026-03-30T08:00", 60),
        ("UTC", [], "2026-03-02T12:07", "2026-03-02T12:49", 42),
        ("UTC", [], "2026-03-02T20:00", "2026-03-03T07:00", 0),
        ("UTC", [], "2026-03-02T08:59", "2026-03-02T17:01", 480),
        ("UTC", [], "2026-02-23T00:00", "2026-03-02T00:00", 5 * 480),
        # Half an hour off the quarter hours of UTC days: 09:00 there is 03:30 UTC.
        ("Asia/Kolkata", [], "2026-03-02T03:20", "2026-03-02T03:40", 10),
    ],
)  # fmt: skip
def test_business_minutes_are_those_of_the_business_zones_working_hours(
    tmp_path: Path, zone: str, holidays: list[str], opened: str, solved: str, business_minutes: float
) -> None:
    here = registry(tmp_path, business_time_zone=zone, holidays=holidays)
    times = [datetime.fromisoformat(f"{text}+00:00") for text in (opened, solved)]
    (row,) = effort_of(here, [ticket("t", created_at=times[0], solved_at=times[1])])
    assert row["resolution_business_minutes"] == pytest.approx(business_minutes, abs=1e-6)


def test_equal_business_times_are_equal_numbers(tmp_path: Path) -> None:
    # Opened shortly before 17:00 and solved the next morning: 100 minutes and 7 seconds of business hours each.
    tickets = []
    for number in range(200):
        past = timedelta(seconds=7 * number + 1)
        opened = at(DAY, 16) + past
        solved = at(DAY + timedelta(days=1), 9, 40) + timedelta(seconds=7) + past
        tickets.append(ticket(f"t{number}", created_at=opened, solved_at=solved, first_reply_at=solved))
    with derived(registry(tmp_path), ["mart.ticket_effort"], {"core.tickets": tickets}) as snapshot:
        found = snapshot.rows(
            "SELECT DISTINCT resolution_business_minutes, first_reply_business_minutes FROM mart.ticket_effort"
        )
    assert [tuple(row.values()) for row in found] == [(100 + 7 / 60, 100 + 7 / 60)]


def test_round_the_clock_business_minutes_are_calendar_minutes(tmp_path: Path) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    here = registry(tmp_path, business_hours={day: {"opens": "00:00", "closes": "24:00"} for day in days})
    times = NOON + timedelta(seconds=17), NOON + timedelta(days=9, seconds=1)
    (row,) = effort_of(here, [ticket("t", created_at=times[0], first_reply_at=times[1])])
    assert row["first_reply_business_minutes"] == pytest.approx((times[1] - times[0]).total_seconds() / 60)
    assert row["resolution_business_minutes"] is None


def test_a_ticket_has_its_facts_and_missing_ones_are_null(here: Registry) -> None:
    facts = {
        "category": "billing",
        "channel": "email",
        "requester_key": "ann",
        "created_at": NOON,
        "solved_at": NOON + timedelta(hours=1),
        "resolution_minutes": 60.0,
        "reopens": 0,
        "handoffs": 2,
        "replies": 1,
    }
    silent = ticket("s", updated_at=NOON)
    versions = [
        ticket("a", channel="email", updated_at=NOON),
        ticket("a", channel="phone", updated_at=NOON + timedelta(hours=1)),
    ]
    answers = [response("r1", ease=100.0), response("r2", ease=25.0), response("r3", ease=None)]
    links = [link(key, "a") for key in ("r1", "r2", "r3")]
    a, s = effort_of(
        here,
        [ticket("a", **facts), silent],
        responses=answers,
        response_tickets=links,
        ticket_versions=versions,
    )
    assert (a["touches"], a["is_one_touch"], a["channel_switches"], a["is_repeat_contact"]) == (
        3,
        True,
        1,
        False,
    )
    assert (a["created_day"], a["resolved_day"], a["is_survey_eligible"]) == (DAY, DAY, True)
    assert (a["linked_responses"], a["linked_scores"]) == (3, 2)
    assert (a["linked_ease_0_100"], a["linked_effort_0_100"]) == (62.5, 37.5)
    assert (s["category"], s["priority"], s["group_name"]) == ("unknown", "unknown", "unknown")
    unknown = (
        "touches",
        "is_one_touch",
        "channel_switches",
        "is_repeat_contact",
        "created_day",
        "resolved_day",
    )
    assert [s[name] for name in unknown] == [None] * 6
    assert (s["is_survey_eligible"], s["linked_responses"], s["linked_effort_0_100"]) == (False, 0, None)


def test_a_second_ticket_about_the_same_within_the_days_is_a_repeat_contact(tmp_path: Path) -> None:
    here = registry(tmp_path, repeat_contact_days=2)

    def opened(
        key: str, days: float, requester: str = "ann", category: str = "billing", **values: Any
    ) -> Any:
        at = NOON + timedelta(days=days)
        return ticket(key, created_at=at, requester_key=requester, category=category, **values)

    rows = effort_of(
        here,
        [
            opened("a", 0),
            opened("b", 2),
            opened("c", 4.5),
            opened("d", 0.5, category="login"),
            opened("e", 0.5, requester="bob"),
            opened("f", 4.2, is_deleted=True),
        ],
    )
    assert {row["ticket_key"]: row["is_repeat_contact"] for row in rows} == {
        "a": False, "b": True, "c": False, "d": False, "e": False, "f": None,
    }  # fmt: skip


def test_an_exception_from_surveys_moves_only_the_share_of_tickets(tmp_path: Path) -> None:
    solved = {"created_at": NOON, "solved_at": NOON + timedelta(hours=1)}
    tickets = [
        *(ticket(f"t{n}", category="billing", **solved) for n in range(4)),
        *(ticket(f"s{n}", category="spam", **solved) for n in range(4)),
        ticket("open", created_at=NOON),
        ticket("gone", is_deleted=True, **solved),
    ]
    # The link window of the survey is seven days.
    answers = [*(response(f"r{n}") for n in range(5)), response("later", DAY + timedelta(days=7))]
    links = [
        link("r0", "t0"),
        link("r1", "t1", "requester_window"),
        link("r2", None, "ambiguous"),
        link("r3", None, "named_not_found"),
    ]
    given = {"core.tickets": tickets, "core.responses": answers, "core.response_tickets": links}
    shown = {}
    for name, excepted in (("all", {}), ("some", {"category": ["spam"]})):
        here = registry(tmp_path / name, survey_ineligible=excepted)
        with derived(here, ["mart.link_coverage_daily"], given) as snapshot:
            shown[name] = snapshot.row(f"FROM mart.link_coverage_daily WHERE day = '{DAY}'")
            assert snapshot.check("links_add_up").passed
            snapshot.connection.execute("UPDATE mart.link_coverage_daily SET without_ticket = 0")
            assert not snapshot.check("links_add_up").passed
    assert (shown["all"]["resolved_tickets"], shown["all"]["eligible_tickets"]) == (8, 8)
    assert (shown["all"]["answered_tickets"], shown["all"]["answered_share"]) == (2, 0.25)
    assert (shown["some"]["eligible_tickets"], shown["some"]["answered_share"]) == (4, 0.5)
    linked = ("responses", "linked_by_ticket_id", "linked_by_external_id", "linked_by_requester_window",
              "ambiguous", "named_not_found", "without_ticket", "linked_share")  # fmt: skip
    assert [shown["all"][name] for name in linked] == [5, 1, 0, 1, 1, 1, 1, 0.4]
    assert [shown["some"][name] for name in linked] == [5, 1, 0, 1, 1, 1, 1, 0.4]


def test_tickets_that_may_still_be_answered_have_no_share(tmp_path: Path) -> None:
    def solved(day: date) -> dict[str, Any]:
        return {"created_at": at(day), "solved_at": at(day, 13)}

    ripe, young = DAY, DAY + timedelta(days=1)
    tickets = [ticket(f"t{day}.{n}", day, **solved(day)) for day in (ripe, young) for n in range(4)]
    answers = [response("r0", ripe), response("newest", DAY + timedelta(days=7))]
    given = {
        "core.tickets": tickets,
        "core.responses": answers,
        "core.response_tickets": [link("r0", f"t{ripe}.0")],
    }
    with derived(registry(tmp_path), ["mart.link_coverage_daily"], given) as snapshot:
        rows = snapshot.rows(
            "SELECT is_final, answered_share, answered_why_null FROM mart.link_coverage_daily "
            "WHERE eligible_tickets > 0 ORDER BY day"
        )
    assert [tuple(row.values()) for row in rows] == [
        (True, 0.25, None),
        (False, None, "the tickets of the day may still be answered"),
    ]


def test_a_day_with_nothing_linked_adds_up_too(here: Registry) -> None:
    solved = ticket("t", created_at=NOON, solved_at=NOON + timedelta(days=1))
    with derived(
        here, ["mart.link_coverage_daily"], {"core.tickets": [solved], "core.responses": [response("r")]}
    ) as snapshot:
        answers, tickets = snapshot.rows("FROM mart.link_coverage_daily ORDER BY day")
        assert snapshot.check("links_add_up").passed
    assert (answers["responses"], answers["without_ticket"], answers["resolved_tickets"]) == (1, 1, 0)
    assert (tickets["responses"], tickets["without_ticket"], tickets["resolved_tickets"]) == (0, 0, 1)


def test_a_system_that_tells_only_how_long_the_reply_took_has_business_minutes_too(here: Registry) -> None:
    (row,) = effort_of(here, [ticket("t", created_at=NOON, first_reply_minutes=6 * 60.0)])
    assert row["first_reply_business_minutes"] == pytest.approx(5 * 60)


def test_a_category_tells_how_long_how_often_again_and_how_hard(here: Registry) -> None:
    minutes, eases = [30.0, 60.0, 600.0], [100.0, 0.0, 0.0]
    tickets = [
        ticket(
            f"t{n}", category="billing", created_at=NOON, solved_at=NOON + timedelta(minutes=took),
            resolution_minutes=took, reopens=int(n == 2), replies=n,
        )
        for n, took in enumerate(minutes)
    ]  # fmt: skip
    tickets += [ticket("none", created_at=NOON, closed_at=NOON + timedelta(weeks=1))]
    answers = [response(f"r{n}", ease=ease) for n, ease in enumerate(eases)]
    given = {
        "core.tickets": tickets,
        "core.responses": answers,
        "core.response_tickets": [link(f"r{n}", f"t{n}") for n in range(3)],
    }
    with derived(
        here,
        ["mart.category_effort", "mart.handling_effort", "mart.effort_index", "mart.link_coverage_daily"],
        given,
    ) as snapshot:
        week = snapshot.row("FROM mart.category_effort WHERE period = 'week' AND category = 'billing'")
        none = snapshot.row("FROM mart.category_effort WHERE period = 'all' AND category = 'unknown'")
        assert snapshot.check("tickets_tie").passed
        snapshot.connection.execute("DELETE FROM mart.category_effort WHERE period = 'week'")
        assert snapshot.check("tickets_tie").failures == 0
        snapshot.connection.execute("DELETE FROM mart.ticket_effort WHERE category = 'unknown'")
        # All tickets, links, categories of all days, and handling of weeks and of all days.
        assert snapshot.check("tickets_tie").failures == 5
    assert (week["period_start"], week["tickets"], week["timed_tickets"]) == (DAY, 3, 3)
    assert (week["median_resolution_minutes"], week["p90_resolution_minutes"]) == (60.0, pytest.approx(492))
    # Of the third only the five hours to 17:00 are business hours.
    assert week["median_resolution_business_minutes"] == pytest.approx(60)
    assert (week["reopen_known"], week["reopened_share"]) == (3, pytest.approx(1 / 3))
    assert (week["one_touch_known"], week["one_touch_share"]) == (3, pytest.approx(2 / 3))
    assert (week["repeat_known"], week["repeat_contact_share"]) == (0, None)
    assert (week["n"], week["mean_ease_0_100"]) == (3, pytest.approx(mean(eases)))
    assert week["ease_high_0_100"] == pytest.approx(mean_interval(eases)[1])
    assert week["difficult_share"] == pytest.approx(2 / 3)
    assert (none["tickets"], none["timed_tickets"], none["n"]) == (1, 0, 0)
    assert (none["median_resolution_minutes"], none["mean_ease_0_100"], none["is_effort_suppressed"]) == (
        None, None, True,
    )  # fmt: skip


def test_a_categorys_medians_have_the_interval_of_their_order_statistics(here: Registry) -> None:
    # Of ten sorted values the interval goes from the second to the ninth; noon is in business hours for five hours.
    took = [10.0 * n for n in (7, 2, 9, 4, 1, 10, 3, 8, 5, 6)]
    tickets = [
        ticket(
            f"t{n}",
            category="billing",
            created_at=NOON,
            solved_at=NOON + timedelta(minutes=minutes),
            resolution_minutes=minutes,
        )
        for n, minutes in enumerate(took)
    ]
    tickets += [
        ticket(f"few{n}", category="login", created_at=NOON, solved_at=NOON, resolution_minutes=n)
        for n in range(5)
    ]
    with derived(here, ["mart.category_effort"], {"core.tickets": tickets}) as snapshot:
        rows = {
            row["category"]: row for row in snapshot.rows("FROM mart.category_effort WHERE period = 'all'")
        }
    for name in ("resolution_minutes", "resolution_business_minutes"):
        figures = [f"median_{name}", f"median_{name}_low", f"median_{name}_high"]
        assert [rows["billing"][figure] for figure in figures] == pytest.approx([55.0, 20.0, 90.0])
    assert (rows["login"]["median_resolution_minutes"], rows["login"]["median_resolution_minutes_low"]) == (
        2.0,
        None,
    )


def index_of(here: Registry, efforts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The index of tickets given as rows of `mart.ticket_effort`."""
    rows = [
        {
            "ticket_key": f"t{place:03}", "source_id": "desk", "category": "billing", "priority": "unknown",
            "channel": "email", "product": "unknown", "group_name": "unknown", "is_deleted": False,
            "is_survey_eligible": True, "linked_responses": 0, "linked_scores": 0, **effort,
        }
        for place, effort in enumerate(efforts)
    ]  # fmt: skip
    with derived(here, ["mart.effort_index"], {EFFORT: rows}) as snapshot:
        return snapshot.rows("FROM mart.effort_index ORDER BY ticket_key")


def test_the_index_is_the_weighted_mean_of_what_is_known(here: Registry) -> None:
    full = {"resolution_minutes": 90.0, "first_reply_minutes": 5.0, "replies": 4, "handoffs": 1, "reopens": 5,
            "channel_switches": 0}  # fmt: skip
    fast = {**full, "resolution_minutes": 10.0, "first_reply_minutes": None}
    slow = {**full, "resolution_minutes": 9_000.0, "first_reply_minutes": None}
    middle, first, last, silent, alone = index_of(
        here, [full, fast, slow, {}, {"category": "rare", "resolution_minutes": 5.0}]
    )
    # Weights 3, 2, 2, 2, 3, 2: one of three is faster; 4 of 8 replies, 1 of 4 handoffs, more than 2 reopens. No other
    # ticket of the category was replied to: no place.
    assert middle["resolution_component"] == 0.5
    assert middle["first_reply_component"] is None
    assert middle["effort_index_0_100"] == pytest.approx(100 * (3 * 0.5 + 2 * 0.5 + 2 * 0.25 + 3 * 1) / 12)
    assert middle["weight_used_share"] == pytest.approx(12 / 14)
    assert (first["resolution_component"], last["resolution_component"]) == (0, 1)
    assert (silent["effort_index_0_100"], silent["weight_used_share"]) == (None, 0)
    assert (alone["resolution_component"], alone["weights_version"]) == (None, "1")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    efforts=st.lists(
        st.fixed_dictionaries(
            {
                name: st.none() | st.integers(0, 12)
                for name in ("replies", "handoffs", "reopens", "channel_switches")
            }
            | {name: st.none() | st.floats(0, 1e6) for name in ("resolution_minutes", "first_reply_minutes")}
        ),
        min_size=2,
        max_size=12,
    ),
    raised=st.sampled_from(
        ["replies", "handoffs", "reopens", "channel_switches", "resolution_minutes", "first_reply_minutes"]
    ),
    by=st.integers(1, 1_000),
)
def test_the_index_is_bounded_and_never_falls_when_an_input_rises(
    here: Registry, efforts: list[dict[str, Any]], raised: str, by: int
) -> None:
    before = index_of(here, efforts)
    assert all(row["effort_index_0_100"] is None or 0 <= row["effort_index_0_100"] <= 100 for row in before)
    harder = [
        {**efforts[0], raised: None if efforts[0][raised] is None else efforts[0][raised] + by},
        *efforts[1:],
    ]
    after = index_of(here, harder)[0]
    assert (after["effort_index_0_100"] or 0) >= (before[0]["effort_index_0_100"] or 0) - 1e-9
    assert after["weight_used_share"] == before[0]["weight_used_share"]


def test_a_planted_driver_is_found_and_one_that_never_varies_is_not_judged(tmp_path: Path) -> None:
    here = registry(tmp_path, minimum_n=30)
    tickets = [
        ticket(f"t{n:02}", category="billing" if n < 35 else "rare", created_at=NOON,
               resolution_minutes=float(n), reopens=0, replies=n % 3)
        for n in range(40)
    ]  # fmt: skip
    answers = [response(f"r{n:02}", ease=100.0 - 25 * min(n // 8, 4)) for n in range(40)]
    given = {
        "core.tickets": tickets,
        "core.responses": answers,
        "core.response_tickets": [link(f"r{n:02}", f"t{n:02}") for n in range(40)],
    }
    with derived(here, ["mart.effort_drivers"], given) as snapshot:
        found = {(row["category"], row["driver"]): row for row in snapshot.rows("FROM mart.effort_drivers")}
    time = found["all tickets", "resolution_minutes"]
    assert (time["n"], time["is_suppressed"]) == (40, False)
    assert time["correlation"] == pytest.approx(
        stats.spearmanr(range(40), [min(n // 8, 4) for n in range(40)])[0]
    )
    assert 0.9 < time["correlation_low"] < time["correlation"] < time["correlation_high"] < 1
    replies = found["all tickets", "replies"]
    assert replies["correlation_low"] < 0 < replies["correlation_high"]
    assert (found["all tickets", "reopens"]["n"], found["all tickets", "reopens"]["correlation"]) == (
        40,
        None,
    )
    assert {time["verdict"], replies["verdict"], found["all tickets", "reopens"]["verdict"]} == {
        "more effort", "no association shown", "no variance",
    }  # fmt: skip
    shown = [row for row in found.values() if row["p_value"] is not None]
    known = stats.false_discovery_control([row["p_value"] for row in shown])
    assert [row["q_value"] for row in shown] == pytest.approx(list(known))
    rare = found["rare", "resolution_minutes"]
    assert (rare["n"], rare["correlation"], rare["is_suppressed"]) == (5, None, True)
    assert (rare["q_value"], rare["verdict"]) == (None, "suppressed")


def test_without_answers_or_tickets_there_are_no_rows(here: Registry) -> None:
    marts = ["mart.effort_drivers", "mart.category_effort", "mart.link_coverage_daily"]
    with derived(here, marts, {"core.tickets": []}) as snapshot:
        assert [snapshot.rows(f"FROM {mart}") for mart in marts] == [[], [], []]
    lonely = [ticket("t", created_at=NOON, solved_at=NOON)]
    with derived(here, marts, {"core.tickets": lonely}) as snapshot:
        assert [len(snapshot.rows(f"FROM {mart}")) for mart in marts] == [0, 2, 1]


@pytest.mark.parametrize(
    ("hours", "fact"),
    [
        ({"opens": "9:00", "closes": "17:00"}, "time of day"),
        ({"opens": "17:00", "closes": "09:00"}, "later than"),
    ],
)
def test_hours_that_are_none_are_refused(hours: dict[str, str], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        OpenHours(**hours)


def test_the_day_of_a_resolution_is_that_of_the_business_zone(tmp_path: Path) -> None:
    here = registry(tmp_path, business_time_zone="Pacific/Auckland")
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    (row,) = effort_of(here, [ticket("t", created_at=late, solved_at=late)])
    assert (row["created_day"], row["resolved_day"]) == (date(2026, 3, 3), date(2026, 3, 3))


def test_a_single_snapshot_knows_no_channel_switch(here: Registry) -> None:
    tickets = [
        ticket("once", channel="email"),
        ticket("same", channel="email"),
        ticket("moved", channel="phone"),
    ]
    earlier = NOON - timedelta(hours=1)
    versions = [
        *tickets,
        ticket("same", channel="email", updated_at=earlier),
        ticket("moved", channel="email", updated_at=earlier),
    ]
    given = {"core.tickets": tickets, "core.ticket_versions": versions}
    with derived(here, [EFFORT], given) as made:
        rows = made.rows("SELECT ticket_key, channel_switches FROM mart.ticket_effort")
    assert {row["ticket_key"]: row["channel_switches"] for row in rows} == {
        "once": None,
        "same": 0,
        "moved": 1,
    }

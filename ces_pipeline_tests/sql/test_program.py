"""Protects the metrics of the programme: each figure by hand, tied to its mart, and never a zero in place of unknown."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.asked import invitation
from ces_pipeline_tests.sql.snapshots import Snapshot, derived

METRICS = ["mart.program_metrics"]
NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=40)
QUALITY = {
    "source_id": "web",
    "landed": 40,
    "redelivered": 10,
    "superseded": 5,
    "accepted": 20,
    "rejected": 5,
    "suspect": 4,
    "duplicate": 2,
}
FIX = {"method": "difference in differences", "n_before": 60, "n_after": 40}
MIDNIGHT = datetime.combine(DAY, time(), UTC)


def probe(
    probe_id: str, hour: int, newest: datetime | None = MIDNIGHT, too_late: int = 0
) -> list[dict[str, Any]]:
    """The five rows of a probe at this hour after midnight of DAY."""
    return [
        {
            "probe_id": probe_id,
            "question": f"q{number}",
            "seconds": 0.1,
            "limit_seconds": 5.0,
            "is_in_time": newest is not None and number >= too_late,
            "newest_response_at": newest,
            "probed_at": MIDNIGHT + timedelta(hours=hour),
        }
        for number in range(5)
    ]


GIVEN: dict[str, list[dict[str, Any]]] = {
    "mart.capture_daily": [
        {"source_id": "a", "day": DAY, "landed": 90, "expected": 100},
        # A surplus of one source does not offset a deficit of another.
        {"source_id": "b", "day": DAY, "landed": 60, "expected": 50},
        {"source_id": "c", "day": DAY, "landed": 70, "expected": None},
    ],
    "mart.requests_daily": [
        {"source_id": "a", "day": DAY, "calls": 8, "ok_at_once": 5, "ok_after_retry": 1},
        {"source_id": "b", "day": DAY, "calls": 2, "ok_at_once": 2, "ok_after_retry": 0},
    ],
    "mart.link_coverage_daily": [
        {
            "day": DAY,
            "is_final": True,
            "eligible_tickets": 40,
            "answered_tickets": 10,
            "responses": 20,
            "linked_by_ticket_id": 8,
            "linked_by_external_id": 1,
            "linked_by_requester_window": 1,
        },
        {
            "day": NEXT,
            "is_final": False,
            "eligible_tickets": 1,
            "answered_tickets": 1,
            "responses": 0,
            "linked_by_ticket_id": 0,
            "linked_by_external_id": 0,
            "linked_by_requester_window": 0,
        },
    ],
    "mart.response_funnel_daily": [
        {
            "survey_id": "s",
            "day": DAY,
            "basis": "invitations",
            "n": 30,
            "completes": 6,
            "partials": 3,
            "is_final": True,
        },
        {
            "survey_id": "t",
            "day": DAY,
            "basis": "invitations",
            "n": 20,
            "completes": 4,
            "partials": 2,
            "is_final": True,
        },
        {
            "survey_id": "s",
            "day": NEXT,
            "basis": "invitations",
            "n": 30,
            "completes": 9,
            "partials": 0,
            "is_final": False,
        },
        {"survey_id": "u", "day": DAY, "basis": "views", "n": 200, "responses": 50, "is_final": True},
    ],
    "mart.response_latency_daily": [
        {"survey_id": "s", "day": DAY, "step": "response_to_landed", "n": 9, "p50_minutes": 60.0},
        {"survey_id": "t", "day": DAY, "step": "response_to_landed", "n": 4, "p50_minutes": 90.0},
        {"survey_id": "t", "day": NEXT, "step": "response_to_landed", "n": 1, "p50_minutes": None},
        {
            "survey_id": "s",
            "day": DAY,
            "step": "response_to_published",
            "n": 9,
            "p50_minutes": 70.0,
            "p95_minutes": 130.0,
        },
        {
            "survey_id": "t",
            "day": DAY,
            "step": "response_to_published",
            "n": 4,
            "p50_minutes": 95.0,
            "p95_minutes": 99.0,
        },
    ],
    "mart.quality_daily": [
        {"day": DAY, **QUALITY},
        {"day": DAY, **QUALITY, "source_id": "phone"},
        {"day": NEXT, **dict.fromkeys(QUALITY, 0), "source_id": "web", "landed": 3, "superseded": 3},
    ],
    "mart.journey_weekly": [
        {
            "week": DAY,
            "process": "support",
            "journey_stage": "support",
            "is_measured": True,
            "is_suppressed": False,
            "n": 12,
            "mean_ease_0_100": 70.0,
            "ease_low_0_100": 65.0,
            "ease_high_0_100": 75.0,
        },
        {
            "week": DAY,
            "process": "renewal",
            "journey_stage": "renewal",
            "is_measured": False,
            "is_suppressed": True,
            "n": 0,
        },
    ],
    "mart.ces_segments": [
        # Of channel a 0 and 100, of b twice 100: means 50 and 100 around 75.
        {
            "dimension": "all",
            "segment": "all",
            "n": 4,
            "ease_sum_0_100": 300.0,
            "ease_square_sum_0_100": 30000.0,
        },
        {
            "dimension": "channel",
            "segment": "a",
            "n": 2,
            "ease_sum_0_100": 100.0,
            "ease_square_sum_0_100": 10000.0,
        },
        {
            "dimension": "channel",
            "segment": "b",
            "n": 2,
            "ease_sum_0_100": 200.0,
            "ease_square_sum_0_100": 20000.0,
        },
        {
            "dimension": "persona",
            "segment": "p",
            "n": 4,
            "ease_sum_0_100": 300.0,
            "ease_square_sum_0_100": 30000.0,
        },
    ],
    "mart.fix_impact": [
        {
            **FIX,
            "fix_id": "faster_billing",
            "change_effort_0_100": -8.0,
            "change_low_0_100": -12.0,
            "change_high_0_100": -4.0,
        },
        {**FIX, "fix_id": "faster_billing", "method": "plain before and after", "change_effort_0_100": -20.0},
        {**FIX, "fix_id": "too_new", "why": "no whole week after it"},
    ],
    "mart.fix_ticket_impact": [
        {
            **FIX,
            "fix_id": "faster_billing",
            "change_share": -0.1,
            "change_low_share": -0.2,
            "change_high_share": 0.0,
        },
    ],
    "audit.probes": [
        *probe("p1", 9),
        # One question of five too late: the file was not readable.
        *probe("p2", 10, too_late=1),
        *probe("p3", 11, newest=None),
        *probe("p4", 12),
        *probe("q1", 24 + 9, newest=None),
    ],
    "core.responses": [
        response("r1", comment="Easy enough"),
        response("r2", comment="n/a"),
        response("r3", comment="👍"),
        response("r4", comment="..."),
        response("r5"),
        response("r6", comment="Broken off", flags=["partial"], is_suspect=True),
    ],
}
for row in GIVEN["mart.ces_segments"]:
    row.update(period="day", period_start=DAY, is_mixed_scales=False)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The small registry with two fixes that went live on one day."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "fixes.yaml").write_text(
        f"- {{id: faster_billing, title: Billing, live_on: {NEXT}, categories: [billing]}}\n"
        f"- {{id: too_new, title: Delivery, live_on: {NEXT}, categories: [delivery]}}\n"
    )
    return registry(folder)


@pytest.fixture(scope="module")
def given(here: Registry) -> Iterator[Snapshot]:
    with derived(here, METRICS, GIVEN) as snapshot:
        yield snapshot


def metric_row(snapshot: Snapshot, metric: str, day: date = DAY, segment: str = "all") -> dict[str, Any]:
    return snapshot.row(
        f"FROM mart.program_metrics WHERE metric = '{metric}' AND day = '{day}' AND segment = '{segment}'"
    )


@pytest.mark.parametrize(
    ("metric", "counted", "n", "is_sample"),
    [
        ("captured_share", 90 + 50, 150, False),
        ("api_calls_ok_share", 8, 10, False),
        ("tickets_answered_share", 10, 40, True),
        ("responses_linked_share", 10, 20, True),
        ("response_rate_1", 10, 50, True),
        ("response_rate_2", 15, 50, True),
        ("completed_views_share", 50, 200, True),
        # `n/a`, a thumb and dots say nothing; the partial one is no complete response.
        ("commented_share", 1, 5, True),
        ("rejected_share", 10, 50, False),
        ("suspect_share", 8, 40, False),
        ("duplicate_share", 4, 50, False),
        ("redelivered_share", 20, 80, False),
        ("superseded_share", 10, 80, False),
        ("readable_checks_share", 2, 4, False),
    ],
)
def test_a_share_is_the_one_computed_by_hand(
    given: Snapshot, metric: str, counted: int, n: int, is_sample: bool
) -> None:
    row = metric_row(given, metric)
    assert (row["value"], row["n"], row["state"], row["why_null"]) == (counted / n, n, "measured", None)
    ends = proportion_confint(counted, n, method="wilson") if is_sample else (None, None)
    assert (row["value_low"], row["value_high"]) == (pytest.approx(ends) if is_sample else ends)


def test_variance_latency_and_stages_are_those_computed_by_hand(given: Snapshot) -> None:
    # Between: 2 x 25^2 x 2 = 2500; total: 75^2 + 3 x 25^2 = 7500. Within: 5000, with 2 degrees of freedom: as much as
    # between, so nothing is left for the channels.
    channel = metric_row(given, "ease_variance_share", segment="channel")
    assert (channel["value"], channel["n"]) == (pytest.approx(0), 4)
    assert metric_row(given, "ease_variance_share", segment="persona")["value"] == 0.0
    slowest = metric_row(given, "latency_p50_minutes", segment="response_to_landed")
    assert (slowest["value"], slowest["n"], slowest["unit"]) == (90.0, 4, "minutes")
    # The slowest survey at the median is not the slowest at the 95th percentile.
    for metric, value, n in (("latency_p50_minutes", 95.0, 4), ("latency_p95_minutes", 130.0, 9)):
        total = metric_row(given, metric, segment="response_to_published")
        assert (total["value"], total["n"]) == (value, n)
    stage = metric_row(given, "mean_ease_0_100", segment="support: support")
    assert (stage["value"], stage["value_low"], stage["value_high"], stage["n"]) == (70.0, 65.0, 75.0, 12)


def test_the_age_of_the_file_is_the_greatest_that_a_probe_of_the_day_found(given: Snapshot) -> None:
    row = metric_row(given, "freshness_minutes")
    assert (row["value"], row["n"], row["metric_id"]) == (12 * 60, 3, "M4c")


def test_a_fix_has_its_change_on_the_day_it_went_live_by_the_method_to_go_by(given: Snapshot) -> None:
    effort = metric_row(given, "fix_effort_change_0_100", NEXT, "faster_billing")
    assert (effort["value"], effort["value_low"], effort["value_high"], effort["n"]) == (
        -8.0,
        -12.0,
        -4.0,
        100,
    )
    assert (effort["metric_id"], effort["state"]) == ("M10a", "measured")
    tickets = metric_row(given, "fix_tickets_change_share", NEXT, "faster_billing")
    assert (tickets["value"], tickets["value_low"], tickets["value_high"], tickets["unit"]) == (
        -0.1,
        -0.2,
        0.0,
        "share",
    )


@pytest.mark.parametrize(
    ("metric", "segment", "day", "state", "why", "n"),
    [
        (
            "tickets_answered_share",
            "all",
            NEXT,
            "not measurable yet",
            "the tickets of the day may still be answered",
            1,
        ),
        ("latency_p50_minutes", "response_to_landed", NEXT, "suppressed", "fewer than the minimum n", 1),
        ("responses_linked_share", "all", NEXT, "not measurable yet", "no responses", None),
        (
            "response_rate_1",
            "all",
            NEXT,
            "not measurable yet",
            "the invitations of the day may still be answered",
            30,
        ),
        ("rejected_share", "all", NEXT, "not measurable yet", "no rows were judged", None),
        (
            "mean_ease_0_100",
            "renewal: renewal",
            DAY,
            "not measurable yet",
            "the stage had no answer in the week",
            0,
        ),
        ("fix_effort_change_0_100", "too_new", NEXT, "not measurable yet", "no whole week after it", 100),
        ("alerts", "all", NEXT, "not measurable yet", "no incident was noticed yet", None),
        (
            "freshness_minutes",
            "all",
            NEXT,
            "not measurable yet",
            "the file held no response, or could not be read",
            0,
        ),
        ("model_precision_share", "all", DAY, "not measurable yet", "no model predicts effort here", None),
    ],
)
def test_what_is_not_known_says_why_and_is_never_zero(
    given: Snapshot, metric: str, segment: str, day: date, state: str, why: str, n: int | None
) -> None:
    row = metric_row(given, metric, day, segment)
    assert (row["state"], row["why_null"], row["n"]) == (state, why, n)
    assert (row["value"], row["value_low"], row["value_high"]) == (None, None, None)


def test_every_metric_from_m1_to_m11_has_its_row_on_every_day(given: Snapshot) -> None:
    ids = {row["metric_id"] for row in given.rows("SELECT DISTINCT metric_id FROM mart.program_metrics")}
    parts = {"M1": "ab", "M4": "abcd", "M5": "ab", "M6": "ab", "M7": "ab", "M8": "ab", "M10": "ab"}
    assert ids == {
        "M2",
        "M3",
        "M9",
        "M11",
        *(f"{number}{part}" for number, letters in parts.items() for part in letters),
    }
    daily = given.rows(
        "SELECT metric, segment, list(day ORDER BY day) AS days FROM mart.program_metrics "
        "WHERE metric_id NOT IN ('M4a', 'M4b', 'M4d', 'M9', 'M10a', 'M10b', 'M11') GROUP BY ALL"
    )
    assert all(row["days"] == [DAY, NEXT] for row in daily)


def test_equal_answers_have_no_variance_to_split(here: Registry) -> None:
    answers = [response(f"r{number}", ease=50.0) for number in range(3)]
    with derived(here, METRICS, {"core.responses": answers}) as snapshot:
        row = metric_row(snapshot, "ease_variance_share", segment="channel")
    assert (row["state"], row["why_null"], row["n"]) == ("not measurable yet", "all answers are equal", 3)


def test_nothing_at_all_has_no_rows_but_the_fixes_that_wait_for_data(here: Registry, tmp_path: Path) -> None:
    with derived(registry(tmp_path), METRICS, {}) as snapshot:
        assert snapshot.rows("FROM mart.program_metrics") == []
    with derived(here, METRICS, {}) as snapshot:
        waiting = snapshot.rows(
            "SELECT segment, state, value FROM mart.program_metrics WHERE metric_id = 'M10a'"
        )
    assert waiting == [
        {"segment": fix, "state": "not measurable yet", "value": None}
        for fix in ("faster_billing", "too_new")
    ]


def test_the_metrics_are_those_of_their_marts(tmp_path: Path) -> None:
    here = registry(tmp_path, invitation_window_days=30)
    given = {
        "core.responses": [
            *(
                response(f"r{n}", ease=25.0 * (n % 5), channel=f"c{n % 5 // 2}", respondent_key=f"p{n}")
                for n in range(20)
            ),
            response("later", LATER),
        ],
        "core.invitations": [invitation(f"i{n}", person_key=f"p{n}") for n in range(30)],
    }
    wanted = [*METRICS, "mart.segment_variance", "mart.response_funnel_daily", "mart.journey_weekly"]
    with derived(here, wanted, given) as snapshot:
        variance = snapshot.row(
            "FROM mart.segment_variance WHERE period_start = '2026-03-01' AND dimension = 'channel'"
        )
        funnel = snapshot.row(f"FROM mart.response_funnel_daily WHERE day = '{DAY}'")
        week = snapshot.row(f"FROM mart.journey_weekly WHERE week = '{DAY}' AND is_measured")
        share = metric_row(snapshot, "ease_variance_share", segment="channel")["value"]
        assert share == variance["omega_squared"] < variance["eta_squared"]
        # Channels of ease 0 and 25, 50 and 75, and 100: 20 answers, four of each.
        between = 8 * (12.5 - 50) ** 2 + 8 * (62.5 - 50) ** 2 + 4 * 50**2
        within = 16 * 12.5**2
        assert share == pytest.approx((between - 2 * within / 17) / (between + within + within / 17))
        assert metric_row(snapshot, "response_rate_1")["value"] == funnel["response_rate_1"] == 20 / 30
        assert (
            metric_row(snapshot, "mean_ease_0_100", segment="unknown: unknown")["value"]
            == week["mean_ease_0_100"]
        )
        assert snapshot.check("program_metrics_tie").passed


def test_an_unfinished_answer_to_a_survey_of_one_question_is_complete(tmp_path: Path) -> None:
    # It has no comment: to leave it out would raise the share of answers with one.
    here = registry(tmp_path)
    answers = [
        response("r1", comment="Easy enough"),
        response("r2"),
        response("r3", flags=["partial"], is_suspect=True),
        response("r4", flags=["partial"], is_suspect=True),
    ]
    found = {}
    for questions in (None, 1, 2):
        survey = here.surveys["after_chat"].model_copy(update={"questions": questions})
        asked = here.model_copy(update={"surveys": {"after_chat": survey}})
        with derived(asked, METRICS, {"core.responses": answers}) as snapshot:
            found[questions] = metric_row(snapshot, "commented_share")["value"]
    assert found == {None: 0.5, 1: 0.25, 2: 0.5}


def test_the_check_finds_a_metric_that_does_not_tie(here: Registry) -> None:
    given = {
        "core.responses": [response(f"r{n}", respondent_key=f"p{n}") for n in range(5)],
        "core.invitations": [invitation("i1", person_key="p1")],
    }
    with derived(here, METRICS, given) as snapshot:
        assert snapshot.check("program_metrics_tie").passed
        for damage in (
            "UPDATE mart.program_metrics SET n = n + 1 WHERE metric = 'response_rate_1' AND n > 0",
            "DELETE FROM mart.program_metrics WHERE metric = 'mean_ease_0_100'",
            "UPDATE mart.program_metrics SET value = 0 WHERE metric = 'alerts'",
        ):
            snapshot.connection.execute("BEGIN")
            snapshot.connection.execute(damage)
            assert not snapshot.check("program_metrics_tie").passed, damage
            snapshot.connection.execute("ROLLBACK")

"""Protects what counts as failed, apart from the figures: checks, sources, steps, runs, and nights without a publish."""

from datetime import UTC, date, datetime

import pytest

from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, Check, CheckResult
from ces_pipeline.storage.last_results import LastResult
from ces_pipeline.watch.failures import (
    FailedRun,
    check_failures,
    missed_nights,
    run_failures,
    source_failures,
)
from ces_pipeline_tests.unit.watch.incident_logs import rule

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
WARNING = Check("pull_failed", "warning", "look")
RESULTS = [CheckResult(POISONED_ROWS_CAUGHT, 1, "one was missed"), CheckResult(WARNING, 2, "two pulls")]


def result(step: str, *lines: str, subject: str = "") -> LastResult:
    return LastResult(step, NOW, {subject: list(lines)})


@pytest.mark.parametrize(
    ("checks", "failed"),
    [
        ("all", ["poisoned_rows_caught", "pull_failed"]),
        ("blocking", ["poisoned_rows_caught"]),
        ("warnings", ["pull_failed"]),
        (["pull_failed"], ["pull_failed"]),
    ],
)
def test_a_rule_names_checks_by_severity_or_name(checks: object, failed: list[str]) -> None:
    failures, _ = check_failures(rule(threshold=None, checks=checks), RESULTS)
    assert [failure.series.segment for failure in failures] == failed


def test_a_source_fails_until_it_lands_completely() -> None:
    of = rule(threshold=None, sources="all")
    failures, examined = source_failures(of, ["web", "desk"], [result("land-web", "broken.csv: no header")])
    assert [(failure.series.segment, failure.detail) for failure in failures] == [
        ("web", "broken.csv: no header")
    ]
    assert [series.segment for series in examined] == ["web", "desk"]
    failures, _ = source_failures(
        rule(threshold=None, sources=["desk"]), ["web", "desk"], [result("land-web", "x")]
    )
    assert failures == []


def test_a_failed_step_says_more_than_its_run() -> None:
    of = rule(threshold=None, runs="all")
    runs = {"clean_and_publish": FailedRun("clean_and_publish", "FAILURE", NOW)}
    failures, _ = run_failures(
        of, ["publish"], [result("publish", "disk full")], runs, blocked_by=["schema"], missed=[]
    )
    assert [failure.series.dimension for failure in failures] == ["step"]
    failures, _ = run_failures(of, ["publish"], [], runs, blocked_by=["schema"], missed=[])
    assert [failure.series.dimension for failure in failures] == ["job"]
    failures, _ = run_failures(of, ["publish"], [], {"land": None}, blocked_by=[], missed=[])
    assert failures == []


def test_a_publish_that_a_check_blocks_is_a_failure_of_the_check() -> None:
    of = rule(threshold=None, runs="failed")
    failures, _ = run_failures(
        of,
        ["publish"],
        [result("publish", "schema: two columns")],
        {},
        blocked_by=["schema"],
        missed=[date(2026, 3, 1)],
    )
    assert failures == []


@pytest.mark.parametrize(
    ("published", "now", "missed"),
    [
        ("2026-03-01T02:10", "2026-03-01T23:00", []),
        # The hour is 2, and six hours later it counts as missed.
        ("2026-03-01T02:10", "2026-03-02T07:59", []),
        ("2026-03-01T02:10", "2026-03-02T08:00", [2]),
        ("2026-03-01T02:10", "2026-03-04T03:00", [2, 3]),
        ("2026-03-02T01:00", "2026-03-02T09:00", [2]),
    ],
)
def test_a_night_is_missed_if_nothing_was_published_hours_after_it_began(
    published: str, now: str, missed: list[int]
) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (published, now)]
    assert [night.day for night in missed_nights(*moments, "UTC", 2, 6)] == missed
    assert missed_nights(None, moments[1], "UTC", 2, 6) == []

"""Protects the figures on pulls: missing records lower a share, an unknown number gives none, requests count once."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.errors import RefusedError, UnavailableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, small_home

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = datetime(2026, 3, 4, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("published") / "home")
    small.clean("survey", [response("a"), response("b")])
    small.publish()
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    """A copy of `published`: its next publish fills only what the logs of a test change."""
    return published.copied(tmp_path / "home")


def account(day: int, landed: int, expected: int | None, **values: Any) -> dict[str, Any]:
    start = MARCH + timedelta(days=day - 1)
    return {
        "pull_id": "desk-1",
        "source_id": "desk",
        "stream": "tickets",
        "window_start": start,
        "window_end": start + timedelta(days=1),
        "landed": landed,
        "expected": expected,
        "basis": "unknown" if expected is None else "count",
        "detail": "not reported" if expected is None else None,
        "asked_at": ASKED,
        **values,
    }


def captured(small: SmallHome, columns: str) -> list[tuple[Any, ...]]:
    return small.rows(f"SELECT {columns} FROM mart.capture_daily ORDER BY ALL")


class TestCapture:
    def test_missing_surplus_nothing_and_unknown_are_distinguished(self, small: SmallHome) -> None:
        small.logs["audit.pull_windows"] = [
            account(1, 90, 100),  # ten are missing
            account(2, 52, 50),  # two were changed at the vendor since
            account(3, 0, 0),  # there was nothing
            account(4, 7, None),  # unknown
        ]
        assert small.publish().published
        assert captured(
            small, "source_id, day, landed, expected, missing, surplus, captured_share, state"
        ) == [
            ("desk", date(2026, 3, 1), 90, 100, 10, 0, 0.9, "short"),
            ("desk", date(2026, 3, 2), 52, 50, 0, 2, 1.0, "complete"),
            ("desk", date(2026, 3, 3), 0, 0, 0, 0, None, "complete"),
            ("desk", date(2026, 3, 4), 7, None, None, None, None, "unknown"),
            # A source of files: two rows, and an unknown expected number.
            ("web", DAY, 2, None, None, None, None, "unknown"),
        ]

    def test_the_newest_account_of_a_window_counts(self, small: SmallHome) -> None:
        later = ASKED + timedelta(days=1)
        small.logs["audit.pull_windows"] = [
            account(1, 90, 100, window_end=MARCH + timedelta(hours=2)),
            account(1, 100, 100, pull_id="desk-2", asked_at=later),
        ]
        assert small.publish().published
        assert captured(small, "source_id, landed, state, asked_at")[0] == ("desk", 100, "complete", later)

    def test_missing_records_are_a_warning_that_names_source_and_window(self, small: SmallHome) -> None:
        small.logs["audit.pull_windows"] = [account(1, 90, 100), account(2, 7, None)]
        (warning,) = [
            warning for warning in small.publish().warnings if warning.check.name == "capture_below_expected"
        ]
        assert warning.failures == 1
        assert warning.detail is not None
        assert warning.detail.startswith(
            "source_id desk, stream tickets, window_start 2026-03-01 00:00, window_end 2026-03-02 00:00, "
            "landed 90, expected 100."
        )


def request(number: int, outcome: str, *, status: int | None = 200, **values: Any) -> dict[str, Any]:
    return {
        "pull_id": "desk-1",
        "number": number,
        "source_id": "desk",
        "method": "GET",
        "path": "/tickets",
        "status": status,
        "outcome": outcome,
        "attempt": 1,
        "size_bytes": 10,
        "seconds": 0.5,
        "requested_at": MARCH,
        **values,
    }


COUNTS = "requests, answered_2xx, answered_otherwise, unanswered, calls, ok_at_once, ok_after_retry, gave_up, refused"


class TestRequests:
    def test_percentiles_bytes_and_days_are_those_computed_by_hand(self, small: SmallHome) -> None:
        seconds = [0.1, 0.2, 0.3, 0.4, 2.0]
        small.logs["audit.requests"] = [
            request(n, "ok", seconds=duration) for n, duration in enumerate(seconds)
        ]
        # Half an hour before midnight of the zone is another day.
        small.logs["audit.requests"].append(request(9, "ok", requested_at=MARCH - timedelta(minutes=30)))
        assert small.publish().published
        (_, first), (_, second) = small.rows(
            "SELECT day, (requests, size_bytes, seconds_p50, seconds_p95, seconds_p99, seconds_max) "
            "FROM mart.requests_daily ORDER BY day"
        )
        assert first[:2] == (1, 10)
        # Between the 4th and the 5th of five: 0.4 + 0.8 * 1.6, and 0.4 + 0.96 * 1.6.
        assert second == (5, 50, 0.3, pytest.approx(1.68), pytest.approx(1.936), 2.0)

    def test_a_scripted_sequence_of_faults_is_counted_exactly(self, small: SmallHome) -> None:
        class Vendor(FakeVendor):
            def answer(self, asked: FakeRequest) -> FakeResponse:
                return FakeResponse(403, {}) if asked.path == "/forbidden" else FakeResponse(data=[])

        log = RequestLog("desk", "desk-1")
        faults = {1: "busy", 2: "error", 4: "cut", 5: "html", **dict.fromkeys((8, 9, 10), "error")}
        with Vendor(plan=FaultPlan(faults)) as vendor:
            retry_policy = RetryPolicy(attempts=3)
            http = Http("desk", vendor.url, clock=vendor.clock, log=log, retry_policy=retry_policy)
            http.get("/a")  # request 0: at once
            http.get("/b")  # 1 to 3: 429, 500, ok
            http.get("/c")  # 4 to 6: cut off, a page of HTML with status 200, ok
            with pytest.raises(RefusedError):
                http.get("/forbidden")  # 7: 403
            with pytest.raises(UnavailableError):
                http.get("/d")  # 8 to 10: 500 three times
            http.close()
        small.logs["audit.requests"] = log.rows
        assert small.publish().published
        assert small.rows(f"SELECT {COUNTS} FROM mart.requests_daily") == [(11, 4, 6, 1, 5, 1, 2, 1, 1)]
        ((share, ok),) = small.rows("SELECT answered_2xx_share, ok_share FROM mart.requests_daily")
        assert (share, ok) == (pytest.approx(4 / 11), 3 / 5)

    def test_a_day_of_a_killed_pull_has_no_share_of_calls(self, small: SmallHome) -> None:
        small.logs["audit.requests"] = [request(1, "retried", status=None)]
        assert small.publish().published
        assert small.rows(f"SELECT {COUNTS}, ok_share FROM mart.requests_daily") == [
            (1, 0, 0, 1, 0, 0, 0, 0, 0, None)
        ]


class TestPulls:
    def test_a_failed_newest_pull_is_a_warning_with_the_reason(self, small: SmallHome) -> None:
        def pull(pull_id: str, day: int, failure: str | None) -> dict[str, Any]:
            return {
                "pull_id": pull_id,
                "source_id": pull_id[:-1].rstrip("-"),
                "started_at": MARCH + timedelta(days=day),
                "requests": 8,
                "records": 0,
                "rows_landed": 0,
                "failure": failure,
                "is_transient": failure is not None,
            }

        small.logs["audit.pulls"] = [
            pull("desk-1", 1, None),
            pull("desk-2", 2, "desk: it is down"),
            pull("web-1", 1, "web: it was down"),
            pull("web-2", 2, None),
            # A source that is no longer registered.
            pull("old-1", 2, "old: it is gone"),
        ]
        (warning,) = [warning for warning in small.publish().warnings if warning.check.name == "pull_failed"]
        assert warning.failures == 1
        assert warning.detail is not None
        assert warning.detail.startswith(
            "source_id desk, started_at 2026-03-03 00:00, failure desk: it is down."
        )

"""Protects the checks: each one finds what it is for, and says what to do."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from ces_pipeline.publish.checks import CheckResult, run_checks, sql_checks
from ces_pipeline.storage.duck import session
from ces_pipeline_tests.lake_days import DAY, rejected, response, small_home, ticket

TODAY = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = small_home(tmp_path_factory.mktemp("checks") / "home", reject_share_warning=0.5)
    small.clean("survey", [response("a", ticket_id="T"), response("b")], [rejected("c")])
    small.clean("tickets", [ticket("T")])
    small.publish()
    return small.home.published


@pytest.fixture
def snapshot(published: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of a published file, open for harm."""
    copy = shutil.copy(published, tmp_path / "ces.duckdb")
    with session(tmp_path) as connection:
        connection.execute(f"ATTACH '{copy}' AS ces")
        connection.execute("USE ces")
        yield connection


def failed(connection: duckdb.DuckDBPyConnection, today: date = TODAY) -> dict[str, CheckResult]:
    results = run_checks(connection, sql_checks(), business_date=today)
    return {result.check.name: result for result in results if not result.passed}


def test_a_good_file_passes_every_check(snapshot: duckdb.DuckDBPyConnection) -> None:
    assert failed(snapshot) == {}


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        ("DELETE FROM core.responses WHERE response_key = 'b'", "books_balance"),
        ("DELETE FROM core.rejected_responses", "books_balance"),
        ("UPDATE audit.load_audit SET landed = landed + 1 WHERE kind = 'survey'", "books_balance"),
        (
            "UPDATE audit.load_audit SET superseded = 1, landed = landed + 1 WHERE kind = 'tickets'",
            "books_balance",
        ),
        ("DELETE FROM audit.delivery_days WHERE kind = 'tickets'", "books_balance"),
        ("DELETE FROM audit.load_audit WHERE kind = 'survey'", "books_balance"),
        ("INSERT INTO core.tickets FROM core.tickets", "keys_unique"),
        ("INSERT INTO mart.quality_daily FROM mart.quality_daily", "keys_unique"),
        ("ALTER TABLE core.tickets ALTER reopens TYPE INTEGER", "schema"),
        ("ALTER TABLE audit.deliveries ADD COLUMN more INTEGER", "schema"),
        ("DROP TABLE audit.restatements", "schema"),
        ("UPDATE core.response_tickets SET ticket_key = 'none'", "links_point_somewhere"),
        ("UPDATE core.response_tickets SET response_key = 'none'", "links_point_somewhere"),
        ("UPDATE core.response_tickets SET ticket_key = NULL", "links_point_somewhere"),
        ("UPDATE mart.ces_daily SET n = n + 1", "totals_tie"),
        ("DELETE FROM mart.ces_daily", "totals_tie"),
        ("UPDATE mart.link_coverage_daily SET without_ticket = NULL", "nulls_described"),
        ("UPDATE mart.ticket_effort SET category = NULL", "nulls_described"),
        ("DELETE FROM mart.journey_weekly", "journey_and_funnel_tie"),
        ("UPDATE mart.response_funnel_daily SET responses = responses + 1", "journey_and_funnel_tie"),
        ("UPDATE mart.response_funnel_daily SET refusals = refusals + 1", "journey_and_funnel_tie"),
        ("UPDATE mart.tag_coverage_daily SET known = known + 1", "journey_and_funnel_tie"),
        (
            "INSERT INTO mart.kpi_crosstab (kpi, survey_id, effort_band, other_band, n) VALUES ('nps', 's', 'e', 'o', 1)",
            "journey_and_funnel_tie",
        ),
    ],
)
def test_harm_is_found_and_blocks(snapshot: duckdb.DuckDBPyConnection, harm: str, check: str) -> None:
    checks = [candidate for candidate in sql_checks() if candidate.name == check]
    snapshot.execute(harm)
    (result,) = run_checks(snapshot, checks, business_date=TODAY)
    assert not result.passed
    assert result.check.is_blocking
    assert result.detail is not None
    assert result.detail.endswith(result.check.remedy)


def test_a_feed_without_rows_yesterday_is_a_warning_that_names_it(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    result = failed(snapshot, TODAY + timedelta(days=1))["feed_without_rows_yesterday"]
    assert not result.check.is_blocking
    assert result.failures == 2
    assert "source_id web, newest_day 2026-03-02" in (result.detail or "")


def test_a_source_that_has_ended_is_expected_to_have_no_rows(snapshot: duckdb.DuckDBPyConnection) -> None:
    late = TODAY + timedelta(days=40)
    snapshot.execute(
        "INSERT INTO audit.pulls (pull_id, source_id, started_at, requests, records, rows_landed, failure, "
        "is_transient) VALUES ('p', 'web', '2026-03-02T03:00:00Z', 1, 0, 0, 'refused', false)"
    )
    assert {"feed_without_rows_yesterday", "pull_failed"} <= failed(snapshot, late).keys()
    snapshot.execute("UPDATE reference.sources SET ended_on = $1", [DAY])
    assert not {"feed_without_rows_yesterday", "pull_failed"} & failed(snapshot, late).keys()
    assert "feed_without_rows_yesterday" not in failed(snapshot, TODAY)


def test_a_source_that_ends_later_is_still_expected_to_have_rows(snapshot: duckdb.DuckDBPyConnection) -> None:
    late = TODAY + timedelta(days=1)
    snapshot.execute("UPDATE reference.sources SET ended_on = $1", [late])
    assert "feed_without_rows_yesterday" in failed(snapshot, late)


def test_a_high_reject_share_is_a_warning(snapshot: duckdb.DuckDBPyConnection) -> None:
    snapshot.execute("UPDATE reference.settings SET reject_share_warning = 0.1")
    result = failed(snapshot)["reject_share_above_threshold"]
    assert not result.check.is_blocking
    assert "rejected_share 0.333" in (result.detail or "")


def test_a_high_reject_share_of_tickets_is_a_warning_too(snapshot: duckdb.DuckDBPyConnection) -> None:
    snapshot.execute("UPDATE audit.load_audit SET accepted = 1, rejected = 3 WHERE kind = 'tickets'")
    result = failed(snapshot)["reject_share_above_threshold"]
    assert result.failures == 1
    assert "source_id desk, rejected_share 0.75" in (result.detail or "")


def test_unregistered_products_are_reported_if_any_is_registered(snapshot: duckdb.DuckDBPyConnection) -> None:
    snapshot.execute("UPDATE core.responses SET product = 'Kiosk'")
    snapshot.execute("UPDATE core.tickets SET product = 'web_shop'")
    assert "unregistered_products" not in failed(snapshot)
    snapshot.execute("INSERT INTO reference.products (product_id, title) VALUES ('web_shop', 'Web shop')")
    result = failed(snapshot)["unregistered_products"]
    assert not result.check.is_blocking
    assert (result.detail or "").startswith("product Kiosk, responses 2, tickets 0. These products")


def test_unknown_words_are_listed_with_their_rows(snapshot: duckdb.DuckDBPyConnection) -> None:
    words = '{"finished": {"half \\"done\\"": 2, "50%": 1}}'
    snapshot.execute("UPDATE audit.load_audit SET unknown_words = $1 WHERE kind = 'survey'", [words])
    result = failed(snapshot)["unknown_words"]
    assert not result.check.is_blocking
    assert result.failures == 2
    assert 'field finished, word half "done", row_count 2' in (result.detail or "")


def test_many_offending_rows_are_reported_in_short(snapshot: duckdb.DuckDBPyConnection) -> None:
    snapshot.execute("DROP TABLE mart.quality_daily")
    (result,) = run_checks(
        snapshot, [check for check in sql_checks() if check.name == "schema"], business_date=TODAY
    )
    assert result.failures > 20
    assert f"and {result.failures - 3} more" in (result.detail or "")

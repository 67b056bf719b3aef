"""Real exports in full, from the inbox to the published file, against the answers that are known of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from ces_pipeline.home import Home
from ces_pipeline.pipeline import KINDS, clean, land, publish, stale_days
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.real_data import real_data

_EASE = "How easy is it for you to upgrade to newer versions of Python libraries"
_SURVEYS = """
- {id: library_upgrade, scale: ease_1_4, channel: web}
- id: conjoint
  required: []
  expect: {Finished: "True", Q1.2: "Yes", Q3.1: Assemble}
- {id: squash, required: []}
- {id: panel, required: [], rules: {min_duration_seconds: 100}}
- {id: agency_feedback, scale: ease_1_5}
- {id: masculinity, required: []}
"""
_SOURCES = f"""
- {{id: dask_2019, kind: survey, reader: google_forms_csv, survey: library_upgrade, time_zone: America/New_York, columns: {{score: "{_EASE}"}}}}
- {{id: dask_2020, kind: survey, reader: google_forms_csv, survey: library_upgrade, time_zone: America/New_York, columns: {{score: "{_EASE}"}}}}
- {{id: projoint, kind: survey, reader: qualtrics_csv, survey: conjoint, columns: {{comment: Q7.3}}}}
- {{id: qualtricstools, kind: survey, reader: qualtrics_csv, survey: squash}}
- {{id: excluder, kind: survey, reader: qualtrics_csv, survey: panel}}
- {{id: touchpoints, kind: survey, reader: csv, survey: agency_feedback, columns: {{response_id: external_id, score: positive_ease}}}}
- {{id: masculinity, kind: survey, reader: surveymonkey_csv, survey: masculinity}}
- {{id: incidents, kind: tickets, reader: servicenow}}
- {{id: zendesk_incremental, kind: tickets, reader: zendesk_json}}
- {{id: zendesk_lists, kind: tickets, reader: zendesk_json}}
- {{id: freshdesk, kind: tickets, reader: freshdesk_json}}
- id: complaints
  kind: tickets
  reader: csv
  time_formats: ["%m/%d/%Y"]
  columns: {{updated_at: Date sent to company, created_at: Date received, category: Issue, product: Product, channel: Submitted via}}
"""
_DROPS = {
    "dask_2019": ["surveys/google_forms/dask_2019_user_survey.csv.gz"],
    "dask_2020": ["surveys/google_forms/dask_2020_user_survey.csv.gz"],
    "projoint": ["surveys/qualtrics/projoint_mummolo_nall_replication.csv.gz"],
    "excluder": ["surveys/qualtrics/excluder_qualtrics_raw.csv"],
    "qualtricstools": [
        f"surveys/qualtrics/qualtricstools/{name}.csv"
        for name in (
            "many_types_legacy",
            "matrix_multi_legacy",
            "mc_multi_legacy",
            "no_basis_legacy",
            "survey_logic_legacy",
        )
    ],
    "touchpoints": ["surveys/touchpoints/sample_cx_responses_upload.csv.gz"],
    "masculinity": ["surveys/surveymonkey/fte_masculinity_raw_responses.csv.gz"],
    "incidents": ["tickets/servicenow/uci_incident_event_log_opened_before_2016-04-01.csv.gz"],
    "zendesk_incremental": ["tickets/zendesk/zenpy_recorded/TicketsIncrementalTest.test_pagination.jsonl.gz"],
    "zendesk_lists": ["tickets/zendesk/zenpy_recorded/TestTicketsPagination.test_pagination.jsonl.gz"],
    "freshdesk": [
        f"tickets/freshdesk/{name}.json"
        for name in ("v2_all_tickets", "v2_search_tickets", "v2_ticket_1", "v2_ticket_1_updated")
    ],
    "complaints": ["tickets/cfpb/consumer_complaints.csv.gz"],
}
_SECOND_LAYOUTS = {
    "excluder": [
        "surveys/qualtrics/excluder_qualtrics_numeric.csv",
        "surveys/qualtrics/excluder_qualtrics_text.csv",
    ],
    "qualtricstools": [
        f"surveys/qualtrics/qualtricstools/{name}.csv"
        for name in ("many_types_insights", "matrix_multi_insights", "mc_multi_insights", "no_basis_insights")
    ],
}


def _drop(home: Home, drops: dict[str, list[str]]) -> None:
    for source, files in drops.items():
        (home.inbox / source).mkdir(parents=True, exist_ok=True)
        for name in files:
            shutil.copy(real_data(name), home.inbox / source)


def _run(home: Home) -> None:
    registry = load_registry(home.registry)
    failures = [line for feed in land(home, registry) for line in feed.failures]
    assert failures == []
    for kind in KINDS:
        for day in clean(home, registry, kind, stale_days(home, registry, kind), run_id="real"):
            assert day.problems == ()
    assert publish(home, registry, run_id="real").published


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with every first-layout export landed, cleaned and published."""
    home = Home(tmp_path_factory.mktemp("real")).make()
    (home.registry / "surveys.yaml").write_text(_SURVEYS)
    (home.registry / "sources.yaml").write_text(_SOURCES)
    _drop(home, _DROPS)
    _run(home)
    return home


@pytest.fixture
def published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        yield connection


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return connection.execute(query).fetchall()


def test_the_dask_surveys_keep_their_means_and_reject_the_blank_scores(
    published: duckdb.DuckDBPyConnection,
) -> None:
    scored = _rows(
        published,
        "SELECT source_id, count(*), round(avg(score), 4) FROM core.responses WHERE survey_id = 'library_upgrade' GROUP BY 1 ORDER BY 1",
    )
    assert scored == [("dask_2019", 255, 3.4745), ("dask_2020", 232, 3.3664)]
    blank = _rows(
        published,
        "SELECT source_id, reasons, count(*) FROM core.rejected_responses WHERE survey_id = 'library_upgrade' GROUP BY ALL ORDER BY 1",
    )
    assert blank == [("dask_2019", ["incomplete"], 4), ("dask_2020", ["incomplete"], 7)]


def test_the_dask_answers_keep_their_distribution(published: duckdb.DuckDBPyConnection) -> None:
    counts = "SELECT score, count(*) FROM core.responses WHERE source_id = $1 GROUP BY 1 ORDER BY 1"
    assert published.execute(counts, ["dask_2019"]).fetchall() == [(1, 4), (2, 15), (3, 92), (4, 144)]
    assert published.execute(counts, ["dask_2020"]).fetchall() == [(1, 4), (2, 17), (3, 101), (4, 110)]


def test_the_authors_rule_keeps_exactly_the_ids_that_the_authors_kept(
    published: duckdb.DuckDBPyConnection,
) -> None:
    table = pa_csv.read_csv(real_data("surveys/qualtrics/projoint_mummolo_nall_replication_kept_ids.csv"))
    kept = {
        one
        for (one,) in _rows(published, "SELECT response_id FROM core.responses WHERE source_id = 'projoint'")
    }
    assert kept == set(table["ResponseId"].cast(pa.string()).to_pylist())
    assert len(kept) == 400


def test_the_conjoint_export_lands_on_the_days_its_platform_recorded(home: Home) -> None:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        days = _rows(
            connection,
            "SELECT strftime(timezone('America/New_York', recorded_at), '%m-%d'), count(*) FROM "
            "(SELECT recorded_at FROM core.responses WHERE source_id = 'projoint' "
            "UNION ALL SELECT recorded_at FROM core.rejected_responses WHERE source_id = 'projoint') GROUP BY 1 ORDER BY 1",
        )
    assert days == [("03-01", 480), ("03-02", 2), ("03-03", 35), ("03-07", 1)]


def test_the_excluder_rows_carry_the_reasons_that_its_authors_counted(
    published: duckdb.DuckDBPyConnection,
) -> None:
    rejected = _rows(
        published, "SELECT response_id, reasons FROM core.rejected_responses WHERE source_id = 'excluder'"
    )
    by_reason = {
        reason: sorted(name for name, reasons in rejected if reason in reasons)
        for reason in ("test_response", "too_fast", "incomplete")
    }
    assert by_reason["test_response"] == ["R_Q5lqYw6emJQZx2o", "R_xLWiuPaNuURSFXY"]
    assert by_reason["too_fast"] == [
        "R_2RQ5kfCKKHudpj3",
        "R_Dx6w74UfhnGhAmj",
        "R_PKKUJ04DtpTEire",
        "R_ewyyOOPADLGo9xZ",
    ]
    unfinished = _rows(
        published,
        "SELECT response_id FROM core.responses WHERE list_contains(flags, 'partial') AND source_id = 'excluder'",
    )
    assert {one for (one,) in unfinished} == {
        "R_AkQyJypPyjgribz",
        "R_1cvaTAoXO7XW1vi",
        "R_HFKclPO5wWGNsFs",
        "R_UfSQq1VXYkVcxdJ",
    }


def test_the_excluder_times_are_chicago_times(published: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT min(started_at), max(recorded_at) FROM (
            SELECT started_at, recorded_at FROM core.responses WHERE source_id = 'excluder'
            UNION ALL
            SELECT (landed ->> 'started_at')::TIMESTAMPTZ, recorded_at
            FROM core.rejected_responses WHERE source_id = 'excluder')
    """
    first, last = _rows(published, f"SELECT a::VARCHAR, b::VARCHAR FROM ({query}) t(a, b)")[0]
    assert first.startswith("2020-12-11 18:06:43")
    assert last.startswith("2020-12-17 21:55:43")


def test_placeholder_answers_are_all_refused_as_unknown(published: duckdb.DuckDBPyConnection) -> None:
    reasons = _rows(
        published,
        "SELECT reasons, count(*) FROM core.rejected_responses WHERE source_id = 'touchpoints' GROUP BY 1",
    )
    assert sum(count for _, count in reasons) == 1000
    assert all("unknown_answer" in names for names, _ in reasons)
    assert _rows(published, "SELECT count(*) FROM core.responses WHERE source_id = 'touchpoints'") == [(0,)]


def test_read_literally_twenty_answers_end_before_they_start(published: duckdb.DuckDBPyConnection) -> None:
    counted = _rows(
        published,
        "SELECT count(*) FROM core.rejected_responses WHERE source_id = 'masculinity' AND list_contains(reasons, 'time_order')",
    )
    assert counted == [(20,)]


def test_the_incident_log_gives_every_ticket_once_and_closed(published: duckdb.DuckDBPyConnection) -> None:
    assert _rows(
        published, "SELECT status, count(*) FROM core.tickets WHERE source_id = 'incidents' GROUP BY 1"
    ) == [("closed", 9202)]
    facts = _rows(
        published,
        """
        SELECT count(*) FILTER (reopens > 0), count(*) FILTER (solved_at IS NULL), count(DISTINCT channel),
            count(*) FILTER (channel = 'email'), count(*) FILTER (priority = 'critical')
        FROM core.tickets WHERE source_id = 'incidents'
        """,
    )
    assert facts == [(133, 783, 2, 36, 94)]
    span = _rows(
        published,
        "SELECT min(updated_at)::VARCHAR, max(updated_at)::VARCHAR, count(DISTINCT day) FROM core.ticket_versions WHERE source_id = 'incidents'",
    )[0]
    assert (span[0][:16], span[1][:16], span[2]) == ("2016-02-29 01:23", "2017-02-08 18:07", 251)


def test_the_zendesk_recordings_give_each_ticket_once_with_its_deletion(
    published: duckdb.DuckDBPyConnection,
) -> None:
    counted = _rows(
        published,
        "SELECT source_id, count(*), count(*) FILTER (is_deleted), count(*) FILTER (status = 'new') FROM core.tickets WHERE source_id LIKE 'zendesk%' GROUP BY 1 ORDER BY 1",
    )
    assert counted == [("zendesk_incremental", 1001, 516, 485), ("zendesk_lists", 100, 0, 99)]
    shared = "SELECT count(*) FROM (SELECT ticket_id FROM core.tickets WHERE source_id = 'zendesk_incremental' INTERSECT SELECT ticket_id FROM core.tickets WHERE source_id = 'zendesk_lists')"
    assert _rows(published, shared) == [(70,)]


def test_the_freshdesk_files_give_one_ticket_with_its_history(published: duckdb.DuckDBPyConnection) -> None:
    assert _rows(published, "SELECT ticket_id FROM core.tickets WHERE source_id = 'freshdesk'") == [("1",)]
    statuses = _rows(
        published, "SELECT DISTINCT status FROM core.ticket_versions WHERE source_id = 'freshdesk' ORDER BY 1"
    )
    assert ("open",) in statuses


def test_complaints_without_ids_count_repeated_rows_as_redelivered(
    published: duckdb.DuckDBPyConnection,
) -> None:
    books = _rows(
        published,
        "SELECT sum(landed), sum(redelivered), sum(accepted), sum(rejected) FROM audit.load_audit WHERE is_current AND source_id = 'complaints'",
    )
    assert books == [(3186, 11, 3175, 0)]
    assert _rows(
        published, "SELECT min(created_at)::DATE::VARCHAR FROM core.tickets WHERE source_id = 'complaints'"
    ) == [("2013-06-04",)]


@pytest.mark.slow
def test_a_second_layout_adds_no_response_id(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "home")
    shutil.copytree(home.root, other.root)
    ids = """
        SELECT source_id, response_id FROM core.responses WHERE source_id IN ('excluder', 'qualtricstools')
        UNION SELECT source_id, response_id FROM core.rejected_responses WHERE source_id IN ('excluder', 'qualtricstools')
    """
    with duckdb.connect(str(other.published), read_only=True) as connection:
        before = set(_rows(connection, ids))
    _drop(other, _SECOND_LAYOUTS)
    _run(other)
    with duckdb.connect(str(other.published), read_only=True) as connection:
        after = set(_rows(connection, ids))
    assert after == before
    assert len(before) == 100 + 40


def test_a_home_may_be_moved_and_needs_no_cleaning_then(home: Home, tmp_path: Path) -> None:
    moved = Home(tmp_path / "elsewhere")
    shutil.copytree(home.root, moved.root)
    registry = load_registry(moved.registry)
    assert not any(stale_days(moved, registry, kind) for kind in KINDS)
    assert publish(moved, registry, run_id="moved").unchanged


def _open_minutes(opened: pd.Timestamp, resolved: pd.Timestamp) -> float:
    """Minutes between the two that lie on a weekday between 9:00 and 17:00, day by day."""
    total = 0.0
    for day in pd.date_range(opened.normalize(), resolved.normalize(), freq="B"):
        start, end = max(opened, day + pd.Timedelta(hours=9)), min(resolved, day + pd.Timedelta(hours=17))
        total += max((end - start).total_seconds() / 60, 0)
    return total


def test_the_incidents_effort_is_that_of_an_independent_computation(
    published: duckdb.DuckDBPyConnection,
) -> None:
    log = pd.read_csv(real_data(_DROPS["incidents"][0]), na_values="?", low_memory=False)
    for name in ("opened_at", "resolved_at", "closed_at", "sys_updated_at"):
        log[name] = pd.to_datetime(log[name], format="%d/%m/%Y %H:%M")
    # The last event of an incident closes it.
    last = log[log["incident_state"] == "Closed"].sort_values(["sys_updated_at", "sys_mod_count"])
    last = last.groupby("number").tail(1).set_index("number").sort_index()
    resolved = last["resolved_at"].fillna(last["closed_at"])
    minutes = (resolved - last["opened_at"]).dt.total_seconds() / 60

    found = (
        published.execute(
            """
            SELECT ticket_id, coalesce(tickets.category, '?') AS category, ticket_effort.resolution_minutes,
                resolution_business_minutes, ticket_effort.reopens, ticket_effort.handoffs
            FROM mart.ticket_effort JOIN core.tickets USING (ticket_key) WHERE tickets.source_id = 'incidents'
            """
        )
        .df()
        .set_index("ticket_id")
        .sort_index()
    )
    assert found.index.tolist() == last.index.tolist()
    assert found["resolution_minutes"].to_numpy() == pytest.approx(minutes.to_numpy())
    assert found["reopens"].tolist() == last["reopen_count"].tolist()
    assert found["handoffs"].tolist() == last["reassignment_count"].tolist()
    some = found.index[::40]
    business = [_open_minutes(last.at[number, "opened_at"], resolved[number]) for number in some]
    assert found.loc[some, "resolution_business_minutes"].to_numpy() == pytest.approx(business, abs=1e-6)

    by_category = published.execute(
        "SELECT category, tickets, median_resolution_minutes, reopened_share FROM mart.category_effort "
        "WHERE period = 'all' AND category IN (SELECT category FROM core.tickets WHERE source_id = 'incidents')"
    ).fetchall()
    expected = minutes.groupby(last["category"]).agg(["size", "median"])
    expected["reopened"] = (last["reopen_count"] > 0).groupby(last["category"]).mean()
    shown = {category: figures for category, *figures in by_category}
    assert set(shown) == set(expected.index)
    for category, row in expected[expected["size"] >= 30].iterrows():
        assert shown[category] == pytest.approx([row["size"], row["median"], row["reopened"]])

"""Real exports give the rows, zones and counts that are known from their publishers."""

from collections import Counter
from pathlib import Path
from statistics import mean

import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.profiling import Inspection, inspect_file
from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline.vendors.recognise import recognise
from ces_pipeline_tests.real_data import real_data

EXCLUDER = "surveys/qualtrics/excluder_qualtrics_{}.csv"
PROJOINT = "surveys/qualtrics/projoint_mummolo_nall_replication.csv.gz"
PAIRS = "surveys/qualtrics/qualtricstools/{}_{}.csv"
TYPEFORM = "surveys/typeform/fcc_2016_new_coder_part1_submitted_before_2016-04-01.csv.gz"
EVENT_LOG = "tickets/servicenow/uci_incident_event_log_opened_before_2016-04-01.csv.gz"
RECORDED = "tickets/zendesk/zenpy_recorded/{}.test_pagination.jsonl.gz"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return load_registry(tmp_path)


def rows_of(name: str) -> tuple[Export, list[dict[str, str | None]]]:
    """The export by the reader that recognises it best, and its rows by our fields and its own columns."""
    file = DeliveredFile(real_data(name))
    export = recognise(file)[0][0].read(file, None)
    rows = [row for batch in export.batches for row in batch.to_pylist()]
    assert export.unreadable == []
    return export, [{**row, **{ours: row[column] for ours, column in export.mapping.items()}} for row in rows]


def ends(inspection: Inspection, field: str) -> tuple[str | None, str | None]:
    return next((time.earliest, time.latest) for time in inspection.times if time.field == field)


@pytest.mark.parametrize(
    ("layout", "zone", "first"),
    [("raw", "America/Chicago", "12:06:43"), ("numeric", "UTC", "18:06:43"), ("text", "UTC", "18:06:43")],
)
def test_three_layouts_of_the_same_hundred_respondents(
    registry: Registry, layout: str, zone: str, first: str
) -> None:
    found = inspect_file(real_data(EXCLUDER.format(layout)), registry)
    assert (found.reader.name, found.rows, found.unreadable, found.time_zone) == (
        "qualtrics_csv",
        100,
        0,
        zone,
    )
    assert found.time_zone_is == ("stated in the file" if layout == "raw" else "assumed")
    assert ends(found, "started_at")[0] == f"2020-12-11 {first}"
    counts = found.counts
    assert (counts["tests"], counts["unfinished"]) == (2, 6)
    assert (counts["under_100_seconds"], counts["under_200_seconds"], counts["over_800_seconds"]) == (
        4,
        23,
        2,
    )
    assert (counts["shared_ip"], counts["shared_location"], counts["repeated_ids"]) == (7, 10, 0)


def test_three_layouts_hold_the_same_ids() -> None:
    ids = [
        [row["response_id"] for row in rows_of(EXCLUDER.format(layout))[1]]
        for layout in ("raw", "numeric", "text")
    ]
    assert ids[0] == ids[1] == ids[2]


def test_current_qualtrics_export_with_line_breaks_in_its_header(registry: Registry) -> None:
    found = inspect_file(real_data(PROJOINT), registry)
    assert (found.rows, len(found.columns), found.time_zone) == (518, 218, "America/New_York")
    assert (found.counts["unfinished"], found.counts["tests"], found.counts["repeated_ids"]) == (35, 0, 0)
    assert [found.counts[f"under_{limit}_seconds"] for limit in (30, 60, 120)] == [40, 72, 141]
    assert ends(found, "started_at")[0] == "2022-03-01 10:44:06"
    assert ends(found, "recorded_at")[1] == "2022-03-07 02:53:21"


def test_the_authors_rule_finds_their_four_hundred() -> None:
    _, rows = rows_of(PROJOINT)
    kept = {
        row["response_id"]
        for row in rows
        if (row["finished"], row["Q1.2"], row["Q3.1"]) == ("True", "Yes", "Assemble")
    }
    listed = (
        real_data("surveys/qualtrics/projoint_mummolo_nall_replication_kept_ids.csv").read_text().split()[1:]
    )
    assert kept == {line.strip('"') for line in listed}
    assert len(kept) == 400
    assert [row["row_number"] for row in rows] == list(range(4, 522))


@pytest.mark.parametrize(
    ("pair", "responses"), [("matrix_multi", 5), ("mc_multi", 5), ("no_basis", 15), ("many_types", 5)]
)
def test_legacy_and_current_layouts_of_the_same_responses(pair: str, responses: int) -> None:
    legacy, current = (rows_of(PAIRS.format(pair, layout)) for layout in ("legacy", "insights"))
    fields = set(legacy[0].mapping) & set(current[0].mapping)
    assert {"response_id", "started_at", "submitted_at", "finished", "status", "ip_address"} <= fields
    assert len(legacy[1]) == len(current[1]) == responses
    assert [row["response_id"] for row in legacy[1]] == [row["response_id"] for row in current[1]]
    assert {row["status"] for _, rows in (legacy, current) for row in rows} == {"2"}
    assert legacy[0].values["status"]["2"] == "test"
    same_times = [
        one["started_at"] == other["started_at"] for one, other in zip(legacy[1], current[1], strict=True)
    ]
    assert all(same_times) is (pair != "no_basis")


def test_legacy_export_that_lasts_no_time(registry: Registry) -> None:
    found = inspect_file(real_data(PAIRS.format("survey_logic", "legacy")), registry)
    assert (found.rows, found.counts["tests"], found.counts["unfinished"]) == (10, 10, 0)


def test_surveymonkey_with_a_twelve_hour_clock(registry: Registry) -> None:
    found = inspect_file(real_data("surveys/surveymonkey/fte_masculinity_raw_responses.csv.gz"), registry)
    assert (found.reader.name, found.rows, len(found.columns)) == ("surveymonkey_csv", 1615, 98)
    assert found.counts["ends_before_start"] == 20
    assert any("12-hour clock without AM/PM" in note for note in found.notes)
    assert [end[:10] for end in ends(found, "started_at") if end] == ["2018-05-10", "2018-05-22"]
    _, rows = rows_of("surveys/surveymonkey/fte_masculinity_raw_responses.csv.gz")
    answers = Counter(row["q0001"] for row in rows)
    assert answers["Somewhat masculine"] == 826
    assert answers["No answer"] == 14


def test_surveymonkey_with_two_header_rows_in_windows_1252() -> None:
    export, rows = rows_of("surveys/surveymonkey/fte_star_wars.csv.gz")
    assert (len(rows), len(export.columns), rows[0]["row_number"]) == (1186, 38, 3)
    assert len({row["response_id"] for row in rows}) == 1186
    seen = Counter(row["Have you seen any of the 6 films in the Star Wars franchise?"] for row in rows)
    assert seen == {"Yes": 936, "No": 250}
    assert "Œæ" in next(name for name in export.columns if "Expanded Universe?Œ" in name)
    assert not any(name.startswith("column_") for name in export.columns)


def test_typeform(registry: Registry) -> None:
    found = inspect_file(real_data(TYPEFORM), registry)
    assert (found.reader.name, found.rows, len(found.columns), found.time_zone) == (
        "typeform_csv",
        6172,
        51,
        "UTC",
    )
    assert [found.counts[f"under_{limit}_seconds"] for limit in (30, 60, 120)] == [10, 83, 1553]
    assert (found.counts["ends_before_start"], found.counts["repeated_ids"]) == (0, 0)
    assert (found.counts["shared_device"], found.counts["identical_answers"]) == (143, 10)
    _, rows = rows_of(TYPEFORM)
    assert Counter((row["submitted_at"] or "")[:10] for row in rows) == {
        "2016-03-29": 528,
        "2016-03-30": 3577,
        "2016-03-31": 2067,
    }


@pytest.mark.parametrize(
    ("year", "rows", "columns", "blank", "average"), [(2019, 259, 24, 4, 3.4745), (2020, 239, 25, 7, 3.3664)]
)
def test_google_forms_with_a_real_ease_item(
    registry: Registry, year: int, rows: int, columns: int, blank: int, average: float
) -> None:
    name = f"surveys/google_forms/dask_{year}_user_survey.csv.gz"
    found = inspect_file(real_data(name), registry, scale="ease_1_4")
    assert (found.reader.name, found.rows, len(found.columns)) == ("google_forms_csv", rows, columns)
    assert (found.counts["blank_score"], found.counts["off_the_scale"]) == (blank, 0)
    assert found.proposal.surveys[0]["scale"] == "ease_1_4"
    score = found.proposal.sources[0]["columns"]["score"]
    given = [float(row[score] or "") for row in rows_of(name)[1] if row[score]]
    assert round(mean(given), 4) == average


def test_google_forms_times_are_read(registry: Registry) -> None:
    found = inspect_file(real_data("surveys/google_forms/dask_2020_user_survey.csv.gz"), registry)
    assert ends(found, "submitted_at")[0] == "2020-06-05 16:34:01"
    assert found.times[0].unreadable == 0


def test_surveygizmo(registry: Registry) -> None:
    found = inspect_file(real_data("surveys/surveygizmo/jupyter_2015_ux_SurveyExport.csv.gz"), registry)
    assert (found.reader.name, found.rows, len(found.columns)) == ("surveygizmo_csv", 1706, 37)
    assert (found.counts["unfinished"], found.counts["under_30_seconds"], found.counts["repeated_rows"]) == (
        927,
        641,
        2,
    )
    assert ends(found, "started_at")[0] == "2015-12-21 22:21:47"
    assert ends(found, "submitted_at")[1] == "2016-01-15 11:05:22"


def test_themes_split_at_semicolons() -> None:
    export, rows = rows_of("surveys/surveygizmo/jupyter_2015_ux_hinderances_themes.csv")
    assert (len(rows), len(export.columns)) == (763, 3)
    assert sum(row["hinderances_themes"] is not None for row in rows) == 669


def test_touchpoint_placeholders_are_no_scores(registry: Registry) -> None:
    name = "surveys/touchpoints/sample_cx_responses_upload.csv.gz"
    found = inspect_file(real_data(name), registry, score="positive_ease", scale="ease_1_7")
    assert (found.rows, len(found.columns), found.counts["off_the_scale"]) == (1000, 17, 1000)


def test_touchpoints_with_a_byte_order_mark() -> None:
    export, rows = rows_of("surveys/touchpoints/sample_cx_responses_upload_with_bom.csv")
    assert (export.columns[0], len(rows)) == ("external_id", 4)
    assert sum(row["question_4"] is None for row in rows) >= 1


def test_servicenow_event_log(registry: Registry) -> None:
    found = inspect_file(real_data(EVENT_LOG), registry)
    assert (found.reader.name, found.kind, found.rows, len(found.columns)) == (
        "servicenow",
        "tickets",
        59354,
        36,
    )
    assert found.counts["unique_tickets"] == 9202
    assert (found.counts["solved_before_created"], found.counts["closed_before_created"]) == (0, 0)
    assert found.counts["repeated_rows"] == 0
    assert ends(found, "created_at") == ("2016-02-29 01:16:00", "2016-03-31 23:53:00")
    assert ends(found, "updated_at") == ("2016-02-29 01:23:00", "2017-02-08 18:07:00")
    export, rows = rows_of(EVENT_LOG)
    assert Counter(row["status"] for row in rows)["Active"] == 18734
    assert sum(n - 1 for n in Counter((row["ticket_id"], row["version"]) for row in rows).values()) == 5
    assert len({row["ticket_id"] for row in rows if row["solved_at"] is None}) == 783
    assert len({(row["updated_at"] or "").split()[0] for row in rows}) == 251
    assert set(export.people) == {
        "opened_by",
        "sys_created_by",
        "sys_updated_by",
        "assigned_to",
        "resolved_by",
    }


def test_zendesk_incremental_pages_overlap_and_hold_deletions(registry: Registry) -> None:
    found = inspect_file(real_data(RECORDED.format("TicketsIncrementalTest")), registry)
    assert (found.reader.name, found.rows) == ("zendesk_json", 2204)
    assert (found.counts["unique_tickets"], found.counts["unique_versions"]) == (1001, 1001)
    assert ends(found, "created_at") == ("2023-09-18 15:57:42", "2023-09-18 18:45:13")
    _, rows = rows_of(RECORDED.format("TicketsIncrementalTest"))
    latest = {row["ticket_id"]: row for row in sorted(rows, key=lambda row: int(row["version"] or 0))}
    assert Counter(row["status"] for row in latest.values()) == {"new": 485, "deleted": 516}
    assert Counter(row["is_deleted"] for row in latest.values()) == {"false": 485, "true": 516}
    assert {(row["channel"], row["priority"], row["csat"]) for row in rows} == {("api", None, None)}


def test_zendesk_ticket_list_among_other_exchanges() -> None:
    _, rows = rows_of(RECORDED.format("TestTicketsPagination"))
    assert len(rows) == 310
    unique = {row["ticket_id"]: row for row in rows}
    assert len(unique) == 100
    assert Counter(row["status"] for row in unique.values()) == {"open": 1, "new": 99}
    assert Counter(row["channel"] for row in unique.values()) == {"sample_ticket": 1, "web": 1, "api": 98}
    assert unique["1"]["subject"] == "Sample ticket: Meet the ticket"


def test_zendesk_audits_are_no_tickets() -> None:
    file = DeliveredFile(real_data("tickets/zendesk/zenpy_recorded/TestTicketAudits.test_values.jsonl.gz"))
    with pytest.raises(UnreadableFileError, match="it holds audits"):
        READERS["zendesk_json"].read(file, None)


@pytest.mark.parametrize(
    ("name", "tickets", "status", "priority"),
    [
        ("all_tickets", 1, "open", "low"),
        ("ticket_1", 1, "open", "low"),
        ("ticket_1_updated", 1, "resolved", "high"),
        ("search_tickets", 2, "open", "low"),
    ],
)
def test_freshdesk(name: str, tickets: int, status: str, priority: str) -> None:
    export, rows = rows_of(f"tickets/freshdesk/v2_{name}.json")
    assert len(rows) == tickets
    assert {row["ticket_id"] for row in rows} == {"1"}
    assert export.values["status"][rows[0]["status"] or ""] == status
    assert export.values["priority"][rows[0]["priority"] or ""] == priority


@pytest.mark.parametrize(
    "name", ["agents", "companies", "contacts", "conversations", "groups", "time_entries"]
)
def test_other_freshdesk_records_are_no_tickets(name: str) -> None:
    file = DeliveredFile(real_data(f"tickets/freshdesk/v2_{name}.json"))
    assert recognise(file)[0][0].name == "json"
    with pytest.raises(UnreadableFileError, match=f"Freshdesk {name.replace('_', ' ')}, not tickets"):
        READERS["freshdesk_json"].read(file, None)


def test_complaints_with_the_month_first(registry: Registry) -> None:
    found = inspect_file(real_data("tickets/cfpb/consumer_complaints.csv.gz"), registry)
    assert (found.reader.name, found.kind, found.rows, len(found.columns)) == ("csv", "tickets", 3186, 14)
    assert found.counts["repeated_rows"] == 11
    assert ends(found, "created_at") == ("2013-06-04 00:00:00", "2017-02-23 00:00:00")
    assert found.proposal.sources[0]["date_order"] == "month"
    _, rows = rows_of("tickets/cfpb/consumer_complaints.csv.gz")
    assert Counter(row["Consumer disputed?"] for row in rows) == {"No": 2534, "Yes": 595, None: 57}

"""Protects recognising: a format is known by several of its marks together; one common word makes no vendor."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.vendors.recognise import recognise
from ces_pipeline_tests.unit.vendors.reading import delivered, read

# reader -> an export of two answers, and what each field of ours is in the first
EXPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "limesurvey_csv": (
        '"Response ID","Date submitted","Last page","Start language","Date started","Date last action","How easy?"\n'
        '"1","2026-11-02 09:16:00","2","de","2026-11-02 09:15:00","2026-11-02 09:16:01","6"\n'
        '"2","","1","de","2026-11-02 09:35:00","2026-11-02 09:36:00","5"\n',
        {
            "response_id": "1",
            "submitted_at": "2026-11-02 09:16:00",
            "recorded_at": "2026-11-02 09:16:01",
            "finished": "true",
            "language": "de",
        },
    ),
    "microsoft_forms_xlsx": (
        "ID;Startzeit;Fertigstellungszeit;E-Mail;Name;Wie einfach war es?\n"
        "1;2026-11-02 09:15:00;2026-11-02 09:16:00;ann@example.org;Ann Example;6\n"
        "2;2026-11-02 09:25:00;2026-11-02 09:26:00;anonymous;;2\n",
        {"response_id": "1", "submitted_at": "2026-11-02 09:16:00", "respondent": "ann@example.org"},
    ),
    "tally_csv": (
        "Submission ID,Respondent ID,Submitted at,How easy was it?\n"
        "aB1,rX9,2026-11-02 09:15:00,6\neF3,rX9,2026-11-05 10:40:00,2\n",
        {"response_id": "aB1", "respondent": "rX9"},
    ),
    "jotform_csv": (
        'Submission Date,How easy was it?,Submission ID\n"Nov 2, 2026",6,5512345\n"Nov 3, 2026",2,5512346\n',
        {"response_id": "5512345", "submitted_at": "Nov 2, 2026"},
    ),
    "formbricks_csv": (
        '"No.","Response ID","Timestamp","Finished","Survey ID","User ID","1. How easy was it?"\n'
        '"1","clx1","2026-11-02 09:15:00","Yes","sv1","u7","6"\n"2","clx2","2026-11-02 09:16:00","No","sv1","","5"\n',
        {"response_id": "clx1", "finished": "Yes", "survey": "sv1", "respondent": "u7"},
    ),
    "delighted_csv": (
        "ID,Person ID,Email,Survey type,Score,Comment,Created at\n"
        "1,10,ann@example.org,ces,6,quick,2026-11-02 09:15:00\n2,11,bob@example.org,ces,2,,2026-11-02 09:16:00\n",
        {"response_id": "1", "respondent": "10", "score": "6", "comment": "quick"},
    ),
    "posthog_csv": (
        "uuid,event,distinct_id,timestamp,properties.$survey_id,properties.$survey_submission_id,"
        "properties.$survey_response_q1,properties.$survey_completed\n"
        "e1,survey sent,ds1,2026-11-02T09:15:00.000Z,sv1,s1,6,false\n"
        "e2,survey sent,ds1,2026-11-02T09:15:40.000Z,sv1,s1,6,true\n",
        {"response_id": "s1", "respondent": "ds1", "finished": "false"},
    ),
    "kobotoolbox_csv": (
        "start;end;How easy was it?;_id;_uuid;_submission_time;_validation_status;_submitted_by;_index\n"
        "2026-11-02T09:15:00+01:00;2026-11-02T09:16:00+01:00;6;71;u-1;2026-11-02T08:16:05;;ann;1\n"
        "2026-11-02T09:25:00+01:00;2026-11-02T09:26:00+01:00;2;72;u-2;2026-11-02T08:26:05;;bob;2\n",
        {
            "response_id": "u-1",
            "recorded_at": "2026-11-02T08:16:05",
            "submitted_at": "2026-11-02T09:16:00+01:00",
        },
    ),
    "redcap_csv": (
        "record_id,redcap_survey_identifier,effort_timestamp,ease,effort_complete\n"
        "1,p-1,2026-11-02 09:15:00,6,2\n2,p-2,2026-11-02 09:16:00,2,0\n",
        {"response_id": "1", "respondent": "p-1", "submitted_at": "2026-11-02 09:15:00", "finished": "2"},
    ),
}


@pytest.mark.parametrize("reader", EXPORTS)
def test_an_export_is_known_by_name_and_its_fixed_columns_are_mapped(tmp_path: Path, reader: str) -> None:
    text, fields = EXPORTS[reader]
    file = delivered(tmp_path, text)
    assert recognise(file)[0][0].name == reader
    export, rows = read(reader, file)
    assert len(rows) == 2
    assert {name: rows[0][export.mapping[name]] for name in fields} == fields


def test_an_answer_without_a_submit_date_is_unfinished_in_limesurvey(tmp_path: Path) -> None:
    export, rows = read("limesurvey_csv", delivered(tmp_path, EXPORTS["limesurvey_csv"][0]))
    assert [row[export.mapping["finished"]] for row in rows] == ["true", "false"]


@pytest.mark.parametrize(
    "header",
    [
        "Respondent ID,Submission Key,When,How easy was it?",
        "Response ID,Respondent ID,Status,Started At,Submitted At,How easy was it?",
        "Timestamp,Response ID,Email,Effort score",
        "response_id,submitted_at,How easy was it?,finished,progress,status",
        "Response ID,Date submitted,Date started,How easy was it?",
        "ID,Start time,How easy was it?",
        "event,timestamp,How easy was it?",
        "record_id,When,How easy was it?",
    ],
)
def test_words_that_many_products_use_make_no_vendor(tmp_path: Path, header: str) -> None:
    cells = ",".join("x" for _ in header.split(","))
    assert recognise(delivered(tmp_path, f"{header}\n{cells}\n"))[0][0].name == "csv"


@pytest.mark.parametrize(
    ("stamp", "reader"),
    [
        ("2026/11/02 9:15:00 AM GMT+1", "google_forms_csv"),
        ("11/2/2026 9:15:00", "google_forms_csv"),
        ("02.11.2026 09:15:00", "google_forms_csv"),
        ("1772443800", "csv"),
        ("Monday", "csv"),
    ],
)
def test_a_first_column_timestamp_is_google_forms_if_its_cells_are_googles(
    tmp_path: Path, stamp: str, reader: str
) -> None:
    file = delivered(tmp_path, f"Timestamp,How easy was it?,Why?\n{stamp},6,quick\n")
    assert recognise(file)[0][0].name == reader

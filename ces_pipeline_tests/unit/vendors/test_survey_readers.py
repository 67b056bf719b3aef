"""What each survey platform's layouts mean: ids, times, zones, codes, people, slides of one response."""

import json
from pathlib import Path

import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline.vendors.recognise import recognise
from ces_pipeline_tests.unit.vendors.reading import delivered, read

IDS = [
    "startDate",
    "status",
    "finished",
    "_recordId",
    "recipientEmail",
    "externalDataReference",
    "QID3",
    "recipientLastName",
]
NAMES = [
    "StartDate",
    "Status",
    "Finished",
    "ResponseId",
    "RecipientEmail",
    "ExternalReference",
    "Q3",
    "RecipientLastName",
]
TEXTS = [
    "Start Date",
    "Response Type",
    "Finished",
    "Response ID",
    "Recipient Email",
    "Ext",
    "How easy\nwas it?",
    "Last",
]
ROW = ["2026-03-01 10:00:00", "0", "1", "R_1", "a@example.com", "T-1", "7", "Doe"]


def csv_text(*rows: list[str]) -> str:
    return "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows) + "\r\n"


def import_ids(ids: list[str], zone: str = "America/Denver") -> list[str]:
    return [
        json.dumps(
            {"ImportId": name} | ({"timeZone": zone} if name.endswith("Date") else {}), separators=(",", ":")
        )
        for name in ids
    ]


class TestQualtrics:
    def test_three_header_rows(self, tmp_path: Path) -> None:
        export, rows = read(
            "qualtrics_csv", delivered(tmp_path, csv_text(NAMES, TEXTS, import_ids(IDS), ROW))
        )
        assert [(row["ResponseId"], row["row_number"]) for row in rows] == [("R_1", 4)]
        assert export.time_zone == "America/Denver"
        assert export.mapping == {
            "started_at": "StartDate",
            "status": "Status",
            "finished": "Finished",
            "response_id": "ResponseId",
            "respondent": "RecipientEmail",
            "external_id": "ExternalReference",
        }
        assert export.people == ("RecipientLastName",)
        assert export.questions["Q3"] == "How easy was it?"

    def test_import_ids_are_followed_where_names_are_translated(self, tmp_path: Path) -> None:
        names = [f"Spalte {n}" for n in range(len(IDS))]
        export, _ = read("qualtrics_csv", delivered(tmp_path, csv_text(names, TEXTS, import_ids(IDS), ROW)))
        assert export.mapping["response_id"] == "Spalte 3"
        assert export.people == ("Spalte 7",)

    def test_single_quoted_import_ids_with_panel_prefix(self, tmp_path: Path) -> None:
        names = ["ResponseID", "RecipientEmail", "Q1"]
        ids = ["{'ImportId': 'responseId'}", "{'ImportId': 'panel-RecipientEmail'}", "{'ImportId': 'QID1'}"]
        file = delivered(tmp_path, csv_text(names, names, ids, ["R_1", "", "2"]))
        export, rows = read("qualtrics_csv", file)
        assert export.mapping == {"response_id": "ResponseID", "respondent": "RecipientEmail"}
        assert (export.time_zone, len(rows)) == (None, 1)

    def test_legacy_layout_takes_names_from_both_rows(self, tmp_path: Path) -> None:
        first = [*(f"V{n}" for n in range(1, 11)), "Q1", "Q1", ""]
        second = [
            "ResponseID",
            "ResponseSet",
            "Name",
            "ExternalDataReference",
            "EmailAddress",
            "IPAddress",
            "Status",
            "StartDate",
            "EndDate",
            "Finished",
            "How easy?",
            "Why?",
            "",
        ]
        row = ["R_1", "Set", "Anonymous", "", "", "1.2.3.4", "2", "t", "t", "1", "5", "x", ""]
        export, rows = read(
            "qualtrics_csv", delivered(tmp_path, b"\xef\xbb\xbf" + csv_text(first, second, row).encode())
        )
        assert export.columns[:3] == ("ResponseID", "ResponseSet", "Name")
        assert export.columns[10:] == ("Q1", "Q1_2", "column_13")
        assert export.mapping["ip_address"] == "IPAddress"
        assert export.people == ("Name",)
        assert rows[0]["row_number"] == 3

    def test_a_deleted_import_id_row_does_not_land_the_questions(self, tmp_path: Path) -> None:
        assert len(read("qualtrics_csv", delivered(tmp_path, csv_text(NAMES, TEXTS, ROW)))[1]) == 1

    def test_one_header_row(self, tmp_path: Path) -> None:
        file = delivered(tmp_path, csv_text(NAMES, ROW))
        assert read("qualtrics_csv", file)[1][0]["row_number"] == 2
        assert recognise(file)[0][0].name == "qualtrics_csv"

    @pytest.mark.parametrize(
        ("value", "meaning"),
        [
            ("0", "normal"),
            ("ip address", "normal"),
            ("16", "normal"),
            ("4", "normal"),
            ("1", "test"),
            ("2", "test"),
            ("8", "test"),
            ("9", "test"),
            ("12", "test"),
            ("17", "test"),
            ("survey preview", "test"),
            ("survey test", "test"),
            ("spam", "test"),
        ],
    )
    def test_status_codes(self, tmp_path: Path, value: str, meaning: str) -> None:
        export, _ = read("qualtrics_csv", delivered(tmp_path, csv_text(NAMES, ROW)))
        assert export.values["status"][value] == meaning

    def test_a_zone_that_does_not_exist_is_reported_and_not_used(self, tmp_path: Path) -> None:
        file = delivered(tmp_path, csv_text(NAMES, TEXTS, import_ids(IDS, "Mars/Base"), ROW))
        export, _ = read("qualtrics_csv", file)
        assert export.time_zone is None
        assert "Mars/Base" in export.notes[0]

    def test_the_tab_separated_utf16_export(self, tmp_path: Path) -> None:
        text = csv_text(NAMES, TEXTS, import_ids(IDS), ROW).replace('","', '"\t"')
        export, rows = read("qualtrics_csv", delivered(tmp_path, text.encode("utf-16"), "e.tsv"))
        assert (len(rows), export.time_zone) == (1, "America/Denver")


def slide(
    participant: str | None, slide_id: str, response: str, at: str, **more: object
) -> dict[str, object]:
    return {
        "_id": f"{participant}{slide_id}{at}",
        "participantId": participant,
        "pollId": "p1",
        "slideId": slide_id,
        "response": response,
        "createdAt": f"2026-01-01T00:00:{at}Z",
        **more,
    }


class TestZigpoll:
    ANSWERS = (
        slide("u1", "s2", "was fine", "09", metadata={"email": "a@example.com", "n": 1}),
        slide("u2", "s1", "3", "08"),
        slide("u1", "s1", "6", "05", metadata={"email": None, "ticket_id": "T-1"}),
    )

    @pytest.mark.parametrize("layout", ["envelope", "list", "lines", "lines of pages"])
    def test_slides_make_one_response(self, tmp_path: Path, layout: str) -> None:
        answers = list(self.ANSWERS)
        text = {
            "envelope": json.dumps({"data": answers, "hasNextPage": False}),
            "list": json.dumps(answers, indent=1),
            "lines": "\n".join(map(json.dumps, answers)),
            "lines of pages": "\n".join(json.dumps({"data": [answer]}) for answer in answers),
        }[layout]
        file = delivered(tmp_path, text, "zigpoll.json")
        assert recognise(file)[0][0].name == "zigpoll_json"
        export, rows = read("zigpoll_json", file)
        first, second = rows
        assert (first["slide:s1"], first["slide:s2"], first["createdAt"]) == (
            "6",
            "was fine",
            "2026-01-01T00:00:09Z",
        )
        assert (first["metadata.email"], first["metadata.ticket_id"]) == ("a@example.com", "T-1")
        assert (second["slide:s1"], second["slide:s2"], second["row_number"]) == ("3", None, 2)
        assert first["response_id"] != second["response_id"]
        assert export.mapping["respondent"] == "metadata.email"
        assert export.mapping["ticket_id"] == "metadata.ticket_id"
        assert export.mapping["survey"] == "pollId"
        assert "3 slide answers make 2 responses" in export.notes

    def test_the_order_of_answers_does_not_matter(self, tmp_path: Path) -> None:
        answers = [slide("u1", "s1", "2", "01"), slide("u1", "s1", "5", "07"), slide("u1", "s2", "x", "03")]
        forth = read("zigpoll_json", delivered(tmp_path, json.dumps(answers), "a.json"))[1]
        back = read("zigpoll_json", delivered(tmp_path, json.dumps(answers[::-1]), "b.json"))[1]
        assert forth == back
        assert forth[0]["slide:s1"] == "5"
        assert json.loads(forth[0]["earlier_answers"]) == [{"slide:s1": "2"}]

    def test_answers_without_participant_are_responses_of_their_own(self, tmp_path: Path) -> None:
        answers = [slide(None, "s1", "2", "01"), slide(None, "s1", "5", "07")]
        rows = read("zigpoll_json", delivered(tmp_path, json.dumps(answers), "a.json"))[1]
        assert len({row["response_id"] for row in rows}) == 2

    def test_broken_lines_and_other_records_are_set_aside(self, tmp_path: Path) -> None:
        lines = [json.dumps(slide("u", "s1", "2", "01")), "{", json.dumps({"title": "poll"})]
        export, rows = read("zigpoll_json", delivered(tmp_path, "\n".join(lines), "a.jsonl"))
        assert len(rows) == 1
        assert {bad.row_number: bad.problem for bad in export.unreadable} == {
            2: "this line is not a JSON object",
            3: "not an answer to a slide",
        }

    def test_other_json_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match="no Zigpoll answers"):
            read("zigpoll_json", delivered(tmp_path, '[{"a": 1}]', "a.json"))


class TestMedallia:
    NODES = (
        {
            "id": "1",
            "score": {"values": ["5"]},
            "e_responsedate": {"values": ["2026-01-01"]},
            "many": {"values": ["a", "b"]},
        },
        {"id": "2", "score": {"values": []}, "e_responsedate": "2026-01-02", "many": None},
    )

    @pytest.mark.parametrize("layout", ["query", "list", "lines"])
    def test_lists_of_values_become_values(self, tmp_path: Path, layout: str) -> None:
        nodes = list(self.NODES)
        text = {
            "query": json.dumps(
                {"data": {"feedback": {"totalCount": 2, "nodes": nodes}}, "errors": [{"m": 1}]}
            ),
            "list": json.dumps(nodes),
            "lines": "\n".join(map(json.dumps, nodes)),
        }[layout]
        export, rows = read("medallia_json", delivered(tmp_path, text, "m.json"))
        assert [(row["score"], row["many"]) for row in rows] == [("5", '["a", "b"]'), (None, None)]
        assert export.mapping == {"response_id": "id", "submitted_at": "e_responsedate"}

    def test_errors_without_data_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match="errors and no data"):
            read(
                "medallia_json", delivered(tmp_path, '{"errors": [{"message": "x"}], "data": null}', "m.json")
            )

    def test_csv(self, tmp_path: Path) -> None:
        file = delivered(tmp_path, "a_surveyid,e_responsedate,q_easy\n1,2026-01-01,5\n")
        assert recognise(file)[0][0].name == "medallia_csv"
        assert read("medallia_csv", file)[0].mapping["response_id"] == "a_surveyid"


class TestSurveyMonkey:
    def test_two_header_rows_name_each_option(self, tmp_path: Path) -> None:
        text = (
            "RespondentID,Start Date,Easy?,Which apply?,,,Why?\n"
            ",,Response,Speed,Tone,Response,Open-Ended Response\n"
            "1,5/10/18 4:01,Yes,Speed,,x,because\n"
        )
        export, rows = read("surveymonkey_csv", delivered(tmp_path, text))
        assert export.columns == (
            "RespondentID",
            "Start Date",
            "Easy?",
            "Which apply? - Speed",
            "Which apply? - Tone",
            "Which apply? - Response",
            "Why?",
        )
        assert rows[0]["row_number"] == 3
        assert export.mapping == {"response_id": "RespondentID", "started_at": "Start Date"}

    def test_one_header_row(self, tmp_path: Path) -> None:
        file = delivered(
            tmp_path, ",StartDate,EndDate,q0001,q0002_0001,q0003\n1,5/10/18 4:01,5/10/18 4:06,a,b,\n"
        )
        export, rows = read("surveymonkey_csv", file)
        assert recognise(file)[0][0].name == "surveymonkey_csv"
        assert (export.columns[0], rows[0]["row_number"]) == ("column_1", 2)
        assert (export.time_formats, export.date_order) == ((), None)

    def test_the_reader_does_not_guess_what_comes_first_in_its_dates(self, tmp_path: Path) -> None:
        text = "Respondent ID,Start Date,End Date,Date Modified,Q\n1,02/03/2026 10:15,04/03/2026 10:20,,a\n"
        export, _ = read("surveymonkey_csv", delivered(tmp_path, text))
        assert export.date_order is None
        assert export.mapping["submitted_at"] == "End Date"
        assert export.mapping["modified_at"] == "Date Modified"


def test_typeform_times_are_utc(tmp_path: Path) -> None:
    names = "#,Q,Other,Other,Response Type,Start Date (UTC),Submit Date (UTC),Network ID"
    text = f"{names}\nt,5,,None,partial,a,b,n\n"
    file = delivered(tmp_path, text)
    export, rows = read("typeform_csv", file)
    assert recognise(file)[0][0].name == "typeform_csv"
    assert export.time_zone == "UTC"
    assert export.mapping["device"] == "Network ID"
    assert export.values["finished"]["partial"] == "false"
    assert (rows[0]["Other"], rows[0]["Other_2"]) == (None, "None")


def test_google_forms_has_no_id(tmp_path: Path) -> None:
    file = delivered(
        tmp_path, "Timestamp,Email Address,How easy?\n2020/06/05 11:34:01 AM EST,a@example.com,3\n"
    )
    export, _ = read("google_forms_csv", file)
    assert recognise(file)[0][0].name == "google_forms_csv"
    assert export.mapping == {"submitted_at": "Timestamp", "respondent": "Email Address"}
    assert export.notes[0].startswith("no response id")


@pytest.mark.parametrize(
    ("header", "order"),
    [("Timestamp", None), ("Horodateur", "day"), ("Informazioni cronologiche", "day"), ("타임스탬프", "day")],
)
def test_only_an_english_google_form_may_write_the_month_first(
    tmp_path: Path, header: str, order: str | None
) -> None:
    file = delivered(tmp_path, f"{header},How easy?\n02/03/2026 10:15:00,3\n")
    assert recognise(file)[0][0].name == "google_forms_csv"
    export, _ = read("google_forms_csv", file)
    assert (export.date_order, len(export.notes)) == (order, 1)


def test_surveygizmo_status_shows_what_was_finished(tmp_path: Path) -> None:
    file = delivered(
        tmp_path, "Response ID,Time Started,Date Submitted,Status,Latitude,Q\n1,a,b,Partial,1.0,x\n"
    )
    export, _ = read("surveygizmo_csv", file)
    assert recognise(file)[0][0].name == "surveygizmo_csv"
    assert export.mapping["finished"] == "Status"
    assert export.values["finished"] == {
        "complete": "true",
        "disqualified": "true",
        "partial": "false",
        "abandoned": "false",
    }
    assert export.people == ("Latitude",)


def test_the_table_of_readers_is_keyed_by_name() -> None:
    assert {reader.name for reader in READERS.values()} == set(READERS)


def test_recognition_falls_back_to_the_generic_readers(tmp_path: Path) -> None:
    assert [reader.name for reader, _ in recognise(delivered(tmp_path, "a,b\n1,2\n"))] == ["csv"]
    assert [reader.name for reader, _ in recognise(delivered(tmp_path, '[{"a": 1}]', "e.json"))] == ["json"]
    assert recognise(delivered(tmp_path, "nothing of the kind", "e.txt")) == []
    with pytest.raises(UnreadableFileError, match="empty"):
        recognise(delivered(tmp_path, b"", "e.txt"))


def test_a_medallia_envelope_under_another_name_is_no_record(tmp_path: Path) -> None:
    file = delivered(tmp_path, '{"da": {"feedback": {"nodes": [{"id": "1"}, {"id": "2"}]}}}', "export.json")
    with pytest.raises(UnreadableFileError):
        read("medallia_json", file)

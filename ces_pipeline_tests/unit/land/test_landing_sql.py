"""Protects what one export's rows become: fields, people, texts, `extra`, ids and the day they lie on."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ces_pipeline.privacy.key import KEY_FILE
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline_tests.builders import DESK, NOW, WEB, InboxHome, answer, inbox_home, without

RECEIPT_DAY = NOW.date()


def landed(
    folder: Path, rows: Any, feed: dict[str, Any] = WEB, name: str = "export.csv", **files: Any
) -> InboxHome:
    """A home whose only source has landed one file without a failure."""
    home = inbox_home(folder, feed, **files)
    home.drop(name, rows, feed["id"])
    outcome = home.land(feed["id"])
    assert outcome.failures == ()
    return home


def pseudonym(home: InboxHome, value: str) -> str:
    return Pseudonyms((home.home.root / KEY_FILE).read_bytes()).of(value)


def test_mapped_columns_become_fields_and_a_person_only_a_key(tmp_path: Path) -> None:
    home = landed(tmp_path, [answer(1, score=5, comment=" so easy ", email="Ann@Example.org")])
    row = home.row()
    assert (row["response_id"], row["score"], row["comment"]) == ("r1", "5", "so easy")
    assert row["respondent_key"] == pseudonym(home, "ann@example.org")
    assert row["recorded_at"] == row["event_at"] == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert (row["row_number"], row["day"], row["extra"], row["problem"]) == (2, date(2026, 3, 2), {}, None)


def test_a_ticket_source_lands_by_the_day_of_the_update(tmp_path: Path) -> None:
    rows = [{"number": "T1", "state": "open", "updated": "2026-03-05T08:00:00Z", "email": "ann@example.org"}]
    home = landed(tmp_path, rows, DESK)
    row = home.row("desk")
    assert (row["ticket_id"], row["status"], row["day"]) == ("T1", "open", date(2026, 3, 5))
    assert row["requester_key"] == pseudonym(home, "ann@example.org")


def test_json_lines_land_like_a_table(tmp_path: Path) -> None:
    feed = {**WEB, "reader": "json", "columns": {**WEB["columns"], "respondent": "who.mail"}}
    lines = [
        {"id": "r1", "score": 3, "who": {"mail": "ann@example.org"}, "recorded": 1772443800250},
        {"id": "r2", "score": None, "who": None, "recorded": "2026-03-02T10:30:00+01:00"},
    ]
    home = landed(tmp_path, "\n".join(json.dumps(line) for line in lines), feed, "export.jsonl")
    first, second = home.rows()
    assert (first["score"], first["respondent_key"]) == ("3", pseudonym(home, "ann@example.org"))
    assert first["recorded_at"] == datetime(2026, 3, 2, 9, 30, 0, 250_000, tzinfo=UTC)
    assert (second["score"], second["respondent_key"], second["recorded_at"].hour) == (None, None, 9)


def test_the_mapping_of_the_registry_finds_a_column_in_other_letter_case_and_spacing(tmp_path: Path) -> None:
    feed = {**WEB, "columns": {"score": "how easy?", "recorded_at": "Recorded"}}
    assert landed(tmp_path, [{"How  EASY?": 2, "recorded": "2026-03-02"}], feed).row()["score"] == "2"


def test_the_first_filled_of_several_columns_counts(tmp_path: Path) -> None:
    """A question that an edit of the survey split into three columns, of which this file has two."""
    columns = {**WEB["columns"], "score": ["3. How easy?", "2. How easy?", "1. How easy?"]}
    rows = [
        {"id": number, "3. How easy?": three, "2. How easy?": two, "recorded": "2026-03-02"}
        for number, (three, two) in enumerate((("6", ""), ("", "5"), ("2", "7"), ("", "")))
    ]
    home = landed(tmp_path, rows, {**WEB, "columns": columns})
    assert [(row["score"], row["extra"]) for row in home.rows()] == [
        ("6", {}),
        ("5", {}),
        ("2", {}),
        (None, {}),
    ]


@pytest.mark.parametrize(
    ("day", "moment"),
    [("2026-02-14", datetime(2026, 2, 13, 23, tzinfo=UTC)), ("received", NOW)],
)
def test_answers_without_a_time_lie_on_the_day_that_the_source_says(
    tmp_path: Path, day: str, moment: datetime
) -> None:
    """Noon of the fixed day in Auckland is eleven in the evening before in UTC (summer time, +13)."""
    feed = {**without(WEB, "recorded_at"), "day": day, "time_zone": "Pacific/Auckland"}
    rows = [{"id": "r1", "score": 4}, {"id": "r2", "score": 5}]
    home = landed(tmp_path, rows, feed)
    assert {row["event_at"] for row in home.rows()} == {moment}
    home.drop("again.csv", [*rows, {"id": "r3", "score": 1}])
    later = home.land(now=NOW + timedelta(days=2))
    assert (later.rows_landed, later.rows_redelivered) == (1, 2)


def test_a_mapped_time_counts_even_where_the_source_has_a_day(tmp_path: Path) -> None:
    home = landed(tmp_path, [answer(1), answer(2, recorded="")], {**WEB, "day": "2026-02-14"})
    assert sorted(str(row["event_at"]) for row in home.rows()) == ["2026-03-02 12:00:00+00:00", "None"]


def test_values_are_translated_whatever_their_letter_case(tmp_path: Path) -> None:
    feed = {**WEB, "values": {"score": {"Very Easy": "5", "Mühelos, Größe STRASSE": "4", "Straße": "3"}}}
    given = ("very EASY", "mühelos, größe strasse", "STRAßE", "Easy")
    rows = [answer(number, score=score) for number, score in enumerate(given)]
    assert [row["score"] for row in landed(tmp_path, rows, feed).rows()] == ["5", "4", "3", "Easy"]


def test_texts_that_the_source_calls_missing_are_no_value_anywhere(tmp_path: Path) -> None:
    feed = {**WEB, "missing": ["NA", "-99"]}
    rows = [answer(1, score="NA", email="-99", note="NA"), answer(2, score="None", note="None")]
    first, second = landed(tmp_path, rows, feed).rows()
    assert (first["score"], first["respondent_key"], first["extra"]) == (None, None, {})
    assert (second["score"], second["extra"]) == ("None", {"note": "None"})


def test_ignored_columns_are_not_kept_and_do_not_make_a_row_new(tmp_path: Path) -> None:
    feed = {**WEB, "ignore": ["exported"]}
    home = landed(tmp_path, [answer(1, exported="monday", note="x")], feed)
    assert home.row()["extra"] == {"note": "x"}
    later = answer(2, exported="tuesday", note="x", recorded="2026-03-03")
    home.drop("again.csv", [answer(1, exported="tuesday", note="x"), later])
    assert (home.land().rows_redelivered, len(home.rows())) == (1, 2)


def test_unmapped_columns_are_kept_as_json_with_their_own_names(tmp_path: Path) -> None:
    odd = 'say "what"? \\ straße\tück'
    home = landed(
        tmp_path,
        [answer(1, **{odd: 'line one\nline "two" \\', "empty": "", "browser": "Chrome/88.0.4324.41"})],
    )
    name = 'say "what"? \\ straße ück'
    assert home.row()["extra"] == {name: 'line one\nline "two" \\', "browser": "Chrome/88.0.4324.41"}


def test_unmapped_columns_named_like_people_and_those_of_the_registry_are_pseudonymised(
    tmp_path: Path,
) -> None:
    feed = {**WEB, "people": ["handle"]}
    values = {
        "Phone Number": "+49 151 23456789",
        "last_name": "Canary",
        "handle": "Ann",
        "IP Address": "10.1.2.3",
    }
    home = landed(tmp_path, [answer(1, **values)], feed)
    assert home.row()["extra"] == {name: pseudonym(home, value) for name, value in values.items()}
    assert home.find("canary", "23456789", "10.1.2.3") == []


def test_texts_are_redacted_in_comments_answers_and_unmapped_columns(tmp_path: Path) -> None:
    reach = "ann@example.org, 415-555-2671, 4111 1111 1111 1111"
    home = landed(
        tmp_path, [answer(1, comment=f"{reach} acct 123456789", score=reach, note=reach, order="123456789")]
    )
    row = home.row()
    assert row["comment"] == "[email], [phone], [card] acct [number]"
    assert row["score"] == row["extra"]["note"] == "[email], [phone], [card]"
    assert row["extra"]["order"] == "123456789"


def test_a_time_that_cannot_be_read_is_kept_as_written_but_for_people(tmp_path: Path) -> None:
    rows = [
        answer(1, recorded="30 February"),
        answer(2, recorded="ann@example.org"),
        answer(3, recorded=None),
    ]
    first, second, third = landed(tmp_path, rows).rows()
    assert json.loads(first["times_as_written"]) == {"recorded_at": "30 February"}
    assert json.loads(second["times_as_written"]) == {"recorded_at": "[email]"}
    assert third["times_as_written"] is None
    assert {row["day"] for row in (first, second, third)} == {RECEIPT_DAY}


def test_a_row_without_id_is_named_by_its_content(tmp_path: Path) -> None:
    rows = [answer(1, id=None), answer(2, id="  "), answer(3)]
    home = landed(tmp_path, rows)
    ids = [row["response_id"] for row in home.rows()]
    assert ids == [*(f"row-{row['content']:016x}" for row in home.rows()[:2]), "r3"]
    assert len(set(ids)) == 3


def test_a_source_without_ids_keeps_its_rows_apart_and_recognises_them(tmp_path: Path) -> None:
    feed = without(WEB, "response_id")
    rows = [answer(1), answer(2), answer(2, score=1)]
    home = landed(tmp_path, rows, feed)
    assert len({row["response_id"] for row in home.rows()}) == 3
    home.drop("later.csv", [*rows, answer(4, recorded="2026-03-03")])
    outcome = home.land()
    assert (outcome.rows_landed, outcome.rows_redelivered) == (1, 3)


@pytest.mark.parametrize(
    ("zone", "recorded", "day"),
    [
        ("UTC", "2026-03-02T23:59:59Z", date(2026, 3, 2)),
        ("UTC", "2026-03-03T00:00:00Z", date(2026, 3, 3)),
        ("Europe/Berlin", "2026-03-02T22:59:59Z", date(2026, 3, 2)),
        ("Europe/Berlin", "2026-03-02T23:00:00Z", date(2026, 3, 3)),
        ("Europe/Berlin", "2025-10-25T21:59:59Z", date(2025, 10, 25)),
        ("Europe/Berlin", "2025-10-25T22:00:00Z", date(2025, 10, 26)),
        ("Europe/Berlin", "2025-10-26T22:59:59Z", date(2025, 10, 26)),
        ("Europe/Berlin", "2025-10-26T23:00:00Z", date(2025, 10, 27)),
        ("America/Los_Angeles", "2026-03-08T07:59:59Z", date(2026, 3, 7)),
        ("America/Los_Angeles", "2026-03-08T08:00:00Z", date(2026, 3, 8)),
        ("America/Los_Angeles", "2026-03-09T06:59:59Z", date(2026, 3, 8)),
        ("America/Los_Angeles", "2026-03-09T07:00:00Z", date(2026, 3, 9)),
        ("Pacific/Kiritimati", "2026-03-02T10:00:00Z", date(2026, 3, 3)),
    ],
)
def test_the_day_is_the_date_in_the_business_zone(
    tmp_path: Path, zone: str, recorded: str, day: date
) -> None:
    home = landed(tmp_path, [answer(1, recorded=recorded)], settings={"business_time_zone": zone})
    assert home.row()["day"] == day


def test_the_zone_of_the_source_reads_and_the_business_zone_splits(tmp_path: Path) -> None:
    feed = {**WEB, "time_zone": "America/New_York"}
    home = landed(
        tmp_path,
        [answer(1, recorded="2026-03-02 20:00:00")],
        feed,
        settings={"business_time_zone": "Europe/Berlin"},
    )
    assert home.row()["recorded_at"] == datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert home.row()["day"] == date(2026, 3, 3)


def test_the_day_falls_back_from_recorded_to_submitted(tmp_path: Path) -> None:
    feed = {**WEB, "columns": {**WEB["columns"], "submitted_at": "submitted"}}
    rows = [
        answer(1, recorded=None, submitted="2026-03-01T10:00:00Z"),
        answer(2, submitted="2026-03-01T10:00:00Z"),
    ]
    assert [row["day"] for row in landed(tmp_path, rows, feed).rows()] == [date(2026, 3, 1), date(2026, 3, 2)]


def test_rows_from_before_the_first_day_or_the_future_lie_on_the_day_of_receipt(tmp_path: Path) -> None:
    rows = [
        answer("early", recorded="2025-12-31T23:59:59Z"),
        answer("first", recorded="2026-01-01T00:00:00Z"),
        answer("last", recorded="2026-03-20T12:00:00Z"),
        answer("future", recorded="2026-03-21T12:00:01Z"),
    ]
    home = landed(tmp_path, rows, settings={"first_day": "2026-01-01"})
    found = {row["response_id"]: (row["day"], row["recorded_at"].date()) for row in home.rows()}
    assert found == {
        "rearly": (RECEIPT_DAY, date(2025, 12, 31)),
        "rfirst": (date(2026, 1, 1), date(2026, 1, 1)),
        "rlast": (RECEIPT_DAY, RECEIPT_DAY),
        "rfuture": (RECEIPT_DAY, date(2026, 3, 21)),
    }
    (delivery,) = home.deliveries()
    assert delivery.as_of == NOW


def test_a_ragged_row_lands_without_its_people_beside_the_good_ones(tmp_path: Path) -> None:
    text = (
        "id,score,comment,email,recorded\n"
        "r1,5,fine,ann@example.org,2026-03-02T12:00:00Z\n"
        "r2,4,well, it went,Bob Canary,2026-03-02T12:00:00Z\n"
        "r3,4,Cid Canary,2026-03-02T12:00:00Z\n"
        "r4,3,fine,dan@example.org,2026-03-02T12:00:00Z\n"
    )
    home = landed(tmp_path, text)
    good = [row["response_id"] for row in home.rows() if row["problem"] is None]
    (long, short) = [row for row in home.rows() if row["problem"] is not None]
    assert good == ["r1", "r4"]
    assert [row["row_number"] for row in home.rows()] == [2, 5, 3, 4]
    assert (long["problem"], long["day"]) == ("6 cells where the header has 5", RECEIPT_DAY)
    assert long["extra"] == {"row": "r2,4,well,[person],[person],2026-03-02T12:00:00Z"}
    assert short["extra"] == {"row": "r3,4,[person],[person]"}
    (delivery,) = home.deliveries()
    assert (delivery.rows_read, delivery.rows_landed, delivery.rows_unreadable) == (4, 4, 2)
    assert home.find("Canary") == []


def test_a_ragged_row_full_of_commas_in_a_semicolon_file_loses_its_people_too(tmp_path: Path) -> None:
    text = (
        "id;score;comment;email;recorded\n"
        "r1;5;fine;ann@example.org;2026-03-02T12:00:00Z\n"
        "r2;4;so, so, so, so, bad;really;Eve Canary;2026-03-02T12:00:00Z\n"
    )
    assert landed(tmp_path, text).find("Canary") == []


def test_a_broken_line_of_json_loses_the_members_that_name_people(tmp_path: Path) -> None:
    feed = {**WEB, "reader": "json", "columns": {**WEB["columns"], "respondent": "who"}}
    lines = (
        '{"id": "r1", "score": 5, "who": "ann", "recorded": "2026-03-02T12:00:00Z"}\n'
        '{"id": "r2", "score": 4, "who": "Bob \\"C\\" Canary", "full_name": "Bob Canary", "recorded": "2026\n'
        '{"id": "r3", "score": 2, "who": "Cid Canary\n'
        "Dan Canary\n"
    )
    home = landed(tmp_path, lines, feed, "export.jsonl")
    shown = [row["extra"]["row"] for row in home.rows() if row["problem"]]
    assert shown == [
        '{"id": "r2", "score": 4, "who": "[person]", "full_name": "[person]", "recorded": "2026',
        '{"id": "r3", "score": 2, "who": "[person]"',
        "[person]",
    ]
    assert home.find("Canary") == []


def test_a_parquet_export_lands_like_a_table(tmp_path: Path) -> None:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([answer(1, comment="one\ntwo")]), file)
    home = landed(tmp_path, file.getvalue(), {**WEB, "reader": "parquet"}, "export.parquet")
    assert (home.row()["score"], home.row()["respondent_key"]) == (
        "4",
        pseudonym(home, "person1@example.org"),
    )


def test_a_workbook_lands_like_a_table_and_its_ragged_row_without_people(tmp_path: Path) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (
        list(answer(1)),
        list(answer(1).values()),
        ["r2", 4, "a, b", "Bob Canary", "2026-03-02", "x"],
    ):
        book.active.append(row)
    book.save(file)
    home = landed(tmp_path, file.getvalue(), {**WEB, "reader": "xlsx"}, "export.xlsx")
    good, ragged = home.rows()
    assert (good["score"], good["row_number"]) == ("4", 2)
    assert ragged["extra"]["row"] == 'r2,4,"a, b",[person],[person],x'


def test_two_unreadable_rows_that_differ_in_a_person_alone_are_two(tmp_path: Path) -> None:
    text = "id,score,comment,email,recorded\nr0,5,fine,cyd@example.org,2026-03-02T12:00:00Z\n" + "".join(
        f"r1,5,fine,{name}@example.org,2026-03-02T12:00:00Z,{name}\n" for name in ("ann", "bob")
    )
    assert len(landed(tmp_path, text).rows()) == 3


def test_the_format_may_name_the_zone_of_its_times(tmp_path: Path) -> None:
    text = (
        "ResponseId,RecordedDate,Q1\nResponse ID,Recorded Date,How easy?\n"
        '"{""ImportId"":""_recordId""}","{""ImportId"":""recordedDate"",""timeZone"":""America/Chicago""}",'
        '"{""ImportId"":""QID1""}"\nR_1,2026-03-02 20:00:00,4\n'
    )
    feed = {**WEB, "reader": "qualtrics_csv", "time_zone": "Asia/Tokyo", "columns": {"score": "Q1"}}
    row = landed(tmp_path, text, feed).row()
    assert row["recorded_at"] == datetime(2026, 3, 3, 2, tzinfo=UTC)
    assert (row["response_id"], row["score"]) == ("R_1", "4")


def test_a_mapped_column_that_the_file_lacks_is_a_note_and_an_essential_one_a_failure(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [{"id": "r1", "score": 3, "recorded": "2026-03-02"}])
    home.drop("b.csv", [{"id": "r1", "ease": 3, "recorded": "2026-03-02"}])
    outcome = home.land()
    (note,) = outcome.notes
    (failure,) = outcome.failures
    assert "a.csv" in note
    assert "comment" in note
    assert "email" in note
    assert failure.startswith("web: b.csv: ")
    assert "'score'" in failure
    assert "id, ease, recorded" in failure
    assert home.row()["score"] == "3"

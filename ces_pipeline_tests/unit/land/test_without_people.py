"""Nothing of a person reaches the lake in clear: cells, names of columns and files, comments, rows that cannot be read."""

from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import pytest

from ces_pipeline.land import without_people
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.privacy.key import KEY_FILE
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import DESK, WEB, InboxHome, answer, inbox_home, without


def landed(folder: Path, rows: Any, feed: dict[str, Any] = WEB, name: str = "export.csv") -> InboxHome:
    home = inbox_home(folder, feed)
    home.drop(name, rows, feed["id"])
    assert home.land(feed["id"]).failures == ()
    return home


def pseudonym(home: InboxHome, value: str) -> str:
    return Pseudonyms((home.home.root / KEY_FILE).read_bytes()).of(value)


def in_clear(home: InboxHome, *words: str) -> set[str]:
    """The words that a file of the lake holds in clear."""
    texts = [repr(pq.ParquetFile(path).read().to_pylist()) for path in home.home.lake.rglob("*.parquet")]
    texts += [path.read_text(encoding="utf-8") for path in home.home.lake.rglob("*.json")]
    return {word for word in words for text in texts if word in text}


def test_a_column_whose_cells_are_addresses_is_hashed_whatever_its_name(tmp_path: Path) -> None:
    rows = [
        answer(1, where="ann@example.org"),
        answer(2, where="bob@example.org"),
        answer(3, where="by letter"),
    ]
    home = landed(tmp_path, rows)
    assert [row["extra"]["where"] for row in home.rows()] == [
        pseudonym(home, cell) for cell in ("ann@example.org", "bob@example.org", "by letter")
    ]


def test_a_person_is_hashed_in_every_column_of_the_row_and_short_words_stay(tmp_path: Path) -> None:
    rows = [
        answer(1, agent="Ann Example", about="Ann Example", team="Sales", n="7"),
        answer(2, agent="Sales", about="Ann Example", team="Sales", n="7"),
        answer(3, agent="7", about="me", team="Desk", n="7"),
    ]
    home = landed(tmp_path, rows)
    first, second, third = (row["extra"] for row in home.rows())
    assert first["about"] == first["agent"] == pseudonym(home, "Ann Example")
    # Another row's person is marked as a name.
    assert (second["about"], second["team"], third["n"]) == ("[name]", "Sales", "7")


def test_the_names_of_a_deliverys_people_leave_its_comments(tmp_path: Path) -> None:
    rows = [
        answer(1, agent="Zoe Okafor", comment="Ravi was kind, +49 30 1234567", other=""),
        answer(2, agent="Ravi Subramanian", comment="nobody was, ravi neither"),
        answer(3, agent="Zoe Okafor", comment=None, other="Zoe Okafor did not call back"),
    ]
    home = landed(tmp_path, rows)
    first, second, third = home.rows()
    assert (first["comment"], second["comment"]) == ("[name] was kind, [phone]", "nobody was, ravi neither")
    assert third["extra"]["other"] == "[name] did not call back"


def test_a_delivery_too_large_to_hold_is_read_twice_for_its_names(tmp_path: Path) -> None:
    rows = [answer(1, comment="Ravi was kind", agent="Zoe Okafor"), answer(2, agent="Ravi Subramanian")]
    with mock.patch.object(without_people, "_HELD_BYTES", 0):
        home = landed(tmp_path, rows)
    assert home.rows()[0]["comment"] == "[name] was kind"


def test_the_same_row_of_a_delivery_with_other_people_is_the_same_row(tmp_path: Path) -> None:
    home = landed(tmp_path, [answer(1, comment="Ravi was kind", agent="Zoe Okafor")])
    again = [answer(1, comment="Ravi was kind", agent="Zoe Okafor"), answer(2, agent="Ravi Subramanian")]
    home.drop("later.csv", again)
    later = home.land()
    assert (later.rows_landed, later.rows_redelivered) == (1, 1)


def test_names_of_columns_and_files_are_written_without_people(tmp_path: Path) -> None:
    rows = [answer(1, agent="Ann Example", **{"bob@example.org": "x", "Ann Example": "y", "odd\x1b[1m": "z"})]
    home = landed(tmp_path, rows, name="of cy@example.org.csv")
    extra = home.row()["extra"]
    assert (extra["[email]"], extra["[name]"], extra[r"odd\x1b[1m"]) == ("x", "y", "z")
    [delivery] = Ledger.read(Lake(home.home.lake)).deliveries
    assert delivery.file_name == "of [email]"
    assert {"[email]", "[name]"} <= set(delivery.columns)
    assert in_clear(home, "bob@", "cy@", "Ann Example", "\x1b") == set()


def test_a_file_that_cannot_be_read_is_reported_without_the_person_in_its_name(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, WEB)
    home.drop("ann@example.org.csv", "foo,bar\n1,2\n")
    [failure] = home.land().failures
    assert "[email]" in failure
    assert "ann@" not in failure


def test_people_in_keys_of_json_and_in_rows_that_cannot_be_read_stay_out(tmp_path: Path) -> None:
    text = (
        "id,score,email,agent,votes,comment,recorded\n"
        'r1,5,a@example.org,Ravi Kumar,"{""dan@example.org"": 3}",ok,2026-03-02\n'
        "r2,5,b@example.org,Zoe Okafor,x,Ravi Kumar said call 030 1234567,2026-03-02,too,many\n"
    )
    home = landed(tmp_path, text)
    assert in_clear(home, "dan@example.org", "Ravi", "1234567", "Zoe", "b@example") == set()


def test_an_id_that_is_an_address_is_hashed_and_a_shifted_time_is_redacted(tmp_path: Path) -> None:
    rows = [
        answer(1, id="ann@example.org"),
        answer(2, recorded="bob@example.org"),
        answer(3, recorded="+49 30 1234567"),
    ]
    home = landed(tmp_path, rows)
    by_id = {row["response_id"]: row for row in home.rows()}
    assert pseudonym(home, "ann@example.org") in by_id
    assert [by_id[name]["times_as_written"] for name in ("r2", "r3")] == [
        '{"recorded_at":"[email]"}',
        '{"recorded_at":"[phone]"}',
    ]
    assert in_clear(home, "@example.org", "1234567") == set()


@pytest.mark.parametrize("reference", ["contact-ann", "ORD-1 "])
def test_an_answers_reference_is_a_hash_which_a_tickets_readable_one_has_beside_it(
    tmp_path: Path, reference: str
) -> None:
    feed = {**WEB, "columns": {**WEB["columns"], "external_id": "ref"}}
    home = landed(tmp_path / "a", [answer(1, ref=reference)], feed)
    assert home.row()["external_id_key"] == pseudonym(home, reference)
    assert in_clear(home, reference.strip()) == set()
    desk = {**DESK, "columns": {**DESK["columns"], "external_id": "ref"}}
    rows = [
        {
            "number": "T1",
            "state": "open",
            "updated": "2026-03-05T08:00:00Z",
            "email": "a@example.org",
            "ref": reference,
        }
    ]
    tickets = landed(tmp_path / "t", rows, desk)
    row = tickets.row("desk")
    assert (row["external_id"], row["external_id_key"]) == (reference.strip(), pseudonym(tickets, reference))


def test_a_comment_may_come_from_the_second_of_two_columns_with_its_names_marked(tmp_path: Path) -> None:
    feed = {**WEB, "columns": {**WEB["columns"], "comment": ["comment", "comment_2"]}}
    rows = [
        answer(1, comment="Zoe was kind", comment_2="ok", agent="Zoe Okafor"),
        answer(2, comment="", comment_2="Zoe was late", agent=""),
    ]
    home = landed(tmp_path, rows, feed)
    assert [row["comment"] for row in home.rows()] == ["[name] was kind", "[name] was late"]


def test_a_question_that_asks_for_a_person_is_hashed_by_its_text(tmp_path: Path) -> None:
    """In a Qualtrics export the column is `Q9`; only its text says what it asks."""
    text = (
        "StartDate,EndDate,RecordedDate,ResponseId,Q1,Q9\n"
        "Start Date,End Date,Recorded Date,Response ID,How easy was it?,What is your name?\n"
        '"{""ImportId"":""startDate"",""timeZone"":""UTC""}","{""ImportId"":""endDate"",""timeZone"":""UTC""}",'
        '"{""ImportId"":""recordedDate"",""timeZone"":""UTC""}","{""ImportId"":""_recordId""}",'
        '"{""ImportId"":""QID1""}","{""ImportId"":""QID9_TEXT""}"\n'
        "2026-03-02 09:15:00,2026-03-02 09:16:00,2026-03-02 09:16:00,R_1,6,Ann Example\n"
    )
    feed = {**without(WEB), "reader": "qualtrics_csv", "columns": {"score": "Q1"}}
    assert in_clear(landed(tmp_path, text, feed), "Ann Example") == set()

"""Protects the inspection: it shows the entries of a new source, shows no person, and writes only valid entries."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.home import Home
from ces_pipeline.profiling import Inspection, inspect_file, write_proposal
from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline_tests.unit.vendors.reading import delivered

_TIMED = re.compile(r"at$|time$|Time$|imestamp$|Opened|Closed|Date|Created|Updated|Resolved")
FEEDBACK = "id,How easy was it?,customer_email,comment,ticket_id,submitted_at\n" + "".join(
    f'r{n},{n % 7 + 1},p{n}@example.com,"it was, all told, a rather long story {n}",T-{n},'
    f"2026-01-0{n % 7 + 1} 10:00:00\n"
    for n in range(40)
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


@pytest.fixture
def registry(home: Home) -> Registry:
    return load_registry(home.registry)


def asked(inspection: Inspection) -> list[str]:
    return [question.answer_with for question in inspection.questions]


def test_a_generic_table_is_mapped_by_its_names(tmp_path: Path, registry: Registry) -> None:
    found = inspect_file(
        delivered(tmp_path, FEEDBACK).path, registry, scale="ease_1_7", time_zone="Europe/London"
    )
    assert (found.reader.name, found.kind, found.rows, found.unreadable) == ("csv", "survey", 40, 0)
    assert found.proposal.sources == (
        {
            "id": "export",
            "kind": "survey",
            "reader": "csv",
            "survey": "export",
            "time_zone": "Europe/London",
            "columns": {
                "response_id": "id",
                "ticket_id": "ticket_id",
                "respondent": "customer_email",
                "comment": "comment",
                "submitted_at": "submitted_at",
                "score": "How easy was it?",
            },
        },
    )
    assert found.proposal.surveys == ({"id": "export", "title": "export", "scale": "ease_1_7"},)
    assert asked(found) == []
    assert (found.time_zone, found.time_zone_is) == ("Europe/London", "given")
    assert [(time.earliest, time.latest) for time in found.times] == [
        ("2026-01-01 10:00:00", "2026-01-07 10:00:00")
    ]


def test_no_person_and_no_free_text_is_shown(tmp_path: Path, registry: Registry) -> None:
    text = re.sub(r"T-(\d+)", r"x.y\1@example.org", FEEDBACK.replace("ticket_id,", "notes_of,", 1))
    found = inspect_file(delivered(tmp_path, text).path, registry)
    assert {column.name: column.holds for column in found.columns} == {
        "id": "values",
        "How easy was it?": "values",
        "customer_email": "person",
        "comment": "free text",
        "notes_of": "person",
        "submitted_at": "values",
    }
    assert "example." not in repr(found)
    assert "story" not in repr(found)
    assert found.columns[0].examples == ("r0", "r1", "r2")


def test_columns_of_people_are_proposed_and_a_column_that_names_one_is_not_shown_in_clear(
    tmp_path: Path, registry: Registry
) -> None:
    text = re.sub(r"T-(\d+)", r"x.y\1@example.org", FEEDBACK.replace("ticket_id,", "notes_of,", 1))
    assert inspect_file(delivered(tmp_path, text).path, registry).proposal.sources[0]["people"] == [
        "notes_of"
    ]
    # An address in one of forty cells makes no person of the column, and is not shown.
    text = FEEDBACK.replace("ticket_id,", "bob@example.org\x1b[1m,", 1).replace("T-0,", "x.y@example.org,")
    found = inspect_file(delivered(tmp_path, text, "other.csv").path, registry)
    assert "people" not in found.proposal.sources[0]
    assert found.columns[4].name == r"[email]\x1b[1m"
    assert found.columns[4].examples[0] == "[email]"
    assert "example.org" not in repr(found)


def test_what_cannot_be_guessed_is_asked(tmp_path: Path, registry: Registry) -> None:
    found = inspect_file(delivered(tmp_path, FEEDBACK).path, registry)
    assert asked(found) == ["--scale ID", "--time-zone ZONE"]
    assert "ease_1_7" in found.questions[0].text
    assert "scale" not in found.proposal.surveys[0]
    two = FEEDBACK.replace("ticket_id", "Effort")
    assert asked(inspect_file(delivered(tmp_path, two, "two.csv").path, registry))[0] == "--scale ID"
    nothing = FEEDBACK.replace("How easy was it?", "q1")
    assert asked(inspect_file(delivered(tmp_path, nothing, "none.csv").path, registry))[0] == "--score COLUMN"


def test_labels_of_only_one_scale_decide_it(tmp_path: Path, registry: Registry) -> None:
    labels = ["Strongly agree", "Somewhat agree", "Neither agree nor disagree", "Strongly disagree"]
    text = "id,They made it easy,submitted_at\n" + "".join(
        f"{n},{labels[n % 4]},2026-01-01\n" for n in range(20)
    )
    found = inspect_file(delivered(tmp_path, text).path, registry)
    assert found.proposal.surveys[0]["scale"] == "ces2_agreement_1_7"
    assert found.counts["off_the_scale"] == 0


def test_scores_are_counted_against_the_scale(tmp_path: Path, registry: Registry) -> None:
    cells = ["7", "7.0", "7 - Very easy", " 1 ", "8", "easy-peasy", "", "0", "1"]
    text = "id,ease score,at\n" + "".join(f"{n},{cell},2026-01-01\n" for n, cell in enumerate(cells))
    found = inspect_file(delivered(tmp_path, text).path, registry, score="ease score", scale="ease_1_7")
    assert (found.counts["blank_score"], found.counts["off_the_scale"]) == (1, 3)


@pytest.mark.parametrize(
    ("time", "fast"), [("2026-01-01", 0), ("2026-01-01 10:00", 0), ("2026-01-01 10:00:01", 2)]
)
def test_times_without_seconds_flag_no_fast_answer(
    tmp_path: Path, registry: Registry, time: str, fast: int
) -> None:
    text = f"id,started_at,submitted_at,score\n1,{time},{time},3\n2,{time},{time},5\n"
    assert inspect_file(delivered(tmp_path, text).path, registry).counts["under_2_seconds"] == fast


def test_counts_of_the_rules(tmp_path: Path, registry: Registry) -> None:
    text = (
        "ResponseId,StartDate,EndDate,Status,Finished,IPAddress,Duration (in seconds),Q1,"
        "LocationLatitude,LocationLongitude\n"
        "R_1,2026-01-01 10:00:00,2026-01-01 10:01:00,0,1,9.9.9.9,60,a,1.0,2.0\n"
        "R_2,2026-01-01 10:00:00,2026-01-01 09:01:00,1,0,9.9.9.9,1,a,1.0,2.0\n"
        "R_3,2026-01-01 10:00:00,2026-01-01 10:01:00,Spam,False,,801,a,1.0,\n"
        "R_3,2026-01-01 10:00:00,2026-01-01 10:01:00,IP Address,True,,,b,1.0,\n"
    )
    counts = inspect_file(delivered(tmp_path, text).path, registry).counts
    assert counts == {
        "tests": 2,
        "unfinished": 2,
        "ends_before_start": 1,
        "under_2_seconds": 1,
        "under_30_seconds": 1,
        "under_60_seconds": 1,
        "under_100_seconds": 2,
        "under_120_seconds": 2,
        "under_200_seconds": 2,
        "over_800_seconds": 1,
        "shared_ip": 2,
        "shared_location": 2,
        "identical_answers": 2,
        "repeated_ids": 2,
        "blank_ids": 0,
        "repeated_rows": 0,
    }


def test_a_clock_without_am_and_pm_is_reported(tmp_path: Path, registry: Registry) -> None:
    rows = "".join(
        f"{n},5/{n % 28 + 1}/18 {n % 12 + 1}:05,5/{n % 28 + 1}/18 {n % 12 + 1}:09,x,y,z\n" for n in range(60)
    )
    found = inspect_file(delivered(tmp_path, ",StartDate,EndDate,q0001,q0002,q0003\n" + rows).path, registry)
    assert any("12-hour clock without AM/PM" in note for note in found.notes)
    assert found.times[0].earliest == "2018-05-01 01:05:00"


def test_day_first_dates_are_found_and_doubtful_ones_asked(tmp_path: Path, registry: Registry) -> None:
    sure = "".join(f"{n},{n % 7},{n % 28 + 1}.2.2026 10:00\n" for n in range(30))
    found = inspect_file(delivered(tmp_path, "id,ease,date\n" + sure).path, registry)
    assert (found.times[0].latest, found.times[0].unreadable) == ("2026-02-28 10:00:00", 0)
    sure = "".join(f"{n},{n % 7},{n % 28 + 1}/2/2026 10:00\n" for n in range(30))
    found = inspect_file(delivered(tmp_path, "id,ease,date\n" + sure).path, registry)
    assert found.proposal.sources[0]["date_order"] == "day"
    doubtful = "".join(f"{n},{n % 7},{n % 9 + 1}/2/2026\n" for n in range(30))
    path = delivered(tmp_path, "id,ease,date\n" + doubtful).path
    (question,) = [
        each for each in inspect_file(path, registry).questions if "--date-order" in each.answer_with
    ]
    assert question.blocks
    found = inspect_file(path, registry, date_order="month")
    assert "--date-order" not in asked(found)
    assert found.proposal.sources[0]["date_order"] == "month"
    assert found.times[0].latest == "2026-09-02 00:00:00"


def test_what_no_reading_makes_a_time_is_asked(tmp_path: Path, registry: Registry) -> None:
    found = inspect_file(delivered(tmp_path, "id,ease,date\n1,5,soon\n2,6,later\n").path, registry)
    assert [question.blocks for question in found.questions if "as a time" in question.text] == [True]


def test_the_hour_after_midnight_is_a_time_of_day(tmp_path: Path, registry: Registry) -> None:
    for clock, noted in (("00:18:00", False), ("00:00:00", True)):
        rows = f"1,5,2026-11-02 {clock}\n2,6,2026-11-03 {clock}\n"
        found = inspect_file(delivered(tmp_path, "id,ease,date\n" + rows).path, registry)
        assert any("without a time of day" in note for note in found.notes) is noted


@pytest.mark.parametrize(
    "name",
    ["Updated at", "updatedAt", "date_modified", "Last modified time", "Geändert am", "Ultima modifica"],
)
def test_the_time_of_the_last_change_is_not_the_time_of_the_answer(
    tmp_path: Path, registry: Registry, name: str
) -> None:
    rows = "1,5,2026-11-02 09:15:00,2026-11-05 09:15:00\n"
    found = inspect_file(delivered(tmp_path, f"id,ease,Submitted at,{name}\n{rows}").path, registry)
    columns = found.proposal.sources[0]["columns"]
    assert (columns["submitted_at"], columns["modified_at"]) == ("Submitted at", name)


def test_the_only_time_of_an_answer_may_be_that_of_its_last_change(
    tmp_path: Path, registry: Registry
) -> None:
    found = inspect_file(delivered(tmp_path, "id,ease,Updated at\n1,5,2026-11-02 09:15:00\n").path, registry)
    assert found.proposal.sources[0]["columns"]["submitted_at"] == "Updated at"
    assert any("last change" in note for note in found.notes)


def test_words_for_nobody_are_missing_and_a_person_on_a_fifth_of_the_rows_is_noted(
    tmp_path: Path, registry: Registry
) -> None:
    people = [
        "n/a",
        "Nicht angegeben",
        "no-reply@example.org",
        "(en blanco)",
        "0",
        "0",
        "ann@example.org",
        "x1",
        "x2",
    ]
    rows = "".join(f"{n},{n % 7 + 1},2026-11-02 09:1{n}:00,{who}\n" for n, who in enumerate(people))
    found = inspect_file(delivered(tmp_path, "id,ease,date,Email\n" + rows).path, registry)
    assert found.proposal.sources[0]["missing"] == [
        "(en blanco)",
        "Nicht angegeben",
        "n/a",
        "no-reply@example.org",
    ]
    (note,) = [note for note in found.notes if "one person" in note]
    assert "2 of 9" in note


def test_tickets_need_no_survey(tmp_path: Path, registry: Registry) -> None:
    text = (
        "ticket_id,status,priority,updated_at\n"
        "1,open,low,2026-01-01T00:00:00Z\n1,closed,low,2026-01-02T00:00:00Z\n"
    )
    found = inspect_file(delivered(tmp_path, text).path, registry)
    assert (found.kind, found.proposal.surveys) == ("tickets", ())
    assert (found.counts["unique_tickets"], found.counts["unique_versions"]) == (1, 2)


def test_names_within_envelopes_are_known(tmp_path: Path, registry: Registry) -> None:
    """APIs and webhooks put the record into an object of its own."""
    issue = {
        "key": "SUP-1",
        "fields": {
            "status": {"name": "Done", "id": "3"},
            "priority": {"name": "High"},
            "created": "2026-03-01T10:00:00Z",
            "updated": "2026-03-02T10:00:00Z",
            "reporter": {"emailAddress": "ann@example.org"},
            "assignee": {"created": "2020-01-01T10:00:00Z"},
        },
    }
    found = inspect_file(delivered(tmp_path, json.dumps([issue]), "issues.json").path, registry)
    assert found.kind == "tickets"
    assert found.proposal.sources[0]["columns"] == {
        "ticket_id": "key",
        "status": "fields.status.name",
        "priority": "fields.priority.name",
        "requester": "fields.reporter.emailAddress",
        "created_at": "fields.created",
        "updated_at": "fields.updated",
    }
    answer = {"form_response": {"token": "t", "submitted_at": "2026-03-01T10:00:00Z", "score": 6}}
    lines = "\n".join(json.dumps(answer | {"event_id": n}) for n in range(3))
    found = inspect_file(delivered(tmp_path, lines, "hook.jsonl").path, registry)
    assert found.proposal.sources[0]["columns"]["submitted_at"] == "form_response.submitted_at"


@pytest.mark.parametrize(
    ("columns", "state", "is_status"),
    [("", "Closed", True), ("", "CA", False), (",ZIP code", "California", False)],
)
def test_a_state_may_be_a_place(
    tmp_path: Path, registry: Registry, columns: str, state: str, is_status: bool
) -> None:
    text = f"id,priority,opened at,state{columns}\n" + "".join(
        f"{n},high,2026-03-01,{state}{',1' if columns else ''}\n" for n in range(5)
    )
    found = inspect_file(delivered(tmp_path, text).path, registry).proposal.sources[0]["columns"]
    assert ("status" in found) is is_status


ACCOUNTS = "email,company,changed_on,plan,region\nann@example.org,C-1,2026-01-01,SMB,EU\n"
INVITATIONS = (
    "id,recipient,survey_id,ticket,state,sent_at,subject\ni1,ann@example.org,chat,T-1,sent,2026-01-01,Hello\n"
)
EVENTS = "id,event_name,customer_id,at,category\ne1,chat_closed,c-9,2026-01-01T10:00:00Z,billing\n"


def test_a_word_for_no_person_is_no_person(tmp_path: Path, registry: Registry) -> None:
    """Some tools write a word for an unknown person. As a person, it would have given all of these answers."""
    text = "id,date,email,score\n" + "".join(
        f"{n},2026-03-02,{'anonymous' if n % 2 else f'p{n}@example.com'},5\n" for n in range(20)
    )
    found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC", scale="ease_1_7")
    assert found.proposal.sources[0]["missing"] == ["anonymous"]
    text = text.replace("anonymous", "ann@example.com")
    found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC", scale="ease_1_7")
    assert "missing" not in found.proposal.sources[0]


@pytest.mark.parametrize("none", ["-99", "N/A", " n/a ", "No answer"])
def test_no_answer_is_no_score(tmp_path: Path, registry: Registry, none: str) -> None:
    """Taken for an answer it would be off the scale, and no scale would fit."""
    text = "id,date,score\n" + "".join(f"{n},2026-03-02,{none if n < 6 else 1 + n % 7}\n" for n in range(20))
    found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC")
    (question,) = found.questions
    assert "ces2_agreement_1_7" in question.text
    found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC", scale="ease_1_7")
    assert found.proposal.sources[0]["missing"] == [none.strip()]
    assert (found.counts["blank_score"], found.counts["off_the_scale"]) == (6, 0)


def test_no_effort_is_an_answer(tmp_path: Path, registry: Registry) -> None:
    text = "id,date,effort\n" + "".join(
        f"{n},2026-03-02,{('None', 'Some', 'A lot')[n % 3]}\n" for n in range(9)
    )
    found = inspect_file(
        delivered(tmp_path, text).path, registry, time_zone="UTC", score="effort", scale="ease_1_7"
    )
    assert "missing" not in found.proposal.sources[0]
    assert found.counts["off_the_scale"] == 9


@pytest.mark.parametrize("name", ["Device", "device type", "Device Category"])
def test_a_kind_of_device_is_no_device(tmp_path: Path, registry: Registry, name: str) -> None:
    """If it were read as the id of the device, `mobile` would make one person of half of all respondents."""
    text = f"id,date,{name},score\n" + "".join(f"{n},2026-03-02,mobile,5\n" for n in range(20))
    found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC", scale="ease_1_7")
    assert found.proposal.sources[0]["columns"]["device_type"] == name
    assert "device" not in found.proposal.sources[0]["columns"]


@pytest.mark.parametrize(
    "question",
    [
        "The company made it easy for me to handle my issue",
        "Wie einfach war es, Ihr Anliegen zu lösen?",
        "A-t-il été facile de résoudre votre problème ?",
        "¿Qué tan fácil fue resolver su problema?",
        "Quanto è stato facile risolvere il problema?",
        "Quão fácil foi resolver o seu problema?",
        "Hoe makkelijk was het om uw vraag te stellen?",
    ],
)
def test_a_question_for_effort_is_known_in_many_languages(
    tmp_path: Path, registry: Registry, question: str
) -> None:
    rows = "".join(f"r{number},{1 + number % 7},{number % 5}\n" for number in range(20))
    found = inspect_file(delivered(tmp_path, f'id,"{question}",visits\n{rows}').path, registry)
    assert found.proposal.sources[0]["columns"]["score"] == question


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (["5.0", "1", "", "3.0"], "csat_1_5"),
        (["4"], "csat_1_5"),
        (["good", "bad", ""], None),
        (["80", "100", "0"], "csat_0_100"),
    ],
    ids=["stars", "one star", "words", "percentages"],
)
def test_the_scale_of_tickets_ratings_is_proposed(
    tmp_path: Path, registry: Registry, cells: list[str], scale: str | None
) -> None:
    rows = "".join(f"{number},Low,2026-03-01,{cell}\n" for number, cell in enumerate(cells))
    file = delivered(tmp_path, f"Ticket ID,Priority,Updated,Satisfaction Rating\n{rows}")
    (entry,) = inspect_file(file.path, registry).proposal.sources
    assert entry["columns"]["csat"] == "Satisfaction Rating"
    assert entry.get("csat_scale") == scale


def test_a_rating_of_tickets_that_may_mean_anything_needs_its_scale(
    tmp_path: Path, registry: Registry
) -> None:
    file = delivered(
        tmp_path, "Ticket ID,Priority,Updated,Satisfaction Rating\n1,Low,2026-03-01,0\n2,Low,2026-03-01,10\n"
    )
    found = inspect_file(file.path, registry)
    assert "csat" not in found.proposal.sources[0]["columns"]
    (note,) = [note for note in found.notes if "'Satisfaction Rating'" in note]
    assert "csat_0_10" in note
    assert "csat_1_5" not in note
    named = {"csat_scale": "csat_0_10", "columns": {"csat": "Satisfaction Rating"}}
    (entry,) = inspect_file(file.path, registry, **named).proposal.sources
    assert (entry["csat_scale"], entry["columns"]["csat"]) == ("csat_0_10", "Satisfaction Rating")


def test_rows_before_the_first_day_are_reported(tmp_path: Path, registry: Registry) -> None:
    text = "Ticket ID,Priority,Created,Updated\n1,Low,1999-01-01,2026-03-01\n2,Low,1999-01-01,\n3,Low,,1998-03-02\n"
    notes = inspect_file(delivered(tmp_path, text).path, registry).notes
    assert [note.split(" and ")[0] for note in notes if "rejected" in note] == [
        "2 rows have a time before 2005-01-01"
    ]


class TestTimesByTheirCells:
    """Times in columns with unknown names."""

    def test_the_one_column_of_times_is_taken_and_its_way_of_writing_found(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        text = "Antwort,Zeitstempel,Nummer\ngut,24.03.2026 09:15,1772443800\nschlecht,02.03.2026 10:00,1772443801\n"
        (entry,) = inspect_file(delivered(tmp_path, text).path, registry).proposal.sources
        assert entry["columns"] == {"submitted_at": "Zeitstempel"}
        assert "time_formats" not in entry

    @pytest.mark.parametrize(
        ("cells", "fields"),
        [
            ("2026-03-01 12:15:36,2026-03-01 18:05:38", {"first_reply_at", "solved_at"}),
            ("35,12.5", set()),
            ("00:35:00,12:30:00", set()),
        ],
    )
    def test_the_cells_show_whether_a_column_is_a_time_or_a_duration(
        self, tmp_path: Path, registry: Registry, cells: str, fields: set[str]
    ) -> None:
        header = "Ticket ID,Ticket Priority,Created,First Response Time,Time to Resolution"
        rows = "".join(f"{number},Low,2026-03-01 12:00:00,{cells}\n" for number in range(3))
        found = inspect_file(delivered(tmp_path, f"{header}\n{rows}").path, registry)
        columns = found.proposal.sources[0]["columns"]
        assert {"first_reply_at", "solved_at"} & columns.keys() == fields
        assert columns["created_at"] == "Created"

    def test_of_several_none_is_taken_and_all_are_named(self, tmp_path: Path, registry: Registry) -> None:
        text = "response id,bought,born\nr1,2026-03-01,1980-03-02\nr2,2026-03-02,1990-01-02\n"
        found = inspect_file(delivered(tmp_path, text).path, registry)
        assert "which column holds the times? ('bought'; 'born')" in [
            question.text for question in found.questions
        ]

    @pytest.mark.parametrize(
        ("name", "zone"),
        [
            ("Received at (America/New_York)", "America/New_York"),
            ("Date & Time (UTC)", "UTC"),
            ("Received (Atlantis/Capital)", None),
        ],
    )
    def test_a_zone_in_a_columns_name_is_taken(
        self, tmp_path: Path, registry: Registry, name: str, zone: str | None
    ) -> None:
        file = delivered(tmp_path, f"id,{name}\nr1,2026-03-01 10:00\nr2,2026-03-02 10:00\n")
        found = inspect_file(file.path, registry)
        assert found.proposal.sources[0]["columns"]["submitted_at"] == name
        assert (found.time_zone, found.time_zone_is) == (
            (zone, "named in a column's name") if zone else ("UTC", "assumed")
        )
        assert found.proposal.sources[0]["time_zone"] == (zone or "UTC")
        assert ("--time-zone ZONE" in asked(found)) == (zone is None)


class TestHelpDesksTables:
    """Tickets as help desks write them to CSV, by the names that they give to columns."""

    @pytest.mark.parametrize(
        ("header", "columns"),
        [
            pytest.param(
                "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,"
                "Closed time,Last update time,Agent interactions,Customer interactions,Product,Full name,Email",
                {
                    "ticket_id": "Ticket ID",
                    "status": "Status",
                    "priority": "Priority",
                    "category": "Type",
                    "channel": "Source",
                    "product": "Product",
                    "requester": "Email",
                    "group_name": "Group",
                    "created_at": "Created time",
                    "solved_at": "Resolved time",
                    "closed_at": "Closed time",
                    "updated_at": "Last update time",
                    "replies": "Agent interactions",
                },
                id="freshdesk",
            ),
            pytest.param(
                "Id,Requester,Requester id,Requester email,Submitter,Assignee,Group,Subject,Status,Priority,Via,"
                "Ticket type,Created at,Updated at,Due date,Solved at,Resolution time,Satisfaction Score,Reopens,Replies,"
                "First reply time in minutes,Full resolution time in minutes",
                {
                    "ticket_id": "Id",
                    "status": "Status",
                    "priority": "Priority",
                    "category": "Ticket type",
                    "channel": "Via",
                    "requester": "Requester email",
                    "group_name": "Group",
                    "created_at": "Created at",
                    "solved_at": "Solved at",
                    "updated_at": "Updated at",
                    "first_reply_minutes": "First reply time in minutes",
                    "reopens": "Reopens",
                    "resolution_minutes": "Full resolution time in minutes",
                    "replies": "Replies",
                    "csat": "Satisfaction Score",
                },
                id="zendesk",
            ),
            pytest.param(
                "CI Name (aff),Incident ID,Status,Impact,Urgency,Priority,Category,# Reassignments,Open Time,"
                "Reopen Time,Resolved Time,Close Time,Handle Time (Hours),Closure Code",
                {
                    "ticket_id": "Incident ID",
                    "status": "Status",
                    "priority": "Priority",
                    "category": "Category",
                    "handoffs": "# Reassignments",
                    "created_at": "Open Time",
                    "solved_at": "Resolved Time",
                    "closed_at": "Close Time",
                },
                id="incidents",
            ),
            pytest.param(
                "SR Number,Change Date+Time,Status,Sub Status,Involved Org line 3,SR Latest Impact,Product,Country",
                {
                    "ticket_id": "SR Number",
                    "updated_at": "Change Date+Time",
                    "status": "Status",
                    "product": "Product",
                },
                id="service requests",
            ),
            pytest.param(
                "Case ID,Activity,Resource,Complete Timestamp,Variant,seriousness,product,workgroup",
                {
                    "ticket_id": "Case ID",
                    "status": "Activity",
                    "updated_at": "Complete Timestamp",
                    "product": "product",
                    "group_name": "workgroup",
                },
                id="event log",
            ),
            pytest.param(
                "case:concept:name,concept:name,org:resource,time:timestamp,org:group",
                {
                    "ticket_id": "case:concept:name",
                    "status": "concept:name",
                    "updated_at": "time:timestamp",
                    "group_name": "org:group",
                },
                id="event log of XES",
            ),
            pytest.param(
                "Case Number,Contact Name,Contact Email,Subject,Status,Priority,Type,Case Origin,Case Owner,"
                "Date/Time Opened,Date/Time Closed,Last Modified Date,Age (Hours)",
                {
                    "ticket_id": "Case Number",
                    "status": "Status",
                    "priority": "Priority",
                    "category": "Type",
                    "channel": "Case Origin",
                    "requester": "Contact Email",
                    "created_at": "Date/Time Opened",
                    "closed_at": "Date/Time Closed",
                    "updated_at": "Last Modified Date",
                },
                id="salesforce",
            ),
            pytest.param(
                "Issue key,Issue id,Issue Type,Status,Priority,Assignee,Reporter,Created,Updated,Resolved,Summary",
                {
                    "ticket_id": "Issue key",
                    "status": "Status",
                    "priority": "Priority",
                    "category": "Issue Type",
                    "requester": "Reporter",
                    "created_at": "Created",
                    "solved_at": "Resolved",
                    "updated_at": "Updated",
                },
                id="jira",
            ),
        ],
    )
    def test_tickets_are_mapped(
        self, tmp_path: Path, registry: Registry, header: str, columns: dict[str, str]
    ) -> None:
        cells = ["2026-03-02 09:15:00" if _TIMED.search(name) else "x" for name in header.split(",")]
        found = inspect_file(
            delivered(tmp_path, f"{header}\n{','.join(cells)}\n").path, registry, time_zone="UTC"
        )
        assert (found.kind, found.proposal.sources[0]["columns"]) == ("tickets", columns)

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("02/Mar/26 9:15 AM", "2026-03-02 09:15:00"),
            ("3/22/2026, 9:15:00 AM", "2026-03-22 09:15:00"),
            ("March 2, 2026", "2026-03-02 00:00:00"),
            ("May 2, 2026", "2026-05-02 00:00:00"),
            ("02.03.26 09:15", "2026-03-02 09:15:00"),
        ],
    )
    def test_their_times_are_read(self, tmp_path: Path, registry: Registry, text: str, moment: str) -> None:
        table = f'key,subject,created\nA-1,x,"{text}"\n'
        found = inspect_file(delivered(tmp_path, table).path, registry, time_zone="UTC")
        assert found.times[0].earliest == moment


class TestOtherKinds:
    """The columns show accounts, invitations and events, as they show surveys and tickets."""

    @pytest.mark.parametrize(
        ("text", "entry"),
        [
            (
                ACCOUNTS,
                {
                    "id": "export",
                    "kind": "accounts",
                    "reader": "csv",
                    "time_zone": "UTC",
                    "columns": {"person": "email", "account": "company", "valid_from": "changed_on"},
                },
            ),
            (
                INVITATIONS,
                {
                    "id": "export",
                    "kind": "invitations",
                    "reader": "csv",
                    "survey_column": "survey_id",
                    "time_zone": "UTC",
                    "columns": {
                        "sent_at": "sent_at",
                        "invitation_id": "id",
                        "person": "recipient",
                        "ticket_id": "ticket",
                        "status": "state",
                    },
                },
            ),
            (
                EVENTS,
                {
                    "id": "export",
                    "kind": "events",
                    "reader": "csv",
                    "time_zone": "UTC",
                    "columns": {
                        "event_type": "event_name",
                        "event_id": "id",
                        "person": "customer_id",
                        "category": "category",
                        "occurred_at": "at",
                    },
                },
            ),
        ],
    )
    def test_the_entry_is_proposed_and_can_be_written(
        self, tmp_path: Path, home: Home, registry: Registry, text: str, entry: dict[str, Any]
    ) -> None:
        found = inspect_file(delivered(tmp_path, text).path, registry, time_zone="UTC")
        assert (found.proposal.sources, found.proposal.surveys, asked(found)) == ((entry,), (), [])
        assert "ann@example.org" not in repr(found)
        assert "c-9" not in repr(found)
        assert write_proposal(home, found) == ("export",)
        assert load_registry(home.registry).sources["export"].kind == entry["kind"]

    def test_follow_ups_need_what_they_follow_up(
        self, tmp_path: Path, home: Home, registry: Registry
    ) -> None:
        text = "follow_up_id,note,handled by,step,at\nf1,x,bob@example.org,called,2026-01-01 10:00:00\n"
        file = delivered(tmp_path, text).path
        found = inspect_file(file, registry, time_zone="UTC")
        assert (found.kind, asked(found)) == (
            "follow_ups",
            ["--column response_id=COLUMN or --column ticket_id=COLUMN"],
        )
        assert "bob@example.org" not in repr(found)
        found = inspect_file(file, registry, columns={"ticket_id": "note"}, time_zone="UTC")
        assert asked(found) == []
        assert write_proposal(home, found) == ("export",)

    def test_invitations_need_a_survey(self, tmp_path: Path, home: Home) -> None:
        (home.registry / "surveys.yaml").write_text("- {id: after_chat, scale: ease_1_5}\n")
        registry = load_registry(home.registry)
        file = delivered(tmp_path, INVITATIONS.replace("survey_id", "template")).path
        assert asked(inspect_file(file, registry, time_zone="UTC")) == [
            "--survey ID or --column survey=COLUMN"
        ]
        found = inspect_file(file, registry, survey="after_chat", time_zone="UTC")
        assert (asked(found), found.proposal.sources[0]["survey"]) == ([], "after_chat")
        assert write_proposal(home, found) == ("export",)

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            # Answers that carry a plan's start, an event or a sending time are answers still.
            (ACCOUNTS.replace("region", "How easy was it?"), "survey"),
            (INVITATIONS.replace("subject", "score"), "survey"),
            (EVENTS.replace("category", "ces"), "survey"),
            (EVENTS.replace("category", "priority"), "tickets"),
            (ACCOUNTS.replace("changed_on", "note"), "survey"),
        ],
    )
    def test_scores_make_a_survey_and_a_tickets_words_a_ticket(
        self, tmp_path: Path, registry: Registry, text: str, kind: str
    ) -> None:
        assert inspect_file(delivered(tmp_path, text).path, registry).kind == kind

    def test_the_kind_can_be_said_and_then_what_it_lacks_is_asked(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        file = delivered(tmp_path, "when,what\nlong ago,x\n").path
        found = inspect_file(file, registry, kind="events", time_zone="UTC")
        assert asked(found) == ["--column event_type=COLUMN", "--column occurred_at=COLUMN"]
        assert [note for note in found.notes if note.startswith("no event id found")]
        found = inspect_file(file, registry, kind="accounts", columns={"valid_from": "when"}, time_zone="UTC")
        assert "--column person=COLUMN" in asked(found)

    def test_a_kind_other_than_that_of_the_format_or_the_source_is_refused(
        self, tmp_path: Path, home: Home, registry: Registry
    ) -> None:
        ratings = delivered(tmp_path, FEEDBACK).path
        with pytest.raises(RegistryError, match="--kind: the reader qualtrics_csv reads survey, not events"):
            inspect_file(ratings, registry, reader="qualtrics_csv", kind="events")
        write_proposal(home, inspect_file(ratings, registry, scale="ease_1_7", time_zone="UTC"))
        with pytest.raises(RegistryError, match=r"--kind: the source export .*survey"):
            inspect_file(ratings, load_registry(home.registry), source="export", kind="tickets")


def test_header_only_and_empty_documents_can_be_inspected(tmp_path: Path, registry: Registry) -> None:
    found = inspect_file(delivered(tmp_path, "id,ease,submitted_at\n").path, registry)
    assert (found.rows, found.times[0].earliest) == (0, None)
    assert inspect_file(delivered(tmp_path, "[]", "e.json").path, registry).rows == 0


def test_unreadable_rows_are_counted_and_damage_is_the_readers_own_error(
    tmp_path: Path, registry: Registry
) -> None:
    assert inspect_file(delivered(tmp_path, FEEDBACK + "odd\n").path, registry).unreadable == 1
    huge = FEEDBACK + "x" * (40 << 20)
    with pytest.raises(UnreadableFileError, match="no longer readable"):
        inspect_file(delivered(tmp_path, huge).path, registry)
    with pytest.raises(UnreadableFileError, match="no reader recognises"):
        inspect_file(delivered(tmp_path, "words", "e.txt").path, registry)
    with pytest.raises(UnreadableFileError, match="no such file"):
        inspect_file(tmp_path / "absent.csv", registry)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"score": "Q9"}, "--score: export.csv has no column 'Q9'"),
        ({"scale": "nine"}, "--scale: no scale 'nine'"),
        ({"reader": "nine"}, "no reader 'nine'"),
        ({"time_zone": "Mars/Base"}, "--time-zone: 'Mars/Base'"),
    ],
)
def test_arguments_that_name_nothing(
    tmp_path: Path, registry: Registry, wrong: dict[str, str], message: str
) -> None:
    with pytest.raises(RegistryError, match=message):
        inspect_file(delivered(tmp_path, FEEDBACK).path, registry, **wrong)


class TestWriting:
    def test_entries_are_appended_and_the_text_before_stays(
        self, tmp_path: Path, home: Home, registry: Registry
    ) -> None:
        (home.registry / "sources.yaml").write_text("# ours\n[]\n")
        found = inspect_file(delivered(tmp_path, FEEDBACK).path, registry, scale="ease_1_7")
        assert write_proposal(home, found) == ("export", "export")
        assert (home.registry / "sources.yaml").read_text().startswith("# ours\n- id: export\n")
        after = load_registry(home.registry)
        assert after.sources["export"].columns["score"] == "How easy was it?"
        assert after.surveys["export"].scale == "ease_1_7"

    def test_a_second_source_gets_a_free_id_and_the_first_stays(self, tmp_path: Path, home: Home) -> None:
        for count in (1, 2):
            found = inspect_file(
                delivered(tmp_path, FEEDBACK).path, load_registry(home.registry), scale="ease_1_7"
            )
            write_proposal(home, found)
            assert len(yaml.safe_load((home.registry / "sources.yaml").read_text())) == count
        assert set(load_registry(home.registry).sources) == {"export", "export_2"}

    def test_a_duplicate_id_writes_nothing(self, tmp_path: Path, home: Home, registry: Registry) -> None:
        found = inspect_file(delivered(tmp_path, FEEDBACK).path, registry, scale="ease_1_7")
        write_proposal(home, found)
        before = {path.name: path.read_bytes() for path in home.registry.iterdir()}
        with pytest.raises(RegistryError, match=r"sources.yaml, line \d+: entry export: id: "):
            write_proposal(home, found)
        assert {path.name: path.read_bytes() for path in home.registry.iterdir()} == before

    def test_open_questions_write_nothing(self, tmp_path: Path, home: Home, registry: Registry) -> None:
        with pytest.raises(RegistryError, match=r"nothing written.* which scale .* --scale ID"):
            write_proposal(home, inspect_file(delivered(tmp_path, FEEDBACK).path, registry))
        assert list(home.registry.iterdir()) == []

    def test_a_registered_source_is_inspected_as_registered(
        self, tmp_path: Path, home: Home, registry: Registry
    ) -> None:
        file = delivered(tmp_path, FEEDBACK)
        write_proposal(home, inspect_file(file.path, registry, scale="ease_1_7", time_zone="Asia/Tokyo"))
        found = inspect_file(file.path, load_registry(home.registry), source="export")
        assert (found.time_zone, found.time_zone_is) == ("Asia/Tokyo", "of the source")
        assert (found.counts["off_the_scale"], found.proposal.sources, asked(found)) == (0, (), [])


def test_a_registered_source_of_another_kind_is_shown_by_its_own_fields(tmp_path: Path, home: Home) -> None:
    entry = "- {id: crm, kind: accounts, reader: csv, columns: {person: email, valid_from: since}}\n"
    (home.registry / "sources.yaml").write_text(entry)
    file = delivered(tmp_path, "email,since,plan\nann@example.org,2026-01-01,SMB\n").path
    found = inspect_file(file, load_registry(home.registry), source="crm")
    assert (found.kind, asked(found)) == ("accounts", [])
    columns = {column.name: (column.field, column.holds, column.examples) for column in found.columns}
    assert columns == {
        "email": ("person", "person", ()),
        "since": ("valid_from", "values", ("2026-01-01",)),
        "plan": (None, "values", ("SMB",)),
    }


def test_a_column_called_ces_shows_no_scale_and_nothing_is_written_until_a_scale_is_given(
    tmp_path: Path, home: Home
) -> None:
    export = tmp_path / "ces.csv"
    rows = "".join(f"r{n},2026-03-02T10:{n:02}:00Z,{n % 11}\n" for n in range(30))
    export.write_text("id,recorded_at,ces\n" + rows)
    found = inspect_file(export, load_registry(home.registry), source="fresh", survey="fresh")
    assert any("which scale has 'ces'" in question.text for question in found.questions)
    assert "scale" not in found.proposal.surveys_yaml
    with pytest.raises(RegistryError):
        write_proposal(home, found)

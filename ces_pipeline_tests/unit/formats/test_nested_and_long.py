"""Answers in a list inside a record, and tables with a row per question: one row per response, by configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

FORM = [
    {"id": "r1", "answers": [
        {"field": {"id": "a1", "ref": "ease", "type": "opinion_scale"}, "type": "number", "number": 6},
        {"field": {"id": "b1", "ref": "why", "type": "long_text"}, "type": "text", "text": "quick"},
        {"field": {"id": "c1", "ref": "how", "type": "choices"}, "type": "choices", "choices": {"labels": ["web", "phone"]}},
    ]},
    {"id": "r2", "answers": [{"field": {"id": "a1", "ref": "ease"}, "type": "number", "number": 0}]},
    {"id": "r3", "answers": None},
]  # fmt: skip
PAGES = [
    {"id": f"m{n}", "pages": [
        {"id": "p1", "questions": [{"id": "q1", "answers": [{"choice_id": "7", "simple_text": ease}]}]},
        {"id": "p2", "questions": [{"id": "q2", "answers": [{"text": why}]}]},
    ]}
    for n, (ease, why) in enumerate([("Very easy", "quick"), ("Hard", "slow")])
]  # fmt: skip
LONG = (
    "response_id,submitted,question,answer\nr1,2026-03-01,ease,6\nr1,2026-03-01,why,quick\nr2,2026-03-02,ease,2\n"
    "r2,2026-03-02,ease,3\n,2026-03-02,ease,5\n"
)


def as_json(tmp_path: Path, records: Any) -> Any:
    return delivered(tmp_path, json.dumps(records), "export.json")


@pytest.mark.parametrize(
    ("records", "columns", "first"),
    [
        (FORM, ["answers.ease", "answers.why", "answers.how"], ["6", "quick", "web; phone"]),
        (PAGES, ["pages.questions.q1", "pages.questions.q2"], ["Very easy", "quick"]),
    ],
    ids=["answers", "pages of questions"],
)
def test_what_is_found_reads_the_answers_as_columns(
    tmp_path: Path, records: Any, columns: list[str], first: list[str]
) -> None:
    file = as_json(tmp_path, {"items": records})
    found = read("json", file)[0].options_found["answers"]
    export, rows = read("json", file, source_for("json", answers=found))
    assert [rows[0][column] for column in columns] == first
    assert len(rows) == len(records)
    assert "answers" not in export.options_found


def test_a_zero_is_an_answer(tmp_path: Path) -> None:
    asked = {"list": "answers", "name": "field.ref", "value": ["number", "text"]}
    rows = read("json", as_json(tmp_path, FORM), source_for("json", answers=asked))[1]
    assert [row["answers.ease"] for row in rows] == ["6", "0", None]


def test_tags_are_no_answers(tmp_path: Path) -> None:
    tickets = [
        {"id": n, "tags": [{"id": 1, "tag": "a"}], "threads": [{"id": n, "text": "x"}]} for n in range(3)
    ]
    assert read("json", as_json(tmp_path, tickets))[0].options_found == {}


def test_an_incomplete_option_is_a_registry_error(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"entry export: options\.answers"):
        read("json", as_json(tmp_path, FORM), source_for("json", answers={"list": "answers"}))
    with pytest.raises(RegistryError, match=r"entry export: options\.pivot"):
        read("csv", delivered(tmp_path, LONG), source_for("csv", pivot={"id": "response_id"}))


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        ({"_embedded": {"conversations": [{"id": 1}, {"id": 2}]}, "page": {"size": 25}}, ["1", "2"]),
        ({"data": {"items": [{"id": 1}], "next": None}}, ["1"]),
        ({"_embedded": {"conversations": []}, "page": {"size": 25}}, []),
        ({"id": 9, "_embedded": {"threads": [{"id": 1}, {"id": 2}]}}, ["9"]),
    ],
)
def test_records_one_level_down(tmp_path: Path, document: Any, ids: list[str]) -> None:
    assert [row["id"] for row in read("json", as_json(tmp_path, document))[1]] == ids


def test_two_lists_one_level_down_are_asked_about(tmp_path: Path) -> None:
    file = as_json(tmp_path, {"_embedded": {"users": [{"id": 1}], "tickets": [{"id": 2}]}})
    with pytest.raises(
        UnreadableFileError, match=r"_embedded\.tickets, _embedded\.users.*options\.record_path"
    ):
        read("json", file)
    assert read("json", file, source_for("json", record_path="_embedded.tickets"))[1][0]["id"] == "2"


def test_a_table_with_a_row_per_question(tmp_path: Path) -> None:
    pivot = {"id": "response_id", "question": "question", "answer": "answer"}
    export, rows = read("csv", delivered(tmp_path, LONG), source_for("csv", pivot=pivot))
    assert rows == [
        {"response_id": "r1", "submitted": "2026-03-01", "ease": "6", "why": "quick", "earlier_answers": None,
         "row_number": 2},
        {"response_id": "r2", "submitted": "2026-03-02", "ease": "3", "why": None,
         "earlier_answers": '[{"ease": "2"}]', "row_number": 4},
    ]  # fmt: skip
    assert [(bad.row_number, bad.problem) for bad in export.unreadable] == [
        (6, "no value in the column response_id")
    ]


def test_a_row_per_question_is_found_and_doubted_not_turned(tmp_path: Path) -> None:
    text = LONG.replace("r2,2026-03-02,ease,3\n", "")
    export, rows = read("csv", delivered(tmp_path, text))
    assert export.options_found["pivot"] == {"id": "response_id", "question": "question", "answer": "answer"}
    assert len(rows) == 4
    assert len(export.doubts) == 1
    assert read("csv", delivered(tmp_path, text), source_for("csv", pivot=False))[0].doubts == []
    objects = [
        dict(zip(["id", "field", "value"], row, strict=True)) for row in (("1", "a", "x"), ("1", "b", "y"))
    ]
    assert read("json", as_json(tmp_path, objects))[0].options_found["pivot"]["question"] == "field"


@pytest.mark.parametrize(
    "text",
    [
        "id,question,answer\n1,ease,6\n2,ease,5\n3,ease,4\n",
        "id,topic,answer\n1,ease,6\n1,why,5\n",
        "id,question,answer\n1,ease,6\n1,ease,5\n",
    ],
    ids=["an id once", "other names", "a question twice"],
)
def test_other_tables_are_not_taken_for_one(tmp_path: Path, text: str) -> None:
    assert read("csv", delivered(tmp_path, text))[0].options_found == {}

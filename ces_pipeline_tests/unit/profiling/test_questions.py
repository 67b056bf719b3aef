"""Protects what inspection asks: it never takes one of several columns, scales or meanings without a word."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.profiling import Inspection, inspect_file, write_proposal
from ces_pipeline.registry.load import load_registry
from ces_pipeline_tests.unit.vendors.reading import delivered

SURVEY: dict[str, Any] = {"source": "form", "survey": "after_help", "time_zone": "UTC"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def inspected(home: Home, text: str, **given: Any) -> Inspection:
    file = delivered(home.root, text)
    return inspect_file(file.path, load_registry(home.registry), **given)


def answers(*cells: str, name: str = "How easy was it?") -> str:
    rows = "".join(
        f'{number},2026-11-{number:02} 09:00:00,"{cell}"\n' for number, cell in enumerate(cells, 1)
    )
    return f'Response ID,Submitted at,"{name}"\n{rows}'


def blocking(found: Inspection) -> list[str]:
    return [question.answer_with for question in found.questions if question.blocks]


def test_of_several_columns_that_ask_for_effort_none_is_taken(home: Home) -> None:
    """The second column holds two values only, so it could be distinguished from the others by its values alone."""
    text = (
        "Response ID,Submitted at,How easy was it to sign up?,How easy was step 1?,Overall how easy was it?\n"
        "1,2026-11-02 09:00:00,5,4,4\n2,2026-11-02 09:10:00,4,5,5\n3,2026-11-02 09:20:00,3,4,1\n"
    )
    found = inspected(home, text, scale="ease_1_5", **SURVEY)
    (question,) = [question for question in found.questions if question.answer_with == "--score COLUMN"]
    for column, shown in (
        ("sign up", "3 4 5, mean 4.00"),
        ("step 1", "4 5, mean 4.33"),
        ("Overall", "1 4 5, mean 3.33"),
    ):
        assert column in question.text
        assert shown in question.text
    with pytest.raises(RegistryError, match="nothing written"):
        write_proposal(home, found)


def test_a_question_that_an_edit_split_is_read_from_both_columns(home: Home) -> None:
    text = "ID;created_at;2. How easy was it?;3. How easy was it?\n1;2026-11-02 09:15:00;;6\n2;2026-11-02 09:16:00;5;\n"
    found = inspected(home, text, score="3. How easy was it?", scale="ease_1_7", **SURVEY)
    assert found.proposal.sources[0]["columns"]["score"] == ["3. How easy was it?", "2. How easy was it?"]
    write_proposal(home, found)
    assert load_registry(home.registry).sources["form"].columns_of["score"][1] == "2. How easy was it?"


def test_the_same_question_filled_in_one_row_twice_is_no_split(home: Home) -> None:
    text = "ID;created_at;2. How easy was it?;3. How easy was it?\n1;2026-11-02 09:15:00;4;6\n2;2026-11-02 09:16:00;5;2\n"
    found = inspected(home, text, score="3. How easy was it?", scale="ease_1_7", **SURVEY)
    assert found.proposal.sources[0]["columns"]["score"] == "3. How easy was it?"


@pytest.mark.parametrize(
    ("cells", "offered", "not_offered"),
    [
        (
            ("3", "4", "5", "3"),
            {"effort_1_7", "ease_1_7", "ease_1_5", "ease_0_10"},
            {"csat_1_5", "faces_1_3"},
        ),
        (("0", "9", "4"), {"ease_0_10"}, {"ease_1_7"}),
        (("Agree", "Disagree"), {"ces2_agreement_1_5", "ces2_agreement_1_7"}, {"ease_1_5"}),
    ],
)
def test_every_scale_that_holds_the_answers_is_offered(
    home: Home, cells: tuple[str, ...], offered: set[str], not_offered: set[str]
) -> None:
    found = inspected(home, answers(*cells), score="How easy was it?", **SURVEY)
    (question,) = [question for question in found.questions if question.answer_with == "--scale ID"]
    assert all(f"{name}: " in question.text for name in offered)
    assert not any(name in question.text for name in not_offered)


AGREEMENT = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (AGREEMENT, "ces2_agreement_1_5"),
        ((*AGREEMENT, "Somewhat agree"), "ces2_agreement_1_7"),
        (AGREEMENT[:4], None),
        (("Very difficult", "Difficult", "Easy", "Very easy"), None),
    ],
    ids=["five agreement labels", "a label of seven", "four of five", "four labels of three scales"],
)
def test_labels_decide_the_scale_only_if_no_other_may_hold_them(
    home: Home, cells: tuple[str, ...], scale: str | None
) -> None:
    found = inspected(home, answers(*cells), score="How easy was it?", **SURVEY)
    assert found.proposal.surveys[0].get("scale") == scale
    assert ("--scale ID" in blocking(found)) == (scale is None)


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (AGREEMENT, "ces2_agreement_1_7"),
        (("8", "9", "10"), "ease_1_7"),
        (("rather so", "so so"), "ease_1_7"),
        (("7", "6", "2", "7", "4"), "ease_1_5"),
    ],
    ids=["the labels of another scale", "no answer on it", "no label of it", "many beyond it"],
)
def test_a_scale_that_the_answers_speak_against_is_not_written(
    home: Home, cells: tuple[str, ...], scale: str
) -> None:
    found = inspected(home, answers(*cells), score="How easy was it?", scale=scale, **SURVEY)
    assert any(answer.startswith("--scale ID") for answer in blocking(found))


def test_a_few_answers_beyond_the_scale_are_noted(home: Home) -> None:
    found = inspected(home, answers(*"12345671234568"), score="How easy was it?", scale="ease_1_7", **SURVEY)
    assert blocking(found) == []
    assert any("1 of 14 answers" in note for note in found.notes)


@pytest.mark.parametrize(
    ("question", "scale", "asks"),
    [
        ("How much effort did you personally have to put forth?", "ease_1_7", True),
        ("Wie viel Aufwand hatten Sie?", "ease_1_5", True),
        ("How easy was it to get help?", "effort_1_7", True),
        ("How easy was it to get help?", "net_easy_1_7", False),
        ("How much effort did you personally have to put forth?", "ces1_effort_1_5", False),
        ("Effort score", "ease_1_7", False),
        ("Customer Effort Score", "effort_1_7", False),
    ],
)
def test_a_wording_that_contradicts_the_scale_is_asked_about(
    home: Home, question: str, scale: str, asks: bool
) -> None:
    text = answers("1", "2", "3", "4", "5", name=question)
    found = inspected(home, text, score=question, scale=scale, **SURVEY)
    assert bool(blocking(found)) == asks
    direction = load_registry(home.registry).scales[scale].higher_means
    confirmed = inspected(home, text, score=question, scale=scale, higher_means=direction, **SURVEY)
    assert blocking(confirmed) == []


def test_satisfaction_is_no_effort_and_needs_its_own_scale(home: Home) -> None:
    text = (
        "Response ID,Submitted at,Effort score,CSAT\n1,2026-11-02 09:00:00,6,5\n2,2026-11-03 09:00:00,2,1\n"
    )
    with pytest.raises(RegistryError, match="satisfaction"):
        inspected(home, text, score="CSAT", scale="csat_1_5", **SURVEY)
    asked = inspected(home, text, score="Effort score", scale="effort_1_7", **SURVEY)
    assert blocking(asked) == ["--csat-scale ID"]
    found = inspected(home, text, score="Effort score", scale="effort_1_7", csat_scale="csat_1_5", **SURVEY)
    assert blocking(found) == []
    assert found.proposal.surveys[0]["csat_scale"] == "csat_1_5"


@pytest.mark.parametrize(
    "given",
    [
        {"time_zone": "Nowhere/Land"},
        {"time_zone": "Asia/Tokyo"},
        {"scale": "effort_1_7"},
        {"survey": "other"},
        {"reader": "google_forms_csv"},
        {"kind": "tickets"},
        {"options": {"delimeter": ";"}},
    ],
)
def test_an_option_that_contradicts_an_entry_or_means_nothing_is_refused(
    home: Home, given: dict[str, Any]
) -> None:
    for name, entries in (
        ("surveys", [{"id": "after_help", "scale": "ease_1_7"}]),
        ("sources", [{"id": "form", "kind": "survey", "reader": "csv", "survey": "after_help"}]),
    ):
        (home.registry / f"{name}.yaml").write_text(yaml.safe_dump(entries))
    with pytest.raises(RegistryError):
        inspected(home, answers("1", "7"), source="form", **given)


def test_answers_without_any_time_need_a_day(home: Home) -> None:
    text = "Response ID,How easy was it?\na,6\nb,2\nc,7\n"
    asked = inspected(home, text, scale="ease_1_7", **SURVEY)
    assert [answer for answer in blocking(asked) if "--day" in answer]
    for day in ("received", "2026-11-02"):
        found = inspected(home, text, scale="ease_1_7", day=day, **SURVEY)
        assert blocking(found) == []
        assert found.proposal.sources[0]["day"] == day


@pytest.mark.parametrize(
    ("header", "cells", "field"),
    [
        ("Ticket ID,Priority,Created,ident_state", "1,High,2026-03-02 08:00:00,Closed", "status"),
        (
            "Ticket ID,Priority,Status,Updated,Raised moment",
            "1,High,Open,2026-03-03,2026-03-02 08:00:00",
            "created_at",
        ),
        (
            "Ticket ID,Priority,Status,Created,Fixed moment",
            "1,High,Open,2026-03-02,2026-03-02 10:00:00",
            "solved_at",
        ),
    ],
)
def test_a_ticket_column_that_looks_decisive_is_asked_about(
    home: Home, header: str, cells: str, field: str
) -> None:
    found = inspected(home, f"{header}\n{cells}\n", kind="tickets", source="desk", time_zone="UTC")
    assert [answer for answer in blocking(found) if answer.startswith(f"--column {field}=")]
    without = inspected(
        home, f"{header}\n{cells}\n", kind="tickets", source="desk", time_zone="UTC", columns={field: ""}
    )
    assert blocking(without) == []


def test_a_score_makes_rows_answers_though_their_columns_look_like_events(home: Home) -> None:
    text = (
        "key,event,timestamp,properties.q1,properties.submission\n"
        "e1,survey sent,2026-11-02T09:15:00Z,6,s1\ne2,survey sent,2026-11-02T09:20:00Z,2,s2\n"
    )
    assert inspected(home, text).kind == "events"
    named = {"response_id": "properties.submission"}
    found = inspected(home, text, score="properties.q1", scale="ease_1_7", columns=named, **SURVEY)
    assert (found.kind, blocking(found)) == ("survey", [])


def test_a_table_without_any_answer_ticket_or_event_is_called_none_of_them(home: Home) -> None:
    found = inspected(
        home, "object,property,value,changed\n17,size,large,2026-11-02\n18,size,small,2026-11-03\n"
    )
    assert found.kind_is == "not known"
    assert [answer for answer in blocking(found) if "--kind" in answer]

"""Protects what counts as a duplicate, and above all what does not: people who share an office or write twice."""

from itertools import permutations
from typing import Any

import pytest

from ces_pipeline_tests.unit.clean.frames import at, clean, reasons, registry

REPEAT = ("duplicate",)


def ann(name: str, when: str, **values: Any) -> dict[str, Any]:
    """An answer of one and the same person."""
    return {"response_id": name, "respondent_key": "ann", "event_at": at(when), **values}


def repeats(*rows: dict[str, Any], **rules: Any) -> set[str]:
    """Response ids that are duplicates, whatever order the rows come in."""
    found = [
        {name for name, found in reasons(clean(registry(**rules), *order)).items() if "duplicate" in found}
        for order in (rows, rows[::-1])
    ]
    assert found[0] == found[1]
    return found[0]


def test_people_of_one_office_are_not_each_others_duplicates() -> None:
    rows = [{"ip_address_key": "nat", "event_at": at(f"12:0{number}"), "score": "4"} for number in range(3)]
    cleaned = clean(registry(), *rows)
    assert set(reasons(cleaned).values()) == {("shared_device",)}
    assert len(cleaned.accepted) == 3


def test_a_second_contact_with_another_ticket_is_kept() -> None:
    assert repeats(ann("a", "12:00", ticket_id="1"), ann("b", "12:30", ticket_id="2")) == set()
    assert repeats(ann("a", "12:00", external_id_key="1"), ann("b", "12:30", external_id_key="2")) == set()
    assert repeats(ann("a", "12:00"), ann("b", "12:30", ticket_id="2")) == set()


def test_the_same_person_on_the_same_ticket_counts_once() -> None:
    assert repeats(ann("a", "12:00", ticket_id="1"), ann("b", "12:30", ticket_id="1")) == {"b"}
    assert repeats(ann("a", "12:00", external_id_key="x"), ann("b", "12:30", external_id_key="x")) == {"b"}
    assert repeats(ann("a", "12:00"), ann("b", "12:30")) == {"b"}


def test_another_survey_or_another_person_is_no_repeat() -> None:
    other = {"id": "after_call", "scale": "ease_1_5"}
    cleaned = clean(registry(None, other), ann("a", "12:00"), ann("b", "12:30", survey="after_call"))
    assert reasons(cleaned) == {"a": (), "b": ()}
    assert repeats(ann("a", "12:00"), ann("b", "12:30", respondent_key="bob")) == set()
    assert repeats(ann("a", "12:00", respondent_key=None), ann("b", "12:00:05", respondent_key=None)) == set()


@pytest.mark.parametrize(
    ("later", "is_repeat"), [("03T12:00:00", True), ("03T12:00:00.000001", False), ("03T11:59:59", True)]
)
def test_the_window_ends_after_24_hours_to_the_microsecond(later: str, is_repeat: bool) -> None:
    assert repeats(ann("a", "12:00"), ann("b", later)) == ({"b"} if is_repeat else set())


def test_the_window_is_the_surveys_own() -> None:
    rows = ann("a", "12:00"), ann("b", "14:00"), ann("same", "14:00")
    assert repeats(*rows, duplicate_window_hours=2) == {"b", "same"}
    assert repeats(*rows, duplicate_window_hours=1.9) == {"same"}


def test_across_midnight_the_later_day_has_the_duplicate() -> None:
    cleaned = clean(registry(), ann("a", "23:59"), ann("b", "03T00:01"))
    assert reasons(cleaned) == {"a": (), "b": REPEAT}
    assert [str(day) for day in cleaned.rejected["day"]] == ["2026-03-03"]


def test_an_original_of_an_earlier_day_decides_and_is_not_written_again() -> None:
    cleaned = clean(registry(), ann("a", "23:59", is_lookback=True), ann("b", "03T00:01"))
    assert reasons(cleaned) == {"b": REPEAT}
    assert cleaned.counts[["stored", "accepted", "rejected"]].to_numpy().tolist() == [[1, 0, 1]]


def test_ties_in_time_go_by_response_id_whatever_the_order_of_rows() -> None:
    for rows in permutations([ann("a", "12:00"), ann("b", "12:00"), ann("c", "12:00")]):
        assert reasons(clean(registry(), *rows)) == {"a": (), "b": REPEAT, "c": REPEAT}


def test_two_sources_with_the_same_id_and_time_keep_the_same_one_whatever_the_order() -> None:
    rows = [ann("1", "12:00", source_id="web"), ann("1", "12:00", source_id="app")]
    kept = {tuple(clean(registry(), *order).accepted["source_id"]) for order in (rows, rows[::-1])}
    assert kept == {("app",)}


@pytest.mark.parametrize(
    "fault",
    [{"score": None}, {"score": "9"}, {"status": "test"}, {"duration_seconds": "1"}, {"score": "meh"}],
)
def test_a_rejected_first_answer_is_nobodys_original(fault: dict[str, Any]) -> None:
    found = reasons(clean(registry(), ann("a", "12:00", **fault), ann("b", "12:30"), ann("c", "12:40")))
    assert found["a"] != ()
    assert (found["b"], found["c"]) == ((), REPEAT)


def test_a_first_answer_that_is_only_marked_is_an_original() -> None:
    found = reasons(clean(registry(), ann("a", "12:00", finished="false"), ann("b", "12:30")))
    assert found == {"a": ("partial",), "b": REPEAT}


def test_a_fault_and_a_repeat_are_both_reported() -> None:
    assert reasons(clean(registry(), ann("a", "12:00"), ann("b", "12:30", score="9")))["b"] == (
        "score_off_scale",
        "duplicate",
    )


def test_an_answer_within_the_window_of_a_duplicate_is_one_too() -> None:
    # The window reaches back from each answer: so a day never depends on more than one window before it.
    assert repeats(ann("a", "12:00"), ann("b", "03T08:00"), ann("c", "04T04:00")) == {"b", "c"}


def test_a_crowded_device_never_decides_who_is_an_original() -> None:
    rows = [ann("a", "12:00", device_key="kiosk"), ann("b", "12:30")]
    crowd = [{"response_id": f"x{n}", "respondent_key": f"x{n}", "device_key": "kiosk"} for n in range(3)]
    strict = registry(severities={"shared_device": "reject"})
    assert reasons(clean(strict, *rows, *crowd))["b"] == REPEAT
    assert reasons(clean(strict, *rows))["b"] == REPEAT


def submit(name: str, when: str, **values: Any) -> dict[str, Any]:
    return {"response_id": name, "device_key": "phone", "answers": "77", "event_at": at(when), **values}


@pytest.mark.parametrize(
    ("second", "is_repeat"),
    [
        (submit("b", "12:00:10"), True),
        (submit("b", "12:00:10.000001"), False),
        (submit("b", "12:00:03", answers="78"), False),
        (submit("b", "12:00:03", device_key="tablet"), False),
        (submit("b", "12:00:03", device_key=None), False),
        (submit("b", "12:00:03", survey="after_call"), False),
    ],
)
def test_a_double_submit_is_the_same_answers_from_one_device_within_seconds(
    second: dict[str, Any], is_repeat: bool
) -> None:
    judged_by = registry(None, {"id": "after_call", "scale": "ease_1_5"})
    first = submit("a", "12:00:00", respondent_key=None)
    found = reasons(clean(judged_by, first, {**second, "respondent_key": None}))
    assert found == {"a": (), "b": REPEAT if is_repeat else ()}


def test_a_duplicate_may_be_kept_and_marked() -> None:
    cleaned = clean(registry(severities={"duplicate": "suspect"}), ann("a", "12:00"), ann("b", "12:30"))
    assert dict(zip(cleaned.accepted["response_id"], cleaned.accepted["is_suspect"], strict=True)) == {
        "a": False,
        "b": True,
    }

"""Protects the judging of single rows: each rule alone, every two together, its severities, and that each is alive."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from math import inf
from typing import Any

import pytest

from ces_pipeline.clean import judge
from ces_pipeline.clean.context import SpeedLimit
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES, REASON_NAMES, SURVEY_RULES
from ces_pipeline.rules.contract import Flags, Rule, at_least
from ces_pipeline_tests.unit.clean.frames import NOW, at, clean, raw_rows, reasons, registry, verdict

SURVEY: dict[str, Any] = {
    "csat_scale": "csat_1_5",
    "has_nps": True,
    "required": ["score", "csat", "nps"],
    "expect": {"colour": "blue"},
}
MATRIX = ("speed", "tone", "clarity", "result")
GOOD: dict[str, Any] = {
    "csat": "4",
    "nps": "9",
    "duration_seconds": "60",
    "asked_0": "blue",
    "asked_1": "3",
    "asked_2": "4",
    "asked_3": "3",
    "asked_4": "5",
    "started_at": at("11:59"),
    "submitted_at": at("12:00"),
    "respondent_key": "someone",
}
CROWD = [
    {**GOOD, "respondent_key": f"other{number}", "response_id": f"other{number}", "ip_address_key": "office"}
    for number in range(3)
]


def poison(name: str) -> dict[str, Any]:
    """The row with which the rule is proved every night, as a difference from a good one."""
    (row,) = next(rule for rule in SURVEY_RULES if rule.name == name).poison.rows
    return dict(row)


# reason -> rows that have it, each the difference from a good row
HAS: dict[str, list[dict[str, Any]]] = {
    "unreadable_row": [
        {
            **dict.fromkeys(
                ("score", "csat", "nps", "survey", "asked_0", "event_at", "started_at", "submitted_at")
            ),
            "duration_seconds": None,
            "respondent_key": None,
            **poison("unreadable_row"),
        }
    ],
    "unregistered_survey": [poison("unregistered_survey"), {"survey": None}],
    "test_response": [poison("test_response")],
    "incomplete": [poison("incomplete"), {"csat": None}, {"nps": None}],
    "score_off_scale": [poison("score_off_scale"), {"csat": "0"}, {"nps": "11"}],
    "unknown_answer": [poison("unknown_answer"), {"csat": "5 - Very dissatisfied"}, {"nps": "never"}],
    "failed_attention_check": [{"asked_0": "red"}, {"asked_0": None}],
    "too_fast": [poison("too_fast")],
    "missing_time": [{"event_at": at("2019-12-31T23:59:59")}, poison("missing_time")],
    "time_order": [poison("time_order")],
    "in_the_future": [{"event_at": at("20T12:05:01")}, poison("in_the_future")],
    "duplicate": [],
    "unknown_value": [poison("unknown_value"), {"finished": "perhaps"}],
    "partial": [poison("partial"), {"progress": "99"}],
    "fast_for_survey": [poison("fast_for_survey"), {"duration_seconds": "1.99"}],
    "comment_contradicts": [
        poison("comment_contradicts"),
        {"score": "1", "comment": "Very easy, thank you"},
    ],
    "shared_device": [{"ip_address_key": "office"}],
    "straight_lining": [
        {"asked_1": "4", "asked_2": "4", "asked_3": "4", "asked_4": "4"},
        {"asked_2": "Yes", "asked_3": "yes ", "asked_4": " YES"},
        {"asked_1": None, "asked_2": "3", "asked_3": "3", "asked_4": "3"},
    ],
    "slow": [poison("slow")],
}
MISSES: dict[str, list[dict[str, Any]]] = {
    "unreadable_row": [{"problem": None}],
    "unregistered_survey": [{"survey": "AFTER_CHAT "}, {"survey": "chat-poll"}],
    "test_response": [{"status": "IP address"}, {"status": None}],
    "incomplete": [{"comment": None}],
    "score_off_scale": [{"score": "1"}, {"score": "5", "csat": "1", "nps": "10"}, {"nps": "0"}],
    "unknown_answer": [{"score": "Very easy"}, {"csat": "4 - Satisfied"}],
    "failed_attention_check": [{"asked_0": " Blue "}],
    "too_fast": [{"duration_seconds": "2"}, {"duration_seconds": None, "started_at": None}],
    "missing_time": [{"event_at": at("2020-01-01T00:00:00")}],
    "time_order": [{"started_at": at("12:00")}, {"started_at": None, "duration_seconds": None}],
    "in_the_future": [{"event_at": NOW}, {"event_at": at("20T12:05")}],
    "duplicate": [],
    "unknown_value": [{"status": "Approved"}, {"finished": "oui"}],
    "partial": [{"finished": "True"}, {"progress": "100"}, {"finished": "true", "progress": "50"}],
    "fast_for_survey": [{"duration_seconds": "10"}],
    "comment_contradicts": [
        {"score": "3", "comment": poison("comment_contradicts")["comment"]},
        {"score": "5", "comment": "not terrible at all, very easy"},
        {"score": "1", "comment": "terrible, although the form was very easy"},
    ],
    "shared_device": [{"ip_address_key": "home"}],
    "straight_lining": [
        {"asked_1": "4", "asked_2": "4", "asked_3": "3", "asked_4": "4"},
        {"asked_1": "4", "asked_2": "4", "asked_3": None, "asked_4": None},
    ],
    "slow": [{"duration_seconds": "600"}],
}
ROW_REASONS = tuple(name for name in REASON_NAMES if name != "duplicate")
NEEDS_A_SURVEY = {
    "incomplete", "score_off_scale", "unknown_answer", "failed_attention_check", "too_fast", "fast_for_survey",
    "comment_contradicts", "shared_device", "straight_lining", "slow",
}  # fmt: skip
NEVER_TOGETHER = {
    *((name, "unreadable_row") for name in ROW_REASONS if name != "unreadable_row"),
    *((name, "unregistered_survey") for name in NEEDS_A_SURVEY),
    ("incomplete", "partial"),
    ("missing_time", "in_the_future"),
    ("too_fast", "slow"),
    ("fast_for_survey", "slow"),
}
TOGETHER = [
    pair
    for pair in combinations(ROW_REASONS, 2)
    if pair not in NEVER_TOGETHER and pair[::-1] not in NEVER_TOGETHER
]


def judged(
    *rows: dict[str, Any], severities: dict[str, str] | None = None, is_timed: bool = False
) -> CleanedDays:
    """Rows as differences from a good one. is_timed: the survey has a speed limit of 10 s."""
    judged_by = registry(
        {**SURVEY, "also_known_as": ["chat-poll"]},
        max_duration_seconds=600,
        straight_lining={"columns": MATRIX, "longest_run": 3},
        severities=severities or {},
    )
    limits = {"after_chat": SpeedLimit(100, 10.0)} if is_timed else {}
    return clean(judged_by, *({**GOOD, **row} for row in rows), limits=limits, asked=("colour", *MATRIX))


def alone(row: dict[str, Any], *named: str, severities: dict[str, str] | None = None) -> CleanedDays:
    """The row `r0`, with the company that the named reasons need."""
    day = raw_rows({**GOOD, **row})["day"].iloc[0]
    company = [{**other, "day": day} for other in CROWD] if "shared_device" in named else []
    return judged(row, *company, severities=severities, is_timed="fast_for_survey" in named)


def each(table: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(name, row, id=f"{name}-{number}")
        for name, rows in table.items()
        for number, row in enumerate(rows)
    ]


def test_every_rule_has_rows_that_break_it_and_rows_that_nearly_do() -> None:
    assert list(REASON_NAMES) == list(HAS) == list(MISSES)


@pytest.mark.parametrize(("name", "row"), each(HAS))
def test_a_row_that_breaks_a_rule_has_that_reason_and_the_severity_decides(
    name: str, row: dict[str, Any]
) -> None:
    cleaned = alone(row, name)
    found = reasons(cleaned)["r0"]
    assert name in found
    assert set(found) <= {name, "too_fast"} if name == "fast_for_survey" else found == (name,)
    decided = {"reject": "rejected", "suspect": "suspect", "info": "accepted"}[DEFAULT_SEVERITIES[name]]
    assert verdict(cleaned, "r0") == ("rejected" if "too_fast" in found else decided)


@pytest.mark.parametrize(("name", "row"), each(MISSES))
def test_a_near_miss_has_no_reason(name: str, row: dict[str, Any]) -> None:
    company = ["fast_for_survey"] if row.get("duration_seconds") != "2" else []
    cleaned = alone(row, *company, "shared_device")
    assert reasons(cleaned)["r0"] == ()
    assert verdict(cleaned, "r0") == "accepted"


def test_most_reasons_can_stand_together() -> None:
    assert len(TOGETHER) == 153 - len(NEVER_TOGETHER)
    assert len(TOGETHER) == 122


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_a_row_with_two_faults_has_both_reasons_in_the_rules_order(first: str, second: str) -> None:
    fits = (
        {**a, **b}
        for a in HAS[first]
        for b in HAS[second]
        if all(a[name] == b[name] for name in a.keys() & b.keys())
    )
    found = reasons(alone(next(fits), first, second))["r0"]
    assert tuple(name for name in found if name in (first, second)) == (first, second)
    assert set(found) - {first, second} <= {"too_fast"}


def silenced(name: str) -> Iterable[Rule]:
    """All rules, the check of one replaced by one that always holds."""
    return tuple(replace(rule, check=at_least(-inf)) if rule.name == name else rule for rule in SURVEY_RULES)


@pytest.mark.parametrize("name", ROW_REASONS)
def test_no_rule_is_dead(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = HAS[name][0]
    assert name in reasons(alone(row, name))["r0"]
    monkeypatch.setattr(judge, "SURVEY_RULES", silenced(name))
    assert reasons(alone(row, name))["r0"] == ()


def test_the_rule_between_rows_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[dict[str, Any]] = [{"response_id": "a"}, {"response_id": "b", "event_at": at("13:00")}]
    assert reasons(judged(*again)) == {"a": (), "b": ("duplicate",)}
    monkeypatch.setattr(judge, "SURVEY_RULES", silenced("duplicate"))
    assert reasons(judged(*again)) == {"a": (), "b": ()}


@pytest.mark.parametrize("given", ["text", "fewer"])
def test_evidence_of_the_wrong_type_is_a_mistake_of_the_program_and_not_a_verdict(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_test = next(rule for rule in SURVEY_RULES if rule.name == "test_response").evidence

    def wrong(facts: Any) -> Flags:
        return is_test(facts).astype(str) if given == "text" else is_test(facts)[:0]

    rules = tuple(
        replace(rule, evidence=wrong) if rule.name == "test_response" else rule for rule in SURVEY_RULES
    )
    monkeypatch.setattr(judge, "SURVEY_RULES", rules)
    with pytest.raises(AssertionError, match=r"rules/test_response\.py: evidence is"):
        judged({})


@pytest.mark.parametrize(
    "name", [name for name in ROW_REASONS if name not in ("unreadable_row", "unregistered_survey")]
)
@pytest.mark.parametrize(
    ("severity", "decided", "is_named"),
    [
        ("reject", "rejected", True),
        ("suspect", "suspect", True),
        ("info", "accepted", True),
        ("off", "accepted", False),
    ],
)
def test_the_registry_sets_what_a_reason_does(name: str, severity: str, decided: str, is_named: bool) -> None:
    cleaned = alone(HAS[name][0], name, severities={name: severity})
    assert verdict(cleaned, "r0") == decided
    assert (name in reasons(cleaned)["r0"]) is is_named


def test_a_severity_holds_for_its_own_survey_only() -> None:
    judged_by = registry(
        {"rules": {}}, {"id": "after_call", "scale": "ease_1_5"}, severities={"too_fast": "info"}
    )
    cleaned = clean(judged_by, {"duration_seconds": "1"}, {"duration_seconds": "1", "survey": "after_call"})
    assert (verdict(cleaned, "r0"), verdict(cleaned, "r1")) == ("accepted", "rejected")


def test_the_floor_is_the_surveys_own() -> None:
    for floor, decided in ((0, "accepted"), (1, "accepted"), (1.5, "rejected")):
        cleaned = clean(registry(min_duration_seconds=floor), {"duration_seconds": "1"})
        assert verdict(cleaned, "r0") == decided


def test_an_unfinished_answer_is_incomplete_where_the_survey_does_not_keep_partials() -> None:
    cleaned = clean(
        registry(keep_partial=False), {"finished": "false"}, {"finished": "false", "score": None}, {}
    )
    assert reasons(cleaned) == {"r0": ("incomplete",), "r1": ("incomplete",), "r2": ()}


def test_what_a_survey_asks_decides_what_is_required() -> None:
    rows = [{"score": None, "csat": "5"}, {"score": "5", "csat": None}, {"score": None, "comment": "slow"}]
    for survey, complete in (
        ({}, {"r1"}),
        ({"scale": None, "csat_scale": "csat_1_5"}, {"r0"}),
        ({"csat_scale": "csat_1_5", "required": ["score", "csat"]}, set()),
        ({"scale": None, "required": ["comment"]}, {"r2"}),
        ({"scale": None}, {"r0", "r1", "r2"}),
    ):
        cleaned = clean(registry(survey), *rows)
        assert set(cleaned.accepted["response_id"]) == complete, survey


def test_an_optional_answer_that_does_not_fit_is_left_out_and_the_response_kept() -> None:
    cleaned = clean(registry({"csat_scale": "csat_1_5"}), {"csat": "99"}, {"csat": "meh"})
    assert reasons(cleaned) == {"r0": (), "r1": ()}
    assert cleaned.accepted["csat_0_100"].isna().all()


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ({"duration_seconds": "61.5", "started_at": at("12:00"), "submitted_at": at("12:00:05")}, 61.5),
        ({"started_at": at("12:00"), "submitted_at": at("12:00:05")}, 5.0),
        ({"started_at": at("12:00"), "submitted_at": at("12:01")}, None),
        ({"started_at": at("12:00:00"), "submitted_at": None}, None),
        (
            {"duration_seconds": "a minute", "started_at": at("12:00:30"), "submitted_at": at("12:01:30")},
            60.0,
        ),
    ],
)
def test_duration_is_as_reported_else_measured_by_clocks_that_show_seconds(
    row: dict, seconds: float | None
) -> None:
    (found,) = clean(registry(min_duration_seconds=0), row).accepted["duration_seconds"].to_list()
    assert (found if seconds is not None else None) == seconds
    assert seconds is not None or found is not found or str(found) == "<NA>"


def test_a_shared_device_is_counted_by_people_and_by_day() -> None:
    def seen_by(people: list[str], day: str) -> list[dict[str, Any]]:
        return [
            {
                "response_id": f"{day}{n}",
                "respondent_key": who,
                "device_key": "tablet",
                "event_at": at(f"{day}T12:0{n}"),
            }
            for n, who in enumerate(people)
        ]

    cleaned = clean(
        registry(), *seen_by(["a", "b", "c"], "02"), *seen_by(["d", "e"], "03"), *seen_by(["f"] * 3, "05")
    )
    crowded = {name for name, found in reasons(cleaned).items() if "shared_device" in found}
    assert crowded == {"020", "021", "022"}


def test_the_counts_of_reasons_are_by_day() -> None:
    cleaned = judged(
        {"score": "6"}, {"score": "7", "event_at": at("03T12:00")}, {"score": "8", "status": "test"}
    )
    counted = {
        str(day): {name: count for name, count in row.items() if count}
        for day, row in cleaned.reasons.T.items()
    }
    assert counted == {
        "2026-03-02": {"score_off_scale": 2, "test_response": 1},
        "2026-03-03": {"score_off_scale": 1},
    }

"""Protects the values of an accepted row, and what the quarantine keeps of a rejected one."""

import json

import pytest

from ces_pipeline.registry.segments import Segment
from ces_pipeline_tests.unit.clean.frames import RULE_VERSION, accepted, at, clean, reasons, registry


def persona(number: int, value: str, assigns: str = "persona", **when: object) -> Segment:
    return Segment.model_validate({"id": f"rule{number}", "assigns": assigns, "value": value, "when": when})


def test_the_first_persona_rule_that_matches_wins() -> None:
    rules = (
        persona(1, "large", product=("Enterprise", "Ultimate")),
        persona(2, "german", language="DE"),
        persona(3, "never", product="Enterprise"),
    )
    cleaned = clean(
        registry(segments=rules),
        {"product": " enterprise ", "language": "de"},
        {"product": "Team", "language": "de"},
        {"product": "Team", "language": "fr"},
        {},
    )
    found = dict(zip(cleaned.accepted["response_id"], cleaned.accepted["persona"], strict=True))
    assert found == {"r0": "large", "r1": "german", "r2": "unassigned", "r3": "unassigned"}


def test_all_conditions_of_a_persona_rule_must_hold_and_numbers_compare_as_texts() -> None:
    rules = (persona(1, "big", seats=500, product="Team"),)
    judged_by = registry(segments=rules)
    cleaned = clean(
        judged_by,
        {"asked_0": "500", "product": "Team"},
        {"asked_0": "500", "product": "Solo"},
        {"asked_0": None, "product": "Team"},
        asked=("seats",),
    )
    assert cleaned.accepted["persona"].to_list() == ["big", "unassigned", "unassigned"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", {"status": "ok"}),
        ("survey", {"survey": "ok", "source_id": "web"}),
        ("device", {"device_type": "ok"}),
        ("score", {"score": "ok"}),
        ("channel", {"channel": "ok"}),
        ("survey_id", {}),
    ],
)
def test_a_persona_rule_may_ask_for_any_attribute_of_the_answer(name: str, values: dict[str, str]) -> None:
    wanted = {
        "status": "ok",
        "survey": "ok",
        "device": "OK",
        "score": "4",
        "channel": "other",
        "survey_id": "after_chat",
    }
    judged_by = registry({"also_known_as": ["ok"]}, segments=(persona(1, "found", **{name: wanted[name]}),))
    row = {**values, "score": "4"}
    assert accepted(clean(judged_by, row))["persona"] == "found"
    misses = registry({"also_known_as": ["ok"]}, segments=(persona(1, "found", **{name: "something else"}),))
    assert accepted(clean(misses, row))["persona"] == "unassigned"


def test_a_journey_stage_rule_goes_before_the_export_and_the_export_before_the_registry() -> None:
    rules = (persona(1, "onboarding", "journey_stage", product="Trial"),)
    judged_by = registry({"journey_stage": "support"}, segments=rules)
    cleaned = clean(
        judged_by, {"product": "Trial", "journey_stage": "renewal"}, {"journey_stage": "renewal"}, {}
    )
    assert cleaned.accepted["journey_stage"].to_list() == ["onboarding", "renewal", "support"]
    assert cleaned.accepted["persona"].to_list() == ["unassigned"] * 3


@pytest.mark.parametrize(
    ("written", "channel"),
    [
        ("E-Mail", "email"),
        ("voice", "phone"),
        ("IVR", "phone"),
        ("Live Chat", "chat"),
        (" In-App ", "in_app"),
        ("in app", "in_app"),
        ("Text", "sms"),
        ("kiosk", "kiosk"),
        ("carrier pigeon", "other"),
        (None, "web"),
    ],
)
def test_channels_are_brought_to_the_registrys_words(written: str | None, channel: str) -> None:
    assert accepted(clean(registry({"channel": "web"}), {"channel": written}))["channel"] == channel


def test_what_the_export_does_not_say_comes_from_the_registry_or_is_unknown() -> None:
    row = accepted(clean(registry({"product": "Shop", "process": "support"}), {"language": "EN-gb"}))
    assert (row["product"], row["process"], row["language"]) == ("Shop", "support", "en-gb")
    assert (row["device"], row["journey_stage"], row["channel"]) == ("unknown", "unknown", "unknown")
    assert (
        accepted(clean(registry({"product": "Shop"}), {"product": "App", "device_type": "Mobile"}))["product"]
        == "App"
    )


@pytest.mark.parametrize(
    ("scale", "answer", "satisfaction"),
    [
        ("csat_1_5", "1", 0.0),
        ("csat_1_5", "Satisfied", 75.0),
        ("csat_1_5", "5", 100.0),
        ("csat_good_bad", "Bad", 0.0),
        ("csat_good_bad", "good", 100.0),
        ("net_easy_1_7", "1", 100.0),
    ],
)
def test_satisfaction_is_0_to_100_and_higher_is_better(scale: str, answer: str, satisfaction: float) -> None:
    assert accepted(clean(registry({"csat_scale": scale}), {"csat": answer}))["csat_0_100"] == satisfaction


def test_recommendation_is_kept_as_answered_and_only_where_it_is_asked() -> None:
    assert accepted(clean(registry({"has_nps": True}), {"nps": "10 - Extremely likely"}))["nps"] == 10
    assert accepted(clean(registry({"has_nps": True}), {"nps": None}))["nps"] is None
    assert accepted(clean(registry(), {"nps": "10"}))["nps"] is None


def test_a_survey_without_a_score_publishes_none() -> None:
    row = accepted(clean(registry({"scale": None, "has_nps": True}), {"nps": "3"}))
    assert [row[name] for name in ("scale_id", "score", "effort_0_100", "ease_0_100", "effort_band")] == [
        None
    ] * 5
    assert row["nps"] == 3


def test_an_attention_check_compares_trimmed_and_folded_also_on_a_column_that_the_mapping_took() -> None:
    judged_by = registry({"expect": {"language": "English"}})
    cleaned = clean(judged_by, {"language": " ENGLISH"}, {"language": "Englisch"}, {"language": None})
    assert reasons(cleaned) == {
        "r0": (),
        "r1": ("failed_attention_check",),
        "r2": ("failed_attention_check",),
    }


def test_an_attention_check_binds_its_own_survey_only() -> None:
    other = {"id": "after_call", "scale": "ease_1_5"}
    judged_by = registry({"expect": {"check": "5"}}, other)
    cleaned = clean(judged_by, {"asked_0": "4"}, {"asked_0": "4", "survey": "after_call"}, asked=("check",))
    assert reasons(cleaned) == {"r0": ("failed_attention_check",), "r1": ()}


def test_the_quarantine_keeps_what_was_landed_as_json_and_where_it_came_from() -> None:
    row = {
        "score": "9",
        "comment": 'said "no"\nand left \\ ☹',
        "ticket_id": "007",
        "extra": '{"Other":"x"}',
        "submitted_at": at("11:58"),
        "delivery_id": "abc",
        "row_number": 41,
        "times_as_written": '{"started_at":"31/02/2026"}',
    }
    (kept,) = clean(registry(), row).rejected.to_dict("records")
    landed = json.loads(kept["landed"])
    assert landed == {
        "response_id": "r0",
        "survey": "after_chat",
        "respondent_key": "p0",
        "ticket_id": "007",
        "score": "9",
        "comment": row["comment"],
        "submitted_at": landed["submitted_at"],
        "times_as_written": row["times_as_written"],
        "extra": row["extra"],
    }
    assert landed["submitted_at"].startswith("2026-03-02 11:58:00")
    assert (kept["delivery_id"], kept["row_number"], kept["rule_version"]) == ("abc", 41, RULE_VERSION)
    assert list(kept["reasons"]) == ["score_off_scale"]


def test_every_landed_row_is_accepted_rejected_superseded_or_landed_again() -> None:
    cleaned = clean(
        registry(),
        {},
        {"response_id": "x", "content": 1},
        {"response_id": "x", "content": 1, "delivery_id": "d2"},
        {"response_id": "x", "content": 2, "event_at": at("13:00"), "finished": "false"},
        {"score": "9"},
    )
    assert cleaned.counts.reset_index(drop=True).to_dict("records") == [
        {"stored": 5, "landed_again": 1, "superseded": 1, "accepted": 2, "rejected": 1, "suspect": 1}
    ]
    assert accepted(cleaned, "x")["revision"] == 2

"""Protects the registry: what is written is what is loaded, and every error names file, entry and key."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.clean.judged_by import survey_part
from ces_pipeline.errors import RegistryError
from ces_pipeline.folding import fold
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES
from ces_pipeline_tests.builders import DESK, SURVEYS, WEB, inbox_home

SCALE = {
    "id": "ours",
    "title": "Ours",
    "min": 1,
    "max": 5,
    "higher_means": "easier",
    "easy": [4, 5],
    "difficult": [1, 2],
}


def refused(folder: Path, *sources: dict[str, Any], **files: Any) -> str:
    """The error message for this registry, without its line number."""
    home = inbox_home(folder, *sources, **files)
    with pytest.raises(RegistryError) as caught:
        load_registry(home.home.registry)
    return re.sub(r", line \d+: ", ": ", str(caught.value), count=1)


def test_a_registry_is_loaded_as_written(tmp_path: Path) -> None:
    home = inbox_home(
        tmp_path,
        {**WEB, "time_zone": "Europe/Berlin", "missing": ["NA"]},
        DESK,
        scales=[SCALE],
        settings={"business_time_zone": "Europe/Berlin", "first_day": date(2026, 1, 1)},
        segments=[{"id": "big", "value": "enterprise", "when": {"product": ["A", "B"]}}],
    )
    registry = home.registry
    assert registry.sources["web"].columns == WEB["columns"]
    assert (registry.sources["web"].time_zone, registry.sources["web"].missing) == ("Europe/Berlin", ("NA",))
    assert [source.id for source in registry.sources_of("tickets")] == ["desk"]
    assert (registry.settings.business_time_zone, registry.settings.first_day) == (
        "Europe/Berlin",
        date(2026, 1, 1),
    )
    assert registry.segments[0].when == {"product": ("A", "B")}
    assert registry.scales["ours"].by_label == {}


def test_missing_files_mean_no_entries_and_the_shipped_scales_are_always_included(tmp_path: Path) -> None:
    registry = load_registry(tmp_path)
    assert (registry.sources, registry.surveys, registry.segments) == ({}, {}, ())
    assert {"ease_1_5", "ease_1_4"} <= set(registry.scales)


def test_the_error_for_an_absent_registry_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="ces init"):
        load_registry(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"tiem_zone": "UTC"}, ("entry web", "tiem_zone", "unknown key")),
        ({"time_zone": "Europe/Berlim"}, ("entry web", "time_zone", "Europe/Berlim")),
        ({"reader": "qualtrix"}, ("entry web", "reader", "qualtrix", "qualtrics_csv")),
        ({"reader": "zendesk_json"}, ("entry web", "reader", "zendesk_json", "survey")),
        ({"kind": "servey"}, ("entry web", "kind")),
        ({"survey": "after_chta"}, ("entry web", "survey", "after_chta", "after_chat")),
        ({"survey": None}, ("entry web", "survey", "survey_column")),
        ({"survey_column": "poll"}, ("entry web", "exactly one of survey and survey_column")),
        ({"columns": {"scroe": "Q1"}}, ("entry web", "columns", "scroe", "score")),
        ({"values": {"scroe": {"a": "1"}}}, ("entry web", "values", "scroe", "score")),
        ({"hashed": ["score"]}, ("entry web", "hashed", "score", "respondent")),
        ({"id": "Web Site"}, ("entry Web Site", "id", "lower-case")),
        ({"inbox": ["a", "b"]}, ("entry web", "inbox")),
    ],
)
def test_a_mistake_in_a_source_names_file_entry_and_key(
    tmp_path: Path, change: dict[str, Any], facts: tuple[str, ...]
) -> None:
    message = refused(tmp_path, {**WEB, **change})
    for fact in ("sources.yaml", *facts):
        assert fact in message


@pytest.mark.parametrize(
    ("survey", "facts"),
    [
        ({"scale": "ease_1_55"}, ("scale", "ease_1_55", "ease_1_5")),
        ({"csat_scale": "csat"}, ("csat_scale", "csat")),
        ({"chanel": "web"}, ("chanel", "unknown key")),
        ({"channel": "fax machine"}, ("channel",)),
        ({"rules": {"min_duration": 3}}, ("rules.min_duration", "unknown key")),
        ({"rules": {"min_duration_seconds": -1}}, ("rules.min_duration_seconds",)),
        ({"rules": {"severities": {"to_fast": "off"}}}, ("rules", "to_fast", "too_fast")),
        ({"rules": {"severities": {"too_fast": "never"}}}, ("rules.severities.too_fast",)),
        ({"required": ["scores"]}, ("required",)),
        ({"live_from": "2026-02-30"}, ("live_from",)),
    ],
)
def test_a_mistake_in_a_survey_names_file_entry_and_key(
    tmp_path: Path, survey: dict[str, Any], facts: tuple[str, ...]
) -> None:
    message = refused(tmp_path, surveys=[{**SURVEYS[0], **survey}])
    for fact in ("surveys.yaml", "entry after_chat", *facts):
        assert fact in message


@pytest.mark.parametrize(
    ("scale", "facts"),
    [
        ({"min": 5}, ("min", "max")),
        ({"easy": [5, 6]}, ("easy", "[6]", "1 to 5")),
        ({"difficult": [0, 1]}, ("difficult", "[0]", "1 to 5")),
        ({"easy": [2, 4, 5]}, ("easy", "difficult", "[2]")),
        ({"higher_means": "harder"}, ("higher_means", "easy", " 1,")),
        ({"higher_means": "better"}, ("higher_means",)),
        ({"labels": {"en": {7: "Very easy"}}}, ("labels.en", "[7]")),
        ({"easy": []}, ("easy",)),
        ({"id": "ease_1_5"}, ("id",)),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(
    tmp_path: Path, scale: dict[str, Any], facts: tuple[str, ...]
) -> None:
    entry = {**SCALE, **scale}
    message = refused(tmp_path, scales=[entry])
    for fact in (f"scales.yaml: entry {entry['id']}: ", *facts):
        assert fact in message


@pytest.mark.parametrize(
    ("files", "facts"),
    [
        (
            {"products": [{"id": "shop", "also_known_as": ["App"]}, {"id": "app"}]},
            ("products.yaml: entry app: also_known_as: ", "'app'", "shop"),
        ),
        (
            {"surveys": [{**SURVEYS[0], "product": "Shop"}]},
            ("surveys.yaml: entry after_chat: product: ", "'Shop'", "products.yaml", "(known: app, shop)"),
        ),
        (
            {"segments": [{"id": "big", "value": "x", "when": {"product": ["shop", "kiosk"]}}]},
            ("segments.yaml: entry big: when.product: ", "'kiosk'"),
        ),
        (
            {"settings": {"survey_ineligible": {"product": ["kiosk"]}}},
            ("settings.yaml: settings: survey_ineligible.product: ", "'kiosk'"),
        ),
        (
            {"releases": [{"id": "v2", "day": date(2026, 3, 1), "title": "v2", "products": ["App"]}]},
            ("releases.yaml: entry v2: products: ", "'App'"),
        ),
    ],
)
def test_the_registry_uses_product_ids_and_a_name_means_one_product(
    tmp_path: Path, files: dict[str, Any], facts: tuple[str, ...]
) -> None:
    message = refused(tmp_path, **{"products": [{"id": "shop"}, {"id": "app"}], **files})
    for fact in facts:
        assert fact in message


OBJECTIVE = {
    "id": "easier",
    "title": "Easier",
    "figure": "difficult_share",
    "baseline": 0.3,
    "baseline_day": date(2026, 3, 1),
    "target": 0.2,
    "target_day": date(2026, 12, 1),
}


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"baseline": ...}, ("baseline: ", "required")),
        ({"baseline": None}, ("baseline: ", "number")),
        ({"target": ...}, ("target: ", "required")),
        ({"figure": "ces"}, ("figure: ",)),
        ({"figure": None}, ("figure", "metric")),
        ({"metric": "response_rate_1"}, ("figure", "metric")),
        ({"figure": None, "metric": "response_rate_1", "dimension": "channel"}, ("metric", "dimension")),
        ({"dimension": "channel"}, ("dimension", "segment")),
        ({"segment": "chat"}, ("dimension", "segment")),
        (
            {"dimension": "survey", "segment": "after_caht"},
            ("segment: ", "'after_caht'", "(known: after_chat)"),
        ),
        ({"baseline": 30}, ("baseline 30", "write 0.3")),
        ({"figure": "mean_effort_0_100", "target": 101}, ("target 101", "100, the maximum")),
        ({"target": 0.3}, ("baseline", "target")),
        ({"target_day": date(2026, 3, 1)}, ("target_day", "baseline_day")),
        ({"sponsor": ""}, ("sponsor: ",)),
    ],
)
def test_the_error_for_an_objective_that_cannot_be_measured_names_the_key(
    tmp_path: Path, change: dict[str, Any], facts: tuple[str, ...]
) -> None:
    entry = {key: value for key, value in {**OBJECTIVE, **change}.items() if value is not ...}
    message = refused(tmp_path, objectives=[entry])
    for fact in ("objectives.yaml: entry easier: ", *facts):
        assert fact in message


@pytest.mark.parametrize("name", ["sources", "surveys", "scales", "segments"])
def test_an_id_of_two_entries_is_refused(tmp_path: Path, name: str) -> None:
    entries = {"sources": WEB, "surveys": SURVEYS[0], "scales": SCALE,
               "segments": {"id": "big", "value": "x", "when": {"product": "A"}}}  # fmt: skip
    message = refused(tmp_path, **{name: [entries[name], entries[name]]})
    assert f"{name}.yaml: entry {entries[name]['id']}: id: " in message


def test_an_alias_of_two_surveys_is_refused(tmp_path: Path) -> None:
    surveys = [
        {**SURVEYS[0], "also_known_as": ["SV_1"]},
        {**SURVEYS[0], "id": "other", "also_known_as": ["SV_1"]},
    ]
    message = refused(tmp_path, surveys=surveys)
    for fact in ("surveys.yaml: entry other: also_known_as: ", "'SV_1'", "after_chat"):
        assert fact in message


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"business_time_zone": "Mars/Olympus"}, ("business_time_zone", "Mars/Olympus")),
        ({"minimum_n": 0}, ("minimum_n",)),
        ({"schedule_hour": 24}, ("schedule_hour",)),
        ({"first_day": "soon"}, ("first_day",)),
        ({"minimun_n": 30}, ("minimun_n", "unknown key")),
        (["minimum_n"], ("key: value",)),
    ],
)
def test_a_mistake_in_the_settings_names_file_and_key(
    tmp_path: Path, settings: Any, facts: tuple[str, ...]
) -> None:
    message = refused(tmp_path, settings=settings)
    for fact in ("settings.yaml", *facts):
        assert fact in message


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("- id: web\n  kind: [survey\n", ", line 3: "),
        ("web:\n  kind: survey\n", "expected a list of entries"),
        ("- kind: survey\n", "entry 1: id: "),
        ("- web\n", "entry 1: id: "),
        ("- id: [web]\n", "id"),
        ("- id: 7\n  kind: survey\n  reader: csv\n  survey: after_chat\n", "entry 7: id"),
    ],
)
def test_a_file_that_is_no_list_of_entries_is_refused_with_its_name(
    tmp_path: Path, text: str, fact: str
) -> None:
    home = inbox_home(tmp_path)
    (home.home.registry / "sources.yaml").write_text(text)
    with pytest.raises(RegistryError) as caught:
        load_registry(home.home.registry)
    assert "sources.yaml" in str(caught.value)
    assert fact in str(caught.value)


def test_a_file_in_another_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    (home.home.registry / "sources.yaml").write_bytes("- id: küche\n".encode("cp1252"))
    with pytest.raises(RegistryError, match=r"sources\.yaml"):
        load_registry(home.home.registry)


def test_several_mistakes_in_an_entry_are_counted(tmp_path: Path) -> None:
    assert "(and 1 more)" in refused(tmp_path, {**WEB, "tiem_zone": "UTC", "raeder": "csv"})


@pytest.mark.parametrize(
    "link",
    [
        "http://surveys.example.com/a",
        "surveys.example.com",
        "https://ann@surveys.example.com",
        "https://a.example/#b",
    ],
)
def test_a_survey_link_is_a_plain_https_address(tmp_path: Path, link: str) -> None:
    message = refused(tmp_path, WEB, surveys=[{**SURVEYS[0], "link": link}])
    assert "surveys.yaml: entry after_chat: link: must be an https URL" in message


def test_a_key_that_decides_no_verdict_makes_no_day_stale(tmp_path: Path) -> None:
    more = {"link": "https://surveys.example.com/a?lang=de", "questions": 3, "wording": "How easy was it?"}
    plain = inbox_home(tmp_path / "a", WEB).registry
    documented = inbox_home(tmp_path / "b", WEB, surveys=[{**SURVEYS[0], **more}]).registry
    by_chat = inbox_home(tmp_path / "c", WEB, surveys=[{**SURVEYS[0], "channel": "chat"}]).registry
    survey_id = SURVEYS[0]["id"]
    assert survey_part(documented, survey_id) == survey_part(plain, survey_id)
    assert survey_part(by_chat, survey_id) != survey_part(plain, survey_id)


def test_only_a_source_with_hashed_people_is_read_again(tmp_path: Path) -> None:
    plain = inbox_home(tmp_path / "a", WEB).registry.sources["web"].reading
    # The fingerprint from before the key existed: an update must not make ces read every export again.
    assert plain == "dbe4bb915ce19b78"
    assert (
        inbox_home(tmp_path / "b", {**WEB, "hashed": ["respondent"]}).registry.sources["web"].reading != plain
    )


def test_direction_is_data(tmp_path: Path) -> None:
    easier = Scale.model_validate(SCALE)
    harder = Scale.model_validate({**SCALE, "higher_means": "harder", "easy": [1, 2], "difficult": [4, 5]})
    assert [easier.effort_0_100(value) for value in (1, 3, 5)] == [100, 50, 0]
    assert [harder.effort_0_100(value) for value in (1, 3, 5)] == [0, 50, 100]
    assert [easier.band(value) for value in (1, 3, 5)] == ["difficult", "neutral", "easy"]


def test_labels_are_compared_folded() -> None:
    scale = Scale.model_validate({**SCALE, "labels": {"de": {5: ("Sehr  EINFACH", "mühelos")}}})
    assert scale.by_label[fold(" sehr einfach ")] == scale.by_label[fold("MÜHELOS")] == 5


def test_aliases_of_surveys_are_found_folded(tmp_path: Path) -> None:
    registry = inbox_home(tmp_path, surveys=[{**SURVEYS[0], "also_known_as": ["SV_1 Chat"]}]).registry
    assert registry.survey_names[fold("sv_1  CHAT")] == "after_chat"


def test_every_reason_has_a_severity_that_a_survey_may_change(tmp_path: Path) -> None:
    survey = {**SURVEYS[0], "rules": {"severities": {"too_fast": "suspect"}}}
    rules = inbox_home(tmp_path, surveys=[survey]).registry.surveys["after_chat"].rules
    assert rules.severity("too_fast") == "suspect"
    assert rules.severity("incomplete") == DEFAULT_SEVERITIES["incomplete"] == "reject"

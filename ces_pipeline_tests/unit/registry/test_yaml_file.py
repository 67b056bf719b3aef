"""Protects the registry from what YAML lets pass: each mistake is one line with file, line number, entry and key."""

import os
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import RegistryError
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.yaml_file import read_yaml

SURVEY = "- id: after_help\n  scale: ease_1_7\n"


def written(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, **texts: str) -> Registry:
    return load_registry(written(folder, **texts))


def refused(folder: Path, **texts: str) -> str:
    with pytest.raises(RegistryError) as caught:
        loaded(folder, **texts)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message.removeprefix(str(folder))) < 700
    return message.removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("file", "text", "begin", "facts"),
    [
        (
            "surveys",
            f"{SURVEY}  scale: effort_1_7\n",
            "surveys.yaml, line 3: entry after_help: scale: ",
            ["line 2"],
        ),
        (
            "surveys",
            f"{SURVEY}- id: other\n  rules:\n    severities: {{duplicate: info,\n      duplicate: reject}}\n",
            "surveys.yaml, line 6: entry other: rules.severities.duplicate: ",
            ["line 5"],
        ),
        (
            "settings",
            "minimum_n: 5\n\nminimum_n: 9\n",
            "settings.yaml, line 3: settings: minimum_n: ",
            ["line 1"],
        ),
        (
            "scales",
            "- id: ours\n  labels: {en: {1: hard, '1': very hard}}\n",
            "scales.yaml, line 2: entry ours: labels.en.1: ",
            ["twice"],
        ),
    ],
)
def test_a_key_that_is_there_twice_is_refused(
    tmp_path: Path, file: str, text: str, begin: str, facts: list[str]
) -> None:
    message = refused(tmp_path, **{file: text})
    assert message.startswith(begin)
    assert all(fact in message for fact in facts)


@pytest.mark.parametrize(
    ("file", "text", "begin"),
    [
        ("settings", "minimum_n: 5\nfirst_day: 2026-02-30\n", "settings.yaml, line 2: settings: first_day: "),
        (
            "settings",
            "holidays:\n- 2026-06-30\n- 2026-06-31\n",
            "settings.yaml, line 3: settings: holidays.1: ",
        ),
        (
            "fixes",
            "- id: f\n  title: t\n  live_on: 2026-13-01\n  categories: [a]\n",
            "fixes.yaml, line 3: entry f: live_on: ",
        ),
        (
            "surveys",
            "- {id: a}\n- {id: b, live_from: 2026-00-10}\n",
            "surveys.yaml, line 2: entry b: live_from: ",
        ),
    ],
)
def test_a_date_that_does_not_exist_is_refused(tmp_path: Path, file: str, text: str, begin: str) -> None:
    assert refused(tmp_path, **{file: text}).startswith(begin)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"minimum_n: {'9' * 5000}", "minimum_n"),
        (f"minimum_n: -{'9' * 5000}", "minimum_n"),
        (f"minimum_n: {'9' * 30}", ""),
        (f"contact_window_days: {10**9}", "contact_window_days"),
        ("repeat_contact_days: .nan", "repeat_contact_days"),
        ("repeat_contact_days: .inf", "repeat_contact_days"),
        (f"reject_share_warning: {'9' * 5000}.0", "reject_share_warning"),
        ("effort_half_life_days: 1.0e+300", "effort_half_life_days"),
        ("first_day: 0001-01-01", "first_day"),
        ("minimum_n: 0x1F", "minimum_n"),
    ],
)
def test_a_number_out_of_reach_is_refused(tmp_path: Path, text: str, key: str) -> None:
    message = refused(tmp_path, settings=text)
    assert message.startswith("settings.yaml, line 1: settings: ")
    assert key in message


def test_a_scale_of_huge_range_is_refused_at_once(tmp_path: Path) -> None:
    scale = "- {id: ours, title: t, min: 0, max: 2000000000, higher_means: easier, easy: [1], difficult: [0]}"
    begun = time.process_time()
    assert refused(tmp_path, scales=scale).startswith("scales.yaml, line 1: entry ours: max: ")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("a: " + "[" * 5000 + "]" * 5000, "settings.yaml, line 1: "),
        ("a: " + "{a: " * 5000 + "}" * 5000, "settings.yaml, line 1: "),
        ("\n".join(" " * depth + "a:" for depth in range(300)), "settings.yaml, line 5"),
    ],
)
def test_deep_nesting_is_refused(tmp_path: Path, text: str, begin: str) -> None:
    message = refused(tmp_path, settings=text)
    assert message.startswith(begin)
    assert "nesting" in message


def doubling(first: str, repeat: str) -> str:
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} {repeat.replace('?', f'*a{n - 1}')}" for n in range(1, 40)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        doubling("[x, x]", "[?, ?, ?, ?]"),
        doubling("{x: 1}", "{<<: [?, ?]}"),
        "\n".join(["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{b: *a{n - 1}}}" for n in range(1, 200))]),
        "a: &a [*a]",
        "a: &a {b: *a}",
    ],
)
def test_aliases_that_grow_without_end_are_refused_at_once(tmp_path: Path, text: str) -> None:
    begun = time.process_time()
    message = refused(tmp_path, settings=text)
    assert message.startswith("settings.yaml, line ")
    assert time.process_time() - begun < 5


def test_anchors_aliases_and_merge_keys_still_work(tmp_path: Path) -> None:
    surveys = "- &base {id: a, scale: ease_1_7, channel: chat}\n- <<: *base\n  id: b\n  channel: web\n"
    registry = loaded(tmp_path, surveys=surveys)
    assert {survey.id: (survey.scale, survey.channel) for survey in registry.surveys.values()} == {
        "a": ("ease_1_7", "chat"),
        "b": ("ease_1_7", "web"),
    }


def test_a_key_of_a_merged_entry_that_is_wrong_has_a_line(tmp_path: Path) -> None:
    surveys = "- &base {id: a}\n- <<: *base\n  id: b\n  chanel: web\n"
    assert refused(tmp_path, surveys=surveys).startswith("surveys.yaml, line 4: entry b: chanel: ")


@pytest.mark.parametrize(
    ("word", "is_on"),
    [("off", False), ("no", False), ("False", False), ("on", True), ("Yes", True), ("true", True)],
)
def test_a_flag_is_a_text_where_a_text_is_expected_and_else_a_flag(
    tmp_path: Path, word: str, is_on: bool
) -> None:
    registry = loaded(
        tmp_path,
        surveys=f"- id: a\n  product: {word}\n  expect: {{{word}: {word}}}\n  rules: {{keep_partial: {word}}}\n",
        segments=f"- {{id: s, value: v, when: {{product: {word}, channel: [{word}]}}}}\n",
        sources=f"- id: form\n  kind: survey\n  reader: csv\n  survey: a\n  columns: {{score: {word}}}\n"
        f"  values: {{finished: {{{word}: {word}}}}}\n  options: {{row_names: {word}, quote: [{word}, '{word}']}}\n",
    )
    survey, source = registry.surveys["a"], registry.sources["form"]
    assert (survey.product, survey.expect, survey.rules.keep_partial) == (word, {word: word}, is_on)
    assert registry.segments[0].when == {"product": word, "channel": (word,)}
    assert (source.columns, source.values) == ({"score": word}, {"finished": {word: word}})
    assert source.options == {"row_names": is_on, "quote": [is_on, word]}
    assert type(source.options["row_names"]) is bool


def test_a_severity_is_off_without_quotes(tmp_path: Path) -> None:
    surveys = "- id: a\n  rules:\n    severities:\n      duplicate: off\n"
    assert loaded(tmp_path, surveys=surveys).surveys["a"].rules.severity("duplicate") == "off"


def test_only_plain_numbers_are_numbers(tmp_path: Path) -> None:
    """YAML 1.1 reads 010 as 8 and 09:30 as 570."""
    registry = loaded(
        tmp_path,
        settings="minimum_n: 010\nbusiness_hours: {monday: {opens: 09:30, closes: 17:00}}\n",
        segments="- {id: s, value: v, when: {product: 010, channel: 7, category: 1.5}}\n",
    )
    assert registry.settings.minimum_n == 10
    assert registry.settings.business_hours["monday"].opens_minute == 570
    assert registry.segments[0].when == {"product": "010", "channel": 7, "category": 1.5}


@pytest.mark.parametrize(
    ("surveys", "facts"),
    [
        ("- {id: after_help, scal: ease_1_7}", ["line 1: entry after_help: scal: ", "did you mean scale?"]),
        (
            "- id: a\n  rules:\n    keep_parial: true\n",
            ["line 3: entry a: rules.keep_parial: ", "keep_partial?"],
        ),
        ("- id: a\n  qqqq: 1\n", ["line 2: entry a: qqqq: ", "(known: id, title, also_known_as"]),
        ("- id: a\n  scale: ease_1_77\n", ["line 2: entry a: scale: ", "did you mean ease_1_7"]),
        ("- id: a\n  1: x\n", ["line 2: entry a: 1"]),
        ("- id: a\n  on: x\n", ["line 2: entry a: on: "]),
        ("- id: a\n  title: 7\n", ["line 2: entry a: title: ", "quotes"]),
    ],
)
def test_the_key_that_was_meant_is_suggested(tmp_path: Path, surveys: str, facts: list[str]) -> None:
    message = refused(tmp_path, surveys=surveys)
    assert all(fact in message for fact in ("surveys.yaml, ", *facts))


@pytest.mark.parametrize(
    ("auth", "meant"),
    [("{kind: basic_token, user: A, pasword: B}", "password"), ("{kind: bearer, tokn: A}", "token")],
)
def test_the_key_that_was_meant_is_suggested_inside_of_a_choice(
    tmp_path: Path, auth: str, meant: str
) -> None:
    source = (
        "- id: desk\n  kind: tickets\n  reader: zendesk_json\n  api:\n    connector: zendesk\n"
        f"    base_url: https://x.example.org\n    since: 2026-01-01\n    auth: {auth}\n"
    )
    message = refused(tmp_path, sources=source)
    assert f"did you mean {meant}?" in message
    assert ", line 8: entry desk: " in message


@pytest.mark.parametrize(
    "pattern", ["", ".", "./", "/etc/host*", "../*", "../../*", "a/../../b", "**x", "..", "C:/x"]
)
def test_a_pattern_that_leaves_the_inbox_is_refused(tmp_path: Path, pattern: str) -> None:
    source = f"- id: form\n  kind: survey\n  reader: csv\n  survey: a\n  inbox: '{pattern}'\n"
    message = refused(tmp_path, surveys="- {id: a}", sources=source)
    assert message.startswith("sources.yaml, line 5: entry form: inbox: ")


@pytest.mark.parametrize("pattern", ["**/*", "*.csv", "2026/**/*.csv", "export_[0-9]?.json", "a..b.csv"])
def test_a_pattern_below_the_inbox_is_taken(tmp_path: Path, pattern: str) -> None:
    source = f"- {{id: form, kind: survey, reader: csv, survey: a, inbox: '{pattern}'}}"
    assert loaded(tmp_path, surveys="- {id: a}", sources=source).sources["form"].inbox == pattern


@pytest.mark.parametrize(
    "raw",
    [
        b"a: !!int abc",
        b"a: !!float x",
        b"a: !!timestamp soon",
        b"a: !!bool maybe",
        b"a: !!python/object:os.system x",
        b"a: !!binary '#'",
        b"a: b\n--- \nc: d",
        b"a: \x01",
        b"a: \xff",
        b"\xff\xfea\x00:\x00",
        b"? [a]\n: b",
        b"a: 'b",
        b"%YAML 9.9\n---\na: b",
        b"a: *b",
        b'a: "\\ud800"',
        b"- a\n- b",
        b"7",
        b"a" * (5 << 20),
    ],
)
def test_whatever_a_file_holds_the_error_is_one_line_with_its_name(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "settings.yaml").write_bytes(raw)
    with pytest.raises(RegistryError) as caught:
        load_registry(tmp_path)
    assert str(tmp_path / "settings.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_file_names_the_entry_above_the_line(tmp_path: Path) -> None:
    assert refused(tmp_path, surveys=f"{SURVEY}- id: next\n  scale: [\n").startswith(
        "surveys.yaml, line 5: entry next: "
    )


def test_a_folder_or_a_dangling_link_in_a_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fixes.yaml").mkdir()
    assert refused(tmp_path).startswith("fixes.yaml: cannot be read")
    (tmp_path / "fixes.yaml").rmdir()
    (tmp_path / "fixes.yaml").symlink_to(tmp_path / "nowhere")
    assert refused(tmp_path).startswith("fixes.yaml: cannot be read")


def test_a_pipe_in_a_files_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fixes.yaml")
    assert refused(tmp_path).startswith("fixes.yaml: is no file")


def test_an_option_that_the_reader_does_not_know_is_refused(tmp_path: Path) -> None:
    source = "- id: form\n  kind: survey\n  reader: csv\n  survey: a\n  options:\n    delimeter: ';'\n"
    message = refused(tmp_path, surveys="- {id: a}", sources=source)
    assert message.startswith("sources.yaml, line 6: entry form: options.delimeter: ")
    assert "did you mean delimiter?" in message


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert loaded(tmp_path, settings="\ufeffminimum_n: 7\n").settings.minimum_n == 7


def test_dates_stay_dates(tmp_path: Path) -> None:
    data: Any = read_yaml(written(tmp_path, x="a: 2026-02-28\n2026-03-01: b\n") / "x.yaml").data
    assert data == {"a": date(2026, 2, 28), date(2026, 3, 1): "b"}

"""Protects the command line: exit status, plain words for a person's mistakes, what each command calls."""

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ces_pipeline.cli import runs
from ces_pipeline.cli.main import main
from ces_pipeline.doctor import examine
from ces_pipeline.errors import HomeError, UnreadableFileError
from ces_pipeline.home import Home
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.lake_days import DAY, registry, small_home

COMMANDS = (
    "demo",
    "run",
    "land",
    "inspect",
    "init",
    "doctor",
    "sample",
    "dictionary",
    "export",
    "ui",
    "show",
    "report",
    "deliveries",
    "quarantine",
    "why",
)
EXPORT = "answer_id,when,how_easy\n" + "".join(
    f"r{number},2026-03-02T10:{number:02}:00Z,{1 + number % 5}\n" for number in range(30)
)
FEED = """\
- id: web
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: answer_id, recorded_at: when, score: how_easy}
"""


def ces(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def with_export(root: Path) -> Home:
    """A home with one source and one export."""
    home = Home(root).make()
    registry(home.registry, minimum_n=2)
    (home.registry / "sources.yaml").write_text(FEED)
    (home.inbox / "web").mkdir()
    (home.inbox / "web" / "export.csv").write_text(EXPORT)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return with_export(tmp_path / "home")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Result]:
    """A home that has run once, which no test changes, and what the run printed."""
    home = with_export(tmp_path_factory.mktemp("ran") / "home")
    return home, ces("run", "--home", home.root)


@pytest.fixture
def ran(first_run: tuple[Home, Result], tmp_path: Path) -> Home:
    """A copy of the home that has run once."""
    return Home(Path(shutil.copytree(first_run[0].root, tmp_path / "ran")))


def test_help_names_every_command_without_loading_what_does_the_work() -> None:
    listed = ces("--help").output
    assert all(f"  {name} " in listed for name in COMMANDS)
    heavy = {"pandas", "duckdb", "dagster", "pyarrow"}
    code = f"import sys; import ces_pipeline.cli; print({heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = ces(name, "--help")
    assert result.exit_code == 0
    assert f"main {name}" in result.output


def test_a_run_lands_cleans_and_publishes_and_a_second_one_finds_nothing(
    first_run: tuple[Home, Result], ran: Home
) -> None:
    _, first = first_run
    assert first.exit_code == 0, first.output
    assert "1 new file of 1 source: 30 new or changed rows" in first.output
    assert "30 accepted" in first.output
    # All answers are of one Monday: its week is shown, and not compared.
    assert re.search(
        r"after_chat +30 +50\.0 +\d+\.\d to \d+\.\d +not compared: the week is not complete", first.output
    )
    assert "cleaning survey" in first.output
    assert ran.published.exists()
    before = ran.published.stat()
    started = time.monotonic()
    second = ces("run", "--home", ran.root)
    assert second.exit_code == 0
    assert "nothing new to publish" in second.output
    assert "no day was stale" in second.output
    assert time.monotonic() - started < 5
    after = ran.published.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_named_days_are_cleaned_again_and_nothing_changes(ran: Home) -> None:
    again = ces("run", "--home", ran.root, "--from", DAY, "--to", DAY)
    assert again.exit_code == 0, again.output
    assert "cleaning survey: 1 days" in again.output


def test_a_bad_file_fails_the_run_with_its_name_and_the_rest_is_published(home: Home) -> None:
    (home.inbox / "web" / "broken.csv").write_bytes(b"")
    result = ces("run", "--home", home.root)
    assert result.exit_code == 1
    assert "broken.csv" in result.output
    assert "published" in result.output
    assert home.published.exists()


@pytest.mark.parametrize("words", [("--from", "2026-02-30"), ("--from", "soon")])
def test_a_day_that_does_not_exist_is_bad_usage(home: Home, words: tuple[str, str]) -> None:
    result = ces("run", "--home", home.root, *words)
    assert result.exit_code == 2
    assert words[1] in result.output
    assert "2026-01-31" in result.output


@pytest.mark.parametrize(
    ("first", "last"),
    [("2020-01-01", "2020-01-02"), ("2026-03-05", "2026-03-04"), ("2026-03-04", "2999-01-01")],
)
def test_days_outside_the_calendar_are_bad_usage(home: Home, first: str, last: str) -> None:
    result = ces("run", "--home", home.root, "--from", first, "--to", last)
    assert result.exit_code == 2
    assert "are not within 2026-03-02 to" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["run", "land"])
def test_a_registry_with_a_mistake_is_reported_in_one_line(home: Home, command: str) -> None:
    (home.registry / "sources.yaml").write_text("- id: web\n  kind: surveys\n")
    result = ces(command, "--home", home.root)
    assert result.exit_code == 2
    assert "entry web" in result.output
    assert "Traceback" not in result.output


def test_a_home_without_a_registry_says_what_to_do(tmp_path: Path) -> None:
    result = ces("run", "--home", tmp_path / "none")
    assert result.exit_code == 2
    assert "ces init" in result.output


def test_what_fails_in_a_run_decides_the_status(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run(*given: Any, **options: Any) -> bool:
        seen.append((*given, options))
        return False

    monkeypatch.setattr(runs, "run", run)
    assert ces("run", "--home", home.root, "--from", "2026-03-02").exit_code == 1
    assert seen == [(home, date(2026, 3, 2), None, {"sources": (), "as_json": False})]
    monkeypatch.setattr(
        runs, "land", lambda _home: (_ for _ in ()).throw(UnreadableFileError("x.csv: cut off"))
    )
    result = ces("land", "--home", home.root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("x.csv: cut off\n")


def test_init_makes_a_home_once(tmp_path: Path) -> None:
    result = ces("init", tmp_path / "new")
    assert result.exit_code == 0
    home = Home(tmp_path / "new")
    assert {path.name for path in home.registry.iterdir()} >= {
        "sources.yaml",
        "surveys.yaml",
        "settings.yaml",
    }
    assert load_registry(home.registry).sources == {}
    before = (home.registry / "sources.yaml").read_bytes()
    again = ces("init", tmp_path / "new")
    assert again.exit_code == 2
    assert "already holds a registry" in again.output
    assert (home.registry / "sources.yaml").read_bytes() == before


def test_init_takes_the_business_zone_and_the_sample(tmp_path: Path) -> None:
    made = ces("init", tmp_path / "a", "--business-time-zone", "Asia/Tokyo", "--with-sample")
    assert made.exit_code == 0, made.output
    registry = load_registry(tmp_path / "a" / "registry")
    assert registry.settings.business_time_zone == "Asia/Tokyo"
    assert registry.sources
    wrong = ces("init", tmp_path / "b", "--business-time-zone", "Nowhere/Land")
    assert wrong.exit_code == 2
    assert not (tmp_path / "b").exists()


def test_inspect_shows_columns_and_writes_entries_when_asked(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "new.csv"
    export.write_text(EXPORT.replace("\n", ",2026-03-02\n").replace("how_easy,2026-03-02", "how_easy,bought"))
    words = ("inspect", export, "--home", home.root, "--score", "how_easy", "--scale", "ease_1_5")
    shown = ces(*words, "--survey", "new_survey", "--source", "new_feed")
    assert shown.exit_code == 0, shown.output
    assert "how_easy: score" in shown.output
    assert "for registry/sources.yaml" in shown.output
    assert "new_feed" not in (home.registry / "sources.yaml").read_text()
    refused = ces(*words, "--survey", "new_survey", "--source", "new_feed", "--write")
    assert refused.exit_code == 2
    assert "'when'; 'bought'" in refused.output
    assert "--column submitted_at=" in refused.output
    given = ("--survey", "new_survey", "--source", "new_feed", "--column", "submitted_at=when")
    written = ces(*words, *given, "--write")
    assert written.exit_code == 0, written.output
    assert "submitted_at: when" in (home.registry / "sources.yaml").read_text()


def test_inspect_proposes_a_source_of_accounts_whose_other_columns_are_attributes(
    home: Home, tmp_path: Path
) -> None:
    export = tmp_path / "crm.csv"
    export.write_text("email,when,plan\nann@example.org,2026-01-01,SMB\n")
    words = ("inspect", export, "--home", home.root, "--time-zone", "UTC")
    assert ces(*words, "--write").exit_code == 2
    assert "crm" not in load_registry(home.registry).sources
    written = ces(*words, "--kind", "accounts", "--column", "valid_from=when", "--write")
    assert written.exit_code == 0, written.output
    assert "plan: an attribute; 1 filled; SMB" in written.output
    assert "ann@example.org" not in written.output
    assert load_registry(home.registry).sources["crm"].columns == {"person": "email", "valid_from": "when"}


def test_inspect_refuses_a_column_that_is_not_there_or_no_field(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "new.csv"
    export.write_text(EXPORT)
    words = ("inspect", export, "--home", home.root, "--column")
    for column, said in [
        ("submitted_at=gone", "has no column 'gone'"),
        ("moment=when", "--column moment: no such field"),
        ("submitted_at", "FIELD=COLUMN"),
    ]:
        result = ces(*words, column)
        assert result.exit_code == 2
        assert said in result.output


def test_sample_writes_to_a_folder(tmp_path: Path) -> None:
    result = ces("sample", tmp_path / "sample", "--responses", 40, "--days", 2)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sample" / "known_answers.json").exists()


def findings(home: Home) -> list[str]:
    return [finding.text for finding in examine(home) if not finding.is_well]


def test_the_doctor_finds_nothing_after_a_run(ran: Home) -> None:
    result = ces("doctor", "--home", ran.root)
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output


def warnings(home: Home) -> list[str]:
    return [
        finding.text
        for finding in examine(home)
        if finding.is_warning and finding.text.startswith("objectives")
    ]


def test_the_doctor_warns_of_a_programme_that_is_going_nowhere_or_alone(home: Home, ran: Home) -> None:
    (text,) = warnings(home)
    assert text.startswith("objectives: none")
    assert "objectives.yaml" in text
    objectives = home.registry / "objectives.yaml"
    objectives.write_text("[]\n")
    assert len(warnings(home)) == 1
    entry = "- {id: o, title: O, figure: easy_share, baseline: 0.5, baseline_day: 2026-03-01, target: 0.7, "
    objectives.write_text(entry + "target_day: 2026-12-01, owner: Ann's team}\n")
    for key, text in zip(("sponsor", "budget", "follow_up"), warnings(home), strict=True):
        assert f"no {key} for o" in text
        assert "objectives.yaml" in text
    objectives.write_text(entry + "target_day: 2026-12-01, owner: a, sponsor: b, budget: c, follow_up: d}\n")
    assert warnings(home) == []
    # A warning is no failure.
    result = ces("doctor", "--home", ran.root)
    assert result.exit_code == 0
    assert "warn  objectives: none" in result.output


def test_the_doctor_warns_of_a_survey_that_could_be_better_and_is_content(ran: Home) -> None:
    result = ces("doctor", "--home", ran.root)
    (line,) = [line for line in result.output.splitlines() if "entry after_chat" in line]
    assert line.startswith("warn  surveys.yaml: entry after_chat: ")
    assert line.endswith(" questions, wording, owner")
    assert result.exit_code == 0


def test_the_doctor_prints_its_findings_and_the_checklist_as_json(home: Home) -> None:
    result = ces("doctor", "--home", home.root, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["home"] == str(home.root)
    assert said["is_well"] is False
    assert {finding["state"] for finding in said["findings"]} == {"ok", "warn", "FAIL"}
    assert [item["number"] for item in said["programme"]] == list(range(1, 11))
    printed = ces("doctor", "--home", home.root)
    assert printed.exit_code == 1
    assert "10. " in printed.stdout


def test_an_unwritable_home_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Home) -> Home:
        raise HomeError("the home cannot be written")

    monkeypatch.setattr(Home, "make", refuse)
    assert any("the home cannot be written" in text for text in findings(home))
    assert ces("run", "--home", home.root).exit_code == 2


def test_ui_starts_dagster_on_the_home_that_was_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("os.execve", lambda *given: started.append(given))
    ces("ui", "--home", home.root, "--port", 4001)
    ((program, command, environment),) = started
    assert program == sys.executable
    assert command[1:4] == ["-m", "dagster", "dev"]
    assert command[-2:] == ["--port", "4001"]
    assert (environment["DAGSTER_HOME"], environment["CES_HOME"]) == (str(home.dagster), str(home.root))


def test_the_cookbook_is_listed_and_answers(home: Home, ran: Home) -> None:
    listed = ces("show", "questions", "--home", home.root)
    assert "effort_by_week" in listed.stdout
    assert len(json.loads(ces("show", "questions", "--home", home.root, "--json").stdout)["questions"]) > 20
    assert ces("show", "--home", home.root).exit_code == 1
    nothing = ces("show", "effort_by_week", "--home", home.root)
    assert nothing.exit_code == 1
    assert "ces run" in nothing.stderr
    # 30 answers of 1 to 5 on one day, six of each: mean ease 50.
    shown = ces("show", "effort_by_week", "--home", ran.root)
    assert shown.exit_code == 0, shown.output
    assert "50.0 (" in shown.stdout
    assert "2026-03-02" in shown.stdout
    answer = json.loads(ces("show", "effort_by_week", "--home", ran.root, "--json").stdout)
    assert (answer["newest_day"], answer["rows"][0]["mean_ease_0_100"]) == ("2026-03-02", 50.0)
    assert "no rows" in ces("show", "did_the_fix_help", "--home", ran.root).stdout
    unknown = ces("show", "effort_by_weak", "--home", ran.root)
    assert unknown.exit_code == 2
    assert "effort_by_week" in unknown.stderr


def test_a_home_of_another_kind_is_left_alone_by_the_demo(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    result = ces("demo", "--home", small.home.root)
    assert result.exit_code == 2
    assert "already holds a registry" in result.output


def test_two_demos_at_once_are_refused(tmp_path: Path) -> None:
    result = ces("demo", "--api", "--story", "--home", tmp_path / "demo")
    assert result.exit_code == 2
    assert "--api and --story" in result.output
    assert not (tmp_path / "demo").exists()


def test_the_dictionary_is_printed_or_written_and_a_bad_place_is_reported(tmp_path: Path) -> None:
    printed = ces("dictionary")
    assert printed.exit_code == 0
    written = ces("dictionary", "--out", tmp_path / "dictionary.md")
    assert written.output == f"wrote {tmp_path / 'dictionary.md'}\n"
    assert (tmp_path / "dictionary.md").read_text(encoding="utf-8") == printed.stdout
    nowhere = ces("dictionary", "--out", tmp_path / "none" / "dictionary.md")
    assert nowhere.exit_code == 2
    assert f"{tmp_path / 'none' / 'dictionary.md'} cannot be written" in nowhere.output


def test_an_export_without_an_entry_or_a_published_file_is_reported(home: Home) -> None:
    for words, status, said in [
        (("journeys", "--to", "mixpanel"), 2, "there is no entry 'mixpanel' (known: none)"),
        (("scores",), 2, "no source has `write_back`"),
        (
            ("journeys", "--to", "file", "--out", home.root / "a.jsonl"),
            1,
            "nothing is published at",
        ),
        (("journeys", "--to", "file"), 2, "--out FILE"),
        (("journeys", "--to", "x", "--out", "a.jsonl"), 2, "--to file"),
        (("journeys", "--to", "x", "--from", DAY), 2, "`since` in exports.yaml"),
        (("journeys", "--to", "file", "--out", "a.jsonl", "--dry-run"), 2, "--dry-run and --send-unknown"),
    ]:
        result = ces("export", *words, "--home", home.root)
        assert (result.exit_code, said in result.output) == (status, True), result.output


def test_a_slip_in_the_exports_is_reported_by_the_doctor_too(home: Home) -> None:
    (home.registry / "exports.yaml").write_text(
        "- {id: there, target: amplitude, base_url: https://api2.amplitude.com, since: 2026-01-01, project_id: '1'}\n"
    )
    result = ces("export", "journeys", "--to", "there", "--home", home.root)
    assert result.exit_code == 2
    assert "exports.yaml, line 1: entry there: amplitude takes key, and no other credentials" in result.output
    assert result.stderr.splitlines()[-1] in findings(home)


def test_a_dry_run_of_an_export_says_what_would_be_sent(ran: Home) -> None:
    (ran.registry / "exports.yaml").write_text(
        "- {id: there, target: amplitude, base_url: https://api2.amplitude.com, since: 2026-01-01, key: AMP_KEY}\n"
    )
    result = ces("export", "journeys", "--to", "there", "--dry-run", "--home", ran.root)
    assert result.exit_code == 0, result.output
    # The export of this home names no one.
    assert result.stdout == (
        "there: would send 0 new events and 0 revised answers; 0 were sent before; 30 without a known person were skipped\n"
    )
    sent = ces("export", "journeys", "--to", "there", "--home", ran.root)
    assert sent.exit_code == 1
    assert "there: AMP_KEY not set: put the receiver's credentials into the environment" in sent.output

"""Protects what `ces run` says: its home, rows by reason, failures, files of no source, figures, one JSON object."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result

from ces_pipeline.cli.main import main
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.home import Home
from ces_pipeline.proof.step import prove
from ces_pipeline_tests.lake_days import registry

HEAD = "answer_id,when,how_easy\n"
SOURCE = """\
- id: web
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: answer_id, recorded_at: when, score: how_easy}
- id: other
  kind: survey
  reader: csv
  survey: after_chat
  columns: {response_id: answer_id, recorded_at: when, score: how_easy}
"""


def ces(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def answers(day: str, scores: list[str], name: str = "r") -> str:
    return "".join(
        f"{name}{day}{number},{day}T10:{number:02}:00Z,{score}\n" for number, score in enumerate(scores)
    )


def with_exports(root: Path) -> Home:
    """Minimum n is 3. Friday 2026-03-06 has 4 answers, Friday 13 has 4; one answer is off the scale."""
    home = Home(root).make()
    registry(home.registry, minimum_n=3)
    (home.registry / "sources.yaml").write_text(SOURCE)
    (home.inbox / "web").mkdir()
    (home.inbox / "other").mkdir()
    export = answers("2026-03-06", ["1", "2", "4", "5"]) + answers("2026-03-13", ["2", "2", "2", "4", "9"])
    (home.inbox / "web" / "export.csv").write_text(HEAD + export)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return with_exports(tmp_path / "home")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, int, dict[str, Any]]:
    """A home that has run once, which no test changes; the run's status and report."""
    home = with_exports(tmp_path_factory.mktemp("ran") / "home")
    return home, *run_json(home)


@pytest.fixture
def ran(first_run: tuple[Home, int, dict[str, Any]], tmp_path: Path) -> Home:
    """A copy of the home that has run once."""
    return Home(Path(shutil.copytree(first_run[0].root, tmp_path / "ran")))


def tree(home: Home) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(home.root)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in home.root.rglob("*")
        if path.is_file()
    }


def run_json(home: Home, *words: str) -> tuple[int, dict[str, Any]]:
    result = ces("run", "--home", home.root, "--json", *words)
    return result.exit_code, json.loads(result.stdout)


def test_a_run_names_its_home_first_and_at_the_end(ran: Home) -> None:
    result = ces("run", "--home", ran.root)
    assert result.output.splitlines()[0] == f"home: {ran.root}"
    assert str(ran.root) in result.stdout
    assert str(ran.published) in result.stdout.splitlines()[-1]


def test_a_run_reports_rows_by_reason_and_the_figures_of_the_report(
    first_run: tuple[Home, int, dict[str, Any]],
) -> None:
    home, status, said = first_run
    assert status == 0
    assert said["home"] == str(home.root)
    assert said["landed"]["rows_landed"] == 9
    (survey,) = said["cleaned"]
    assert (survey["kind"], survey["days"], survey["accepted"], survey["rejected"]) == ("survey", 2, 8, 1)
    assert survey["reasons"] == {"score_off_scale": 1}
    assert said["figures"] == json.loads(ces("show", "--home", home.root, "--json").stdout)
    # No week is complete: the newest one is shown. Ease of 1 to 5 is 0, 25, 50, 75, 100: (25 + 25 + 25 + 75) / 4.
    assert (said["figures"]["period_start"], said["figures"]["is_whole"]) == ("2026-03-09", False)
    (newest,) = said["figures"]["surveys"]
    assert (newest["survey_id"], newest["n"], newest["mean_ease_0_100"]) == (
        "after_chat",
        4,
        pytest.approx(37.5),
    )
    assert newest["ease_low_0_100"] < 37.5 < newest["ease_high_0_100"]
    assert newest["why_null"] == "week not complete"


def test_a_run_ends_with_what_show_shows(ran: Home) -> None:
    table = ces("show", "--home", ran.root).stdout.partition("\nmore: ")[0]
    assert "after_chat" in table
    assert table in ces("run", "--home", ran.root).stdout


def test_a_publish_writes_the_report(first_run: tuple[Home, int, dict[str, Any]]) -> None:
    home, _, _ = first_run
    assert sorted(path.name for path in home.reports.iterdir()) == [
        "index.html",
        "latest.html",
        "week-2026-03-09.html",
    ]


@pytest.mark.slow
def test_a_report_that_fails_is_a_warning_and_never_fails_the_publish(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a value of a row")

    monkeypatch.setattr("ces_pipeline.pages.files.write_pages", broken)
    status, said = run_json(home)
    assert (status, said["published"], said["failures"]) == (0, "published", [])
    (warning,) = [text for text in said["warnings"] if text.startswith("report_written")]
    assert "ValueError" in warning
    assert "a value of a row" not in json.dumps(said)
    assert not any(home.reports.iterdir())


@pytest.mark.slow
def test_a_failure_is_in_the_report_and_in_the_status(home: Home) -> None:
    (home.inbox / "web" / "wrong.csv").write_text("a,b\n1,2\n")
    status, said = run_json(home)
    assert status == 1
    assert said["is_well"] is False
    assert any("wrong.csv" in line for line in said["failures"])
    assert said["published"] == "published"
    result = ces("run", "--home", home.root)
    assert any(line.startswith("FAILED") and "wrong.csv" in line for line in result.stderr.splitlines())


def test_files_of_no_source_are_reported(ran: Home) -> None:
    (ran.inbox / "forms").mkdir()
    (ran.inbox / "forms" / "effort.csv").write_text(HEAD)
    (ran.inbox / "stray.csv").write_text(HEAD)
    (ran.inbox / "web" / "copy.csv.part").write_text(HEAD)
    (ran.inbox / "web" / ".hidden").write_text("")
    result = ces("run", "--home", ran.root)
    assert result.exit_code == 0
    assert {"inbox/forms/effort.csv", "inbox/stray.csv", "inbox/web/copy.csv.part"} <= {
        word.rstrip(":") for word in result.stdout.split()
    }
    _, said = run_json(ran)
    assert [stray["file"] for stray in said["files_of_no_source"]] == [
        "forms/effort.csv",
        "stray.csv",
        "web/copy.csv.part",
    ]


def test_a_dry_run_lists_what_would_be_done_and_changes_nothing(home: Home, ran: Home) -> None:
    before = tree(home)
    result = ces("run", "--home", home.root, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "web: export.csv" in result.stdout
    assert tree(home) == before
    (ran.inbox / "web" / "more.csv").write_text(HEAD + answers("2026-03-14", ["1"], "s"))
    before = tree(ran)
    said = json.loads(ces("run", "--home", ran.root, "--dry-run", "--json").stdout)
    assert said["would_land"] == [{"source_id": "web", "file": "more.csv", "why": "new"}]
    assert said["would_clean"] == {}
    assert said["would_publish"] is True
    assert tree(ran) == before


def test_a_dry_run_of_days_lists_these_days(ran: Home) -> None:
    words = ("--dry-run", "--json", "--from", "2026-03-06", "--to", "2026-03-07")
    said = json.loads(ces("run", "--home", ran.root, *words).stdout)
    assert said["would_clean"]["survey"] == ["2026-03-06", "2026-03-07"]


def test_only_the_named_source_lands(home: Home) -> None:
    (home.inbox / "other" / "other.csv").write_text(HEAD + answers("2026-03-06", ["3"], "o"))
    _, said = run_json(home, "--source", "other")
    assert (said["landed"]["sources"], said["landed"]["rows_landed"]) == (1, 1)
    _, said = run_json(home, "--dry-run")
    assert [(file["source_id"], file["file"]) for file in said["would_land"]] == [("web", "export.csv")]


def test_an_unknown_source_is_bad_usage_and_the_nearest_is_named(home: Home) -> None:
    for more in ((), ("--dry-run",)):
        result = ces("run", "--home", home.root, "--source", "wbe", *more)
        assert result.exit_code == 2
        assert "web" in result.stderr


def test_a_run_without_sources_says_what_to_do(tmp_path: Path) -> None:
    ces("init", tmp_path / "new")
    result = ces("run", "--home", tmp_path / "new")
    assert "ces inspect" in result.stdout


def runs_of(home: Home) -> int:
    with open_instance(home) as instance:
        return instance.get_runs_count()


@pytest.mark.slow
def test_a_second_run_without_news_examines_the_sources_and_starts_no_job(home: Home) -> None:
    assert ces("run", "--home", home.root).exit_code == 0
    before = runs_of(home)
    again = ces("run", "--home", home.root)
    assert again.exit_code == 0
    assert "no new file" in again.output
    assert runs_of(home) == before
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        assert ces("run", "--home", home.root).exit_code == 0
    # Each night has its landing on record.
    assert runs_of(home) == before + 1
    (home.inbox / "web" / "more.csv").write_text(HEAD + "new,2026-03-02T12:00:00Z,6\n")
    assert ces("run", "--home", home.root).exit_code == 0
    assert runs_of(home) > before + 1


@pytest.mark.slow
def test_a_night_without_news_fails_if_a_rule_misses_its_poison(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ces("run", "--home", home.root).exit_code == 0
    monkeypatch.setattr("ces_pipeline.proof.step.uncaught_by_rules", lambda: ["rule too_fast (survey)"])
    prove.cache_clear()
    try:
        same_day = ces("run", "--home", home.root)
        with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
            night = ces("run", "--home", home.root)
    finally:
        prove.cache_clear()
    assert same_day.exit_code == 0
    assert night.exit_code == 1
    assert "poisoned_rows_caught: rule too_fast (survey)" in night.output

"""Protects `ces show` and `ces report`: the figures of the page, on every width, and the same as JSON."""

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from ces_pipeline.cli import console
from ces_pipeline.cli.main import main
from ces_pipeline.pages.facts import Ask, Report, read, read_summary
from ces_pipeline.pages.summary import LINE_PERIODS, Summary, summary
from ces_pipeline.pages.words import Words
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.lake_days import SmallHome
from ces_pipeline_tests.unit.pages.homes import NEWEST, report_home

WIDTHS = (60, 80, 100, 200)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    return report_home(tmp_path_factory.mktemp("summary") / "home")


@pytest.fixture(scope="module")
def report(home: SmallHome) -> Report:
    with open_published(home.home.published) as connection:
        return read_summary(connection, Ask(periods=LINE_PERIODS))


def ces(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def printed(found: Summary, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal of this width shows."""
    out = Console(
        file=io.StringIO(), width=width, force_terminal=True, highlight=False, markup=False, soft_wrap=True, no_color=True
    )  # fmt: skip
    monkeypatch.setattr(console, "out", out)
    console.summary(found)
    return str(out.file.getvalue())  # type: ignore[attr-defined]


def figures(found: Summary) -> set[str]:
    return {number for row in found.rows for cell in row[1:4] for number in re.findall(r"\d+\.\d", cell)}


def test_the_terminal_says_what_the_page_says(home: SmallHome, report: Report) -> None:
    page = read(home.home, Ask(periods=LINE_PERIODS))
    assert [found.now for found in report.touchpoints] == [found.now for found in page.touchpoints]
    rows = {row[0]: row for row in summary(report).rows}
    words = Words("en")
    for found in page.touchpoints:
        assert found.now is not None
        row = rows[found.survey_id]
        assert row[2] == words.points(found.now["mean_ease_0_100"])
        assert found.now["verdict"] in row[4]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_figure_is_cut_on_any_width(report: Report, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(summary(report), width, monkeypatch)
    table = shown.partition("\n\n")[2]
    assert all(len(line.rstrip()) <= width for line in table.splitlines())
    for number in figures(summary(report)):
        assert number in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert "\x1b[3" not in shown


def test_what_matters_least_is_left_out_first(report: Report) -> None:
    found = summary(report)
    left = [len(found.fitted(width).headings) for width in (200, 100, 80, 60)]
    assert left == sorted(left, reverse=True)
    assert left[0] == 7
    assert left[-1] >= 4
    assert found.fitted(60).headings[:4] == ("survey", "n", "ease", "95 % interval")


def test_a_suppressed_survey_has_a_word_in_place_of_its_figure(tmp_path: Path) -> None:
    home = report_home(tmp_path / "home", minimum_n=10_000)
    result = ces("show", "--home", home.root)
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("after_chat")]
    assert "suppressed" in line
    assert "fewer than 10,000" in line
    assert "·" in line


def test_show_prints_the_figures_and_the_same_as_json(home: SmallHome, report: Report) -> None:
    shown = ces("show", "--home", home.root)
    assert shown.exit_code == 0
    assert "week of 20 Apr 2026" in shown.stdout
    assert "higher is easier" in shown.stdout
    assert "\x1b" not in shown.stdout
    said = json.loads(ces("show", "--home", home.root, "--json").stdout)
    assert (said["period"], said["period_start"]) == ("week", NEWEST.isoformat())
    by_id = {found.survey_id: found.now for found in report.touchpoints}
    for survey in said["surveys"]:
        now = by_id[survey["survey_id"]]
        assert now is not None
        assert survey["mean_ease_0_100"] == now["mean_ease_0_100"]
        assert survey["verdict"] == now["verdict"]


def test_the_line_of_a_survey_shows_noise_as_flat_and_gaps_as_dots(report: Report) -> None:
    lines = {row[0]: row[6] for row in summary(report).rows}
    # Seven weeks alike, and one that is much harder.
    assert lines["after_chat"] == "█" * 7 + "▁"
    assert len(set(lines["after_call"])) == 1


def test_report_writes_pages_and_says_where(home: SmallHome, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = ces("report", "--home", home.root, "--out", out, "--weeks", 4, "--language", "de")
    assert result.exit_code == 0, result.output
    assert str(out / f"week-{NEWEST}.html") in result.stdout
    text = (out / "latest.html").read_text()
    assert 'lang="de"' in text
    said = json.loads(
        ces("report", "--home", home.root, "--out", out, "--owner", "call team", "--json").stdout
    )
    (page,) = said["pages"]
    assert page["file"].endswith("-owner-call-team.html")
    assert [survey["survey_id"] for survey in said["surveys"]] == ["after_call"]
    unknown = ces("report", "--home", home.root, "--out", out, "--survey", "nothing")
    assert unknown.exit_code == 1
    assert "after_chat" in unknown.stderr

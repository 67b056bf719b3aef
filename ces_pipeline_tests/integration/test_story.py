"""Protects the demo story from end to end: the marts find what was planted in every kind of source."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.demo.story import FILE_NAME, FINDINGS, Story, differing, found, read_known
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.registry.starter import make_home
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import InboxHome
from ces_pipeline_tests.drills.homes import run


@pytest.fixture(scope="module")
def published_story(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The story, written and run."""
    home = make_home(Home(tmp_path_factory.mktemp("story") / "home"))
    Story().write(home)
    run(home, datetime(2026, 11, 1, tzinfo=UTC))
    return home


def test_every_finding_is_as_planted(published_story: Home) -> None:
    known = read_known(published_story.root / FILE_NAME)
    assert list(known) == [finding.name for finding in FINDINGS]
    assert differing(known, found(published_story)) == []


def test_every_mart_of_its_sources_has_rows(published_story: Home) -> None:
    shown = (
        "priorities", "fix_weeks", "fix_impact", "fix_ticket_impact", "fix_levers", "release_windows", "event_effort_lag",
        "event_coverage_daily", "response_funnel_daily", "contact_frequency", "over_contacted_customers", "follow_ups",
        "follow_up_rates", "follow_up_matches", "handling_effort", "objectives", "outcomes", "resolution_coverage",
        "kpi_daily", "kpi_pairs", "kpi_crosstab", "kpi_association", "kpi_disagreements",
    )  # fmt: skip
    with open_published(published_story.published) as published:
        empty = [name for name in shown if not published.execute(f"FROM mart.{name} LIMIT 1").fetchall()]
        measured = published.execute(
            "SELECT DISTINCT metric FROM mart.program_metrics WHERE state = 'measured'"
        ).fetchall()
        failed = published.execute(
            "SELECT check_name FROM audit.check_results WHERE is_blocking AND NOT passed"
        ).fetchall()
    assert empty == failed == []
    assert {
        "response_rate_1",
        "followed_up_share",
        "fix_effort_change_0_100",
        "fix_tickets_change_share",
    } <= {name for (name,) in measured}


def test_only_the_inbox_names_a_person(published_story: Home) -> None:
    assert InboxHome(published_story).find("customer7@example.com", "agent1@example.com") == []


def test_the_same_seed_gives_the_same_story(tmp_path: Path) -> None:
    homes = [make_home(Home(tmp_path / name)) for name in ("a", "b")]
    for home in homes:
        Story().write(home)
    first, second = (
        {path.relative_to(home.root): path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
        for home in homes
    )
    assert first == second
    assert len(first) > 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answers", 2_737),
        ("category to fix first", "login"),
        ("objective", None),
        ("points of effort that the fix removed", 0.0),
        ("days by which effort follows the API", None),
    ],
)
def test_a_finding_that_is_not_as_planted_is_named(name: str, value: Any) -> None:
    known = Story().findings()
    assert differing(known, known) == []
    assert differing(known, {**known, name: value}) == [name]


def test_damaged_known_findings_are_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps(["a"])[:-1])
    with pytest.raises(CesError, match="is damaged"):
        read_known(tmp_path / FILE_NAME)

"""Protects homes that an earlier release wrote: they open, run and publish the same figures.

`data/home_of_release_0_1_0.tar.xz` is a home of release 0.1.0 after one `ces run` (two survey sources, one of tickets,
made-up people), without the history of its runs.
"""

import tarfile
from pathlib import Path

import pytest

from ces_pipeline.cli import runs
from ces_pipeline.defs.event_log import HeldOpenEventLog
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.doctor import examine
from ces_pipeline.home import Home
from ces_pipeline.pipeline import is_behind
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.compare_published import compare

RELEASES = ("0_1_0",)
NEW_TABLES = {
    "audit.published_tables",
    "audit.corrections",
    "audit.verdict_changes",
    "audit.incident_events",
    "audit.incidents",
    "audit.alert_deliveries",
    "mart.alerts_daily",
    "audit.probes",
    "audit.schema_changes",
    "audit.figure_history",
    "audit.audits",
    "audit.audit_findings",
    "mart.anomalies_daily",
    "mart.direction_drift",
    "mart.week_changes",
    "mart.month_changes",
    "mart.quarter_changes",
    "mart.touchpoint_segments",
    "mart.score_signals_daily",
    "mart.resolution_coverage",
    "mart.kpi_periods",
    "reference.alert_rules",
    "reference.scale_changes",
}
"""Tables that releases after these brought."""
_INTERVAL = ("ease_low_0_100", "ease_high_0_100")
CHANGED = {
    # A row without an id is named by its content, which is made by its values now; before, by its texts.
    "core.responses": ("response_key", "response_id"),
    # Categories that differ in case are one, and one version of a ticket shows no switch of channel.
    "core.tickets": ("category",),
    "mart.ticket_effort": ("category", "channel_switches"),
    # Intervals of means add 1.5 answers, and those of differences and weeks have another method.
    **dict.fromkeys(
        (
            "mart.ces_daily",
            "mart.ces_segments",
            "mart.ces_weekly",
            "mart.handling_effort",
            "mart.journey_weekly",
        ),
        _INTERVAL,
    ),
    **dict.fromkeys(("mart.kpi_daily", "mart.sensitivity"), _INTERVAL),
    "mart.ces_adjusted_weekly": tuple(f"{of}_{name}" for of in ("raw", "adjusted") for name in _INTERVAL),
    "mart.segment_differences": ("difference_low_0_100", "difference_high_0_100", "p_value", "q_value"),
    # Tickets of the newest days may still be answered.
    "mart.link_coverage_daily": ("answered_share", "answered_share_low", "answered_share_high"),
    "mart.outcomes": ("method",),
}
MAY_DIFFER = NEW_TABLES | {
    "audit.check_results",  # the second publish has results of its own
    "audit.restatements",  # names the days whose rows have such ids
    "audit.load_audit",  # a day that was cleaned twice has two rows
    "mart.program_metrics",  # holds the time from an answer to its publication
    "mart.response_latency_daily",  # has that time as a step
    "reference.reasons",  # the words of a meaning
    *("mart.category_daily", "mart.category_effort", "mart.effort_drivers", "mart.priorities"),  # by category
    *("mart.effort_index", "mart.hard_tickets"),  # without the switches of channel
    *("reference.scales", "reference.scale_boxes", "reference.scale_labels"),  # more scales ship
}


@pytest.fixture(params=RELEASES)
def old_home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("CES_PSEUDONYM_KEY", raising=False)
    archive = Path(__file__).with_name("data") / f"home_of_release_{request.param}.tar.xz"
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="data")
    return Home(tmp_path / "home")


def differing_tables(before: Path, home: Home) -> set[str]:
    found = compare(before, home.published, shared_columns=True, without=CHANGED)
    return {entry.table for entry in found if not entry.is_equal}


@pytest.mark.slow
def test_a_home_of_an_earlier_release_opens_runs_and_publishes_the_same(
    old_home: Home, tmp_path: Path
) -> None:
    before = tmp_path / "before.duckdb"
    before.write_bytes(old_home.published.read_bytes())
    with open_instance(old_home) as instance:
        assert isinstance(instance.event_log_storage, HeldOpenEventLog)
    registry = load_registry(old_home.registry)
    assert is_behind(old_home, registry), "other code makes the file stale"
    stale = [finding for finding in examine(old_home) if finding.text.startswith("deliveries")]
    assert [finding.is_well for finding in stale] == [False] * 3
    # The dates of its Google form may be read either way, and that release took one: now the registry must say it.
    assert not runs.run(old_home)
    assert differing_tables(before, old_home) <= MAY_DIFFER
    sources = old_home.registry / "sources.yaml"
    sources.write_text(sources.read_text().replace("- id: google\n", "- id: google\n  date_order: month\n"))
    assert runs.run(old_home)
    assert differing_tables(before, old_home) <= MAY_DIFFER
    assert not is_behind(old_home, load_registry(old_home.registry))
    assert [finding.text for finding in examine(old_home) if not finding.is_well] == []


def test_a_home_whose_files_are_gone_keeps_what_it_landed(old_home: Home, tmp_path: Path) -> None:
    before = tmp_path / "before.duckdb"
    before.write_bytes(old_home.published.read_bytes())
    for path in sorted(old_home.inbox.rglob("*")):
        if path.is_file():
            path.unlink()
    assert runs.run(old_home)
    assert differing_tables(before, old_home) <= MAY_DIFFER
    kept = [finding.text for finding in examine(old_home) if finding.text.startswith("deliveries")]
    assert [
        source for source in ("desk", "forms", "google") if not any(source in text for text in kept)
    ] == []

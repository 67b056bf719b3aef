"""Drill: every kind of file of a home, damaged in every way. The next run makes it anew, or stops before harm.

The expected outcome of each kind stands in KINDS. Whatever happened, the home ends with a published file that is equal
to the undisturbed one: by itself, or after the printed advice was followed.
"""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ces_pipeline import pipeline
from ces_pipeline.cli.main import main
from ces_pipeline.home import Home
from ces_pipeline.registry import load_registry
from ces_pipeline.schemas.audit import (
    AUDIT_FINDINGS,
    AUDITS,
    CORRECTIONS,
    PROBES,
    PULL_WINDOWS,
    PULLS,
    REQUESTS,
    SCHEMA_CHANGES,
)
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline_tests.builders import DESK, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import damage, published_rows, same

DAMAGES = ("truncated", "flipped", "deleted", "folder")
LOGS = (
    "audit.requests",
    "audit.pulls",
    "audit.pull_windows",
    "audit.corrections",
    "audit.probes",
    "audit.delivery_columns",
    "audit.schema_changes",
    "audit.figure_history",
    "audit.audits",
    "audit.audit_findings",
)
MARCH = datetime(2026, 3, 6, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """A kind of file of a home.

    pattern: finds its files below the home; the first is damaged. stops: whether the run stops before harm and names
    the file, instead of making it anew. advice: what the printed line says to do; it gets the home and a backup of it.
    by_command: run with `ces run` and Dagster; the others run with the plain functions, which takes a fraction of that.
    """

    pattern: str
    stops: bool = False
    by_command: bool = False
    advice: Callable[[Home, Home], None] | None = None


def restore_key(home: Home, backup: Home) -> None:
    """`restore it from your backup`."""
    path = home.root / "pseudonym.key"
    if path.is_dir():
        path.rmdir()
    shutil.copy2(backup.root / "pseudonym.key", path)


KINDS = {
    "published file": Kind("warehouse/ces.duckdb"),
    "checksum of the published file": Kind("warehouse/.ces.duckdb.sha256"),
    "day of responses": Kind("lake/core/responses/day=*/part-0.parquet"),
    "day of rejected responses": Kind("lake/core/rejected_responses/day=*/part-0.parquet"),
    "day of tickets": Kind("lake/core/tickets/day=*/part-0.parquet"),
    "list of days of tickets": Kind("lake/core/tickets/.files.json"),
    "commit marker": Kind("lake/audit/load_audit/kind=survey/day=*/part-0.parquet"),
    "log of requests": Kind("lake/audit/requests/web/*.parquet"),
    "log of pulls": Kind("lake/audit/pulls/web/*.parquet"),
    "log of pulled windows": Kind("lake/audit/pull_windows/web/*.parquet"),
    "log of corrections": Kind("lake/audit/corrections/web/*.parquet"),
    "log of probes": Kind("lake/audit/probes/_all/*.parquet"),
    "log of columns": Kind("lake/audit/delivery_columns/web/*.parquet"),
    "log of schema changes": Kind("lake/audit/schema_changes/web/*.parquet"),
    "log of figures": Kind("lake/audit/figure_history/_all/*.parquet"),
    "log of audits": Kind("lake/audit/audits/_all/*.parquet"),
    "log of findings of audits": Kind("lake/audit/audit_findings/_all/*.parquet"),
    "contract of a source": Kind("lake/audit/schema_changes/web/.contract"),
    "check results": Kind("lake/audit/check_results/*.parquet"),
    "cache of seen files": Kind("lake/ledger/web/.seen"),
    "key proof": Kind("lake/ledger/key_proof", by_command=True),
    "copy of the key proof": Kind("lake/.key_proof", by_command=True),
    "key": Kind("pseudonym.key", stops=True, by_command=True, advice=restore_key),
    "runs of Dagster": Kind("dagster/history/runs.db", by_command=True),
    "events of Dagster": Kind("dagster/history/runs/index.db", by_command=True),
    "events of a run of Dagster": Kind("dagster/history/runs/????????-*.db", by_command=True),
    "schedule of Dagster": Kind("dagster/schedules/schedules.db", by_command=True),
    "settings of Dagster": Kind("dagster/dagster.yaml", by_command=True),
    "workspace of Dagster": Kind("dagster/workspace.yaml", by_command=True),
    "cache of commit markers": Kind("lake/audit/load_audit/kind=survey/.read.parquet"),
    "cache of ledger entries": Kind("lake/ledger/web/.read.parquet"),
    "ledger entry": Kind("lake/ledger/web/????*.json"),
    "copy of a ledger entry": Kind("lake/index/web/*.entry.json"),
    "landed rows": Kind("lake/raw/web/day=*/*.parquet"),
    "keys of a delivery": Kind("lake/index/web/????????*[0-9a-f].parquet"),
    "lock of a run": Kind("lake/.run.lock", by_command=True),
    "lock of landing": Kind("lake/.landing.lock"),
    "lock of a publish": Kind("warehouse/.publish.lock"),
}
FAST = {("published file", "flipped"), ("key proof", "truncated"), ("log of pulls", "deleted")}
"""Cases of the default tests; the others are slow."""


@dataclass(frozen=True)
class Outcome:
    """What a run ended with: whether all went well, and what it printed."""

    is_well: bool
    text: str

    @property
    def repairs(self) -> list[str]:
        return re.findall(r"(?:was|:) damaged|were missing", self.text)


def by_command(home: Home) -> Outcome:
    """`ces run`. It must not end in a traceback."""
    result = CliRunner().invoke(main, ["run", "--home", str(home.root)])
    assert not result.exception or isinstance(result.exception, SystemExit), result.exc_info
    return Outcome(result.exit_code == 0, re.sub(r"\s+", " ", result.output))


def by_functions(home: Home) -> Outcome:
    registry = load_registry(home.registry)
    landings = pipeline.land(home, registry)
    problems = [problem for landing in landings for problem in landing.failures]
    for kind in registry.kinds:
        days = pipeline.stale_days(home, registry, kind)
        for day in pipeline.clean(home, registry, kind, days, run_id="test"):
            problems += day.problems
    result = pipeline.publish(home, registry, run_id="again")
    problems += [str(failure.detail) for failure in result.blocking_failures]
    notes = [*result.notes, *(note for landing in landings for note in landing.notes)]
    return Outcome(not problems, "\n".join([*problems, *notes]))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A published home with a row in each log; three runs, so that there is history."""
    small = inbox_home(tmp_path_factory.mktemp("undisturbed") / "home", WEB, DESK)
    small.drop("1.csv", [answer(n, recorded=f"2026-03-{2 + n % 4:02}T{n:02}:00:00Z") for n in range(12)])
    small.drop("wrong.csv", [answer("x", score=9, recorded="2026-03-02T20:00:00Z")])
    ticket = {"number": "7", "state": "open", "email": "person1@example.org"}
    small.drop("t.csv", [{**ticket, "updated": f"2026-03-{day:02}T08:00:00Z"} for day in (2, 4)], "desk")
    assert by_command(small.home).is_well
    fill_logs(small)
    small.drop("2.csv", [answer(100, recorded="2026-03-03T22:00:00Z")])
    assert by_command(small.home).is_well
    age(small.home)
    assert by_command(small.home).is_well
    return small.home


def age(home: Home) -> None:
    """Make the lake's files an hour old, in their order: only files that are a little older are cached."""
    for path in home.lake.rglob("*"):
        if path.is_file():
            changed_at = path.stat().st_mtime - 3600
            os.utime(path, (changed_at, changed_at))


def fill_logs(small: InboxHome) -> None:
    """A row of each log that only pulls, corrections, audits and changed exports write."""
    audit: dict[str, Any] = {"run_id": "a", "kind": "survey", "audited_at": MARCH}
    days = {"first_day": MARCH.date(), "last_day": MARCH.date(), "days": 1, "days_that_would_change": 1}
    row = {**audit, **days, "rows": 1, "rows_that_would_change": 1, "rule_version": "1"}
    add_rows(small.lake, AUDITS, ALL_SOURCES, MARCH, [row])
    finding = {**audit, "day": MARCH.date(), "change": "accepted -> no row", "rows": 1, "is_stale": False}
    add_rows(small.lake, AUDIT_FINDINGS, ALL_SOURCES, MARCH, [finding])
    change = {"delivery_id": "d", "change": "column_added", "column_name": "browser", "item": "browser"}
    add_rows(
        small.lake,
        SCHEMA_CHANGES,
        "web",
        MARCH,
        [{**change, "source_id": "web", "is_now": "text", "received_at": MARCH}],
    )
    pull: dict[str, Any] = {"pull_id": "web-1", "source_id": "web"}
    add_rows(
        small.lake,
        PULLS,
        "web",
        MARCH,
        [{**pull, "started_at": MARCH, "requests": 1, "records": 3, "rows_landed": 3, "is_transient": False}],
    )
    request = {"number": 1, "method": "GET", "path": "/answers", "status": 200, "outcome": "ok", "attempt": 1}
    add_rows(
        small.lake,
        REQUESTS,
        "web",
        MARCH,
        [{**pull, **request, "size_bytes": 3, "seconds": 0.5, "requested_at": MARCH}],
    )
    window = {"stream": "answers", "window_start": MARCH, "window_end": MARCH, "landed": 3, "expected": 3}
    add_rows(
        small.lake, PULL_WINDOWS, "web", MARCH, [{**pull, **window, "basis": "count", "asked_at": MARCH}]
    )
    correction = {"correction_id": "c1", "command": "restate", "made_by": "tester", "made_at": MARCH}
    add_rows(small.lake, CORRECTIONS, "web", MARCH, [{**correction, "source_id": "web", "rows_touched": 0}])
    probed = {
        "probe_id": "p1",
        "question": "why_rejected",
        "seconds": 0.1,
        "limit_seconds": 5.0,
        "is_in_time": True,
    }
    add_rows(small.lake, PROBES, ALL_SOURCES, MARCH, [{**probed, "probed_at": MARCH}])


def published(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """The published rows of all figures, and of the logs."""
    with open_published(home.published) as connection:
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in LOGS}
    return published_rows(home) | {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param(name, how, marks=() if (name, how) in FAST else pytest.mark.slow)
        for name in KINDS
        for how in DAMAGES
    ],
)
def test_a_damaged_file_of_a_home(undisturbed: Home, tmp_path: Path, name: str, how: str) -> None:
    home = Home(tmp_path / "home")
    # With its times: a file that is newer than its commit marker is compared anyway.
    shutil.copytree(undisturbed.root, home.root)
    kind = KINDS[name]
    run = by_command if kind.by_command else by_functions
    damaged = sorted(home.root.glob(kind.pattern))[0]
    damage(damaged, how)
    outcome = run(home)
    if kind.stops:
        assert not outcome.is_well
        assert damaged.name in outcome.text
        assert same(published(home), published(undisturbed)) == [], "nothing was published"
        assert kind.advice is not None
        kind.advice(home, undisturbed)
        outcome = run(home)
    assert outcome.is_well, outcome.text
    assert same(published(home), published(undisturbed)) == []
    again = run(home)
    assert again.is_well, again.text
    assert again.repairs == [], "it is repaired for good"
    assert same(published(home), published(undisturbed)) == []

"""Protects the audit: it finds what today's registry would change and what no run would, and changes no day."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from ces_pipeline.clean.inputs import commit_marker_file
from ces_pipeline.cli.main import main
from ces_pipeline.home import Home
from ces_pipeline.pipeline import audit, clean, publish, stale_days
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import DESK, WEB, InboxHome, answer, inbox_home

DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    home = inbox_home(tmp_path_factory.mktemp("published") / "home", WEB, DESK)
    home.drop("a.csv", [answer(1), answer(2, score=9), answer(3, score=1)])
    home.drop(
        "t.csv", [{"number": "7", "state": "open", "email": "", "updated": "2026-03-02T08:00:00Z"}], "desk"
    )
    assert home.land().failures == ()
    assert home.land("desk").failures == ()
    update(home)
    return home


@pytest.fixture
def home(published: InboxHome, tmp_path: Path) -> InboxHome:
    return InboxHome(Home(shutil.copytree(published.home.root, tmp_path / "home")))


def update(home: InboxHome) -> dict[str, int]:
    """Clean what is stale, publish; check -> its failures."""
    for kind in home.registry.kinds:
        list(clean(home.home, home.registry, kind, stale_days(home.home, home.registry, kind), run_id="test"))
    result = publish(home.home, home.registry, run_id="test")
    assert result.published
    return {check.check.name: check.failures for check in result.checks}


def lake(home: InboxHome) -> dict[str, str]:
    """Every file of days and of landing with its digest."""
    folders = ("raw", "core", "ledger", "index")
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in (home.home.lake / folder).rglob("*")
        if path.is_file()
    }


def test_an_audit_of_what_was_just_cleaned_finds_nothing(home: InboxHome) -> None:
    found = audit(home.home, home.registry, run_id="audit")
    assert (found.days, found.rows, found.findings) == (2, 4, ())
    assert update(home)["audit_findings"] == 0
    with open_published(home.home.published) as connection:
        rows = connection.execute("SELECT kind, days, days_that_would_change FROM audit.audits ORDER BY kind")
        assert rows.fetchall() == [("survey", 1, 0), ("tickets", 1, 0)]


def test_what_another_registry_would_change_is_reported_and_not_changed(home: InboxHome) -> None:
    before = lake(home)
    home.write_registry(WEB, DESK, surveys=[{"id": "after_chat", "scale": "effort_1_7"}])
    result = CliRunner().invoke(main, ["audit", "--json", "--home", str(home.home.root)])
    assert result.exit_code == 1
    report: dict[str, Any] = json.loads(result.stdout)
    columns = "ease_0_100, effort_0_100, effort_band, scale_id"
    assert report["findings"] == [
        {
            "kind": "survey",
            "day": "2026-03-02",
            "change": f"other values of {columns}",
            "rows": 2,
            "is_stale": True,
        }
    ]
    assert lake(home) == before
    # The next run cleans the day, which answers the finding.
    assert update(home)["audit_findings"] == 0
    assert audit(home.home, home.registry, run_id="again").findings == ()


def test_a_day_that_no_run_would_clean_again_is_a_warning_until_it_is_restated(home: InboxHome) -> None:
    forge(home)
    assert stale_days(home.home, home.registry, "survey") == []
    found = audit(home.home, home.registry, run_id="audit")
    assert [(row["change"], row["is_stale"]) for row in found.findings] == [
        ("other values of comment", False)
    ]
    # An audit of other days says nothing of it.
    assert audit(home.home, home.registry, run_id="other", first=date(2026, 3, 5)).days == 0
    assert update(home)["audit_findings"] == 1
    list(clean(home.home, home.registry, "survey", [DAY], run_id="restate"))
    assert update(home)["audit_findings"] == 0


def forge(home: InboxHome) -> None:
    """A day file with another comment, and a commit marker that names it: as if a rule had once judged otherwise."""
    path, marker = home.lake.day_file("core.responses", DAY), commit_marker_file("survey", DAY)
    rows = home.lake.read_table(path)
    place = rows.column_names.index("comment")
    comments = pa.array(["other", *rows["comment"].to_pylist()[1:]], pa.string())
    stored = home.lake.write_table(path, rows.set_column(place, rows.schema.field(place), comments))
    history = home.lake.read_table(marker)
    outputs = json.loads(history["outputs"][-1].as_py())
    outputs["core.responses"] |= {"size": stored.size, "sha256": stored.sha256}
    records = [{**row, "outputs": json.dumps(outputs, sort_keys=True)} for row in history.to_pylist()]
    home.lake.write_table(marker, pa.Table.from_pylist(records, schema=history.schema))

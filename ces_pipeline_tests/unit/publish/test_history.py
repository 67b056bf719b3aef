"""Protects the logs: what a damaged or deleted log file held comes back from the published file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ces_pipeline.publish import inputs, run_files
from ces_pipeline.publish.history import restore_history
from ces_pipeline.publish.inputs import row_files, stored_rows
from ces_pipeline.publish.step import publish, rebuild
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.journal import add_rows
from ces_pipeline_tests.drills.homes import damage
from ces_pipeline_tests.lake_days import DAY, SmallHome, proved, response, small_home

MARCH = datetime(2026, 3, 30, 2, tzinfo=UTC)


def pull(number: int) -> dict[str, Any]:
    return {
        "pull_id": f"web-{number}",
        "source_id": "web",
        "started_at": MARCH + timedelta(days=number),
        "requests": 1,
        "records": number,
        "rows_landed": 0,
        "failure": None,
        "is_transient": False,
    }


def published(small: SmallHome, run_id: str) -> tuple[str, ...]:
    """Publish; returns the lines about damaged files."""
    result = publish(
        small.home,
        small.registry,
        lambda: inputs.publish_inputs(small.lake, small.pending, datetime.now(UTC)),
        run_id=run_id,
        prove=proved,
    )
    assert result.published, result.blocking_failures
    return result.notes


@pytest.fixture(scope="module")
def with_pulls(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """A published home with four pulls in two months."""
    small = small_home(tmp_path_factory.mktemp("published") / "home")
    small.clean("survey", [response("a", DAY)])
    for number in range(4):
        add_rows(small.lake, TABLES["audit.pulls"], "web", pull(number)["started_at"], [pull(number)])
    # The ledger of this home is empty: its day need not balance.
    small.pending = (("survey", DAY),)
    assert published(small, "run-1") == ()
    return small


@pytest.fixture
def small(with_pulls: SmallHome, tmp_path: Path) -> SmallHome:
    """A copy of `with_pulls`."""
    return with_pulls.copied(tmp_path / "home")


LOGS = {
    "audit.pulls": "audit/pulls/web/2026-03.parquet",
    "audit.check_results": "audit/check_results/run-1.parquet",
}


@pytest.mark.parametrize("how", ["deleted", "truncated"])
@pytest.mark.parametrize("name", LOGS)
def test_rows_of_a_damaged_log_come_back(small: SmallHome, name: str, how: str) -> None:
    before = stored_rows(small.lake, TABLES[name]).to_pylist()
    damage(small.home.lake / LOGS[name], how)
    assert stored_rows(small.lake, TABLES[name]).num_rows < len(before)
    notes = published(small, "run-2")
    assert any(name in line for line in notes)
    assert [row for row in stored_rows(small.lake, TABLES[name]).to_pylist() if row in before] == before
    assert published(small, "run-3") == ()


def test_without_a_published_file_a_damaged_log_is_set_aside_and_named(small: SmallHome) -> None:
    small.home.published.unlink()
    damage(small.home.lake / LOGS["audit.pulls"], "truncated")
    (line,) = restore_history(small.lake, None, lambda name, run: f"{name}/{run}")
    assert LOGS["audit.pulls"] in line
    assert [row["pull_id"] for row in stored_rows(small.lake, TABLES["audit.pulls"]).to_pylist()] == [
        "web-2",
        "web-3",
    ]
    assert list(restore_history(small.lake, None, lambda name, run: f"{name}/{run}")) == []


def test_rows_that_a_bricked_home_holds_twice_are_read_once(small: SmallHome) -> None:
    path = LOGS["audit.pulls"]
    rows = small.lake.read_table(path)
    small.lake.write_table(path, pa.concat_tables([rows, rows]))
    assert stored_rows(small.lake, TABLES["audit.pulls"]).num_rows == 4
    add_rows(small.lake, TABLES["audit.pulls"], "web", MARCH, [pull(0)])
    assert small.lake.read_table(path).num_rows == rows.num_rows


def test_files_of_many_runs_are_joined_by_month_and_hold_the_rows_that_they_had(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLES["audit.check_results"]
    (one,) = small.lake.read_table(LOGS["audit.check_results"]).slice(0, 1).to_pylist()
    for number in range(6):
        at = datetime(2026, 1 + number // 3, 5, number, tzinfo=UTC)
        row = {**one, "run_id": f"night-{number}", "checked_at": at}
        path = f"audit/check_results/night-{number}.parquet"
        small.lake.write_table(path, pa.Table.from_pylist([row], schema=table.arrow))
    # A kill between the joined file and the deletions left a row twice.
    small.lake.write_table(
        "audit/check_results/joined-2026-01.parquet",
        small.lake.read_table("audit/check_results/night-0.parquet"),
    )
    before = stored_rows(small.lake, table)
    monkeypatch.setattr(run_files, "_MOST_FILES", 5)
    run_files.join_run_files(small.lake)
    names = {path.rpartition("/")[2] for path in row_files(small.lake, table)}
    month = f"joined-{one['checked_at']:%Y-%m}.parquet"
    assert names == {"joined-2026-01.parquet", "joined-2026-02.parquet", month}
    after = stored_rows(small.lake, table)
    assert after.sort_by([("run_id", "ascending"), ("check_name", "ascending")]).equals(
        before.sort_by([("run_id", "ascending"), ("check_name", "ascending")])
    )
    assert published(small, "run-2") == ()


def test_a_rebuild_of_a_publish_whose_files_were_joined_has_its_rows(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.clean("survey", [response("a", DAY), response("b", DAY)])
    monkeypatch.setattr(run_files, "_MOST_FILES", 0)
    published(small, "run-2")
    result = rebuild(
        small.home,
        small.registry,
        lambda: inputs.publish_inputs(small.lake, small.pending, datetime.now(UTC)),
        run_id="run-3",
        prove=proved,
    )
    assert (result.compared, result.differences) == (True, ())
    assert small.rows("SELECT run_id, rows_after FROM audit.restatements") == [("run-2", 2)]

"""Protects the history of runs: what is kept with files held open is what Dagster itself keeps and reads."""

import warnings
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage

from ces_pipeline.defs import held_open
from ces_pipeline.defs.event_log import HeldOpenEventLog
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.home import Home


@dg.asset
def counted() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def materialise(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([counted], instance=instance)
    assert result.success
    return result.run_id


def opened_files(folder: Path) -> set[str]:
    return {
        link.resolve().name
        for link in Path("/proc/self/fd").iterdir()
        if link.exists() and link.resolve().parent == folder and link.resolve().suffix == ".db"
    }


def test_dagsters_own_class_reads_every_event_of_a_run(tmp_path: Path) -> None:
    home = Home(tmp_path).make()
    with open_instance(home) as instance:
        assert isinstance(instance.event_log_storage, HeldOpenEventLog)
        run_id = materialise(instance)
        kept = [event.dagster_event_type for event in instance.all_logs(run_id)]
    dagsters = SqliteEventLogStorage(str(home.dagster / "history" / "runs"))
    read = [event.dagster_event_type for event in dagsters.get_logs_for_run(run_id)]
    assert read == kept
    assert dg.DagsterEventType.ASSET_MATERIALIZATION in read
    latest = dagsters.get_latest_materialization_events([counted.key])[counted.key]
    assert latest is not None
    assert latest.run_id == run_id


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_no_more_files_stay_open_than_were_used_last_and_none_after_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_open, "_HELD_OPEN", 2)
    home = Home(tmp_path).make()
    with open_instance(home) as instance:
        runs = [materialise(instance) for _ in range(3)]
        assert opened_files(home.dagster / "history" / "runs") == {"index.db", f"{runs[-1]}.db"}
    assert opened_files(home.dagster / "history" / "runs") == set()


def test_runs_that_another_process_writes_are_seen(tmp_path: Path) -> None:
    home = Home(tmp_path).make()
    folder = str(home.dagster / "history" / "runs")
    with open_instance(home) as instance:
        materialise(instance)
        other = HeldOpenEventLog(folder)
        before = len(other.get_all_run_ids())
        run_id = materialise(instance)
        assert len(other.get_all_run_ids()) == before + 1
        latest = other.get_latest_materialization_events([counted.key])[counted.key]
        assert latest is not None
        assert latest.run_id == run_id
        other.dispose()


def test_the_class_keeps_the_path_that_homes_name(tmp_path: Path) -> None:
    home = Home(tmp_path).make()
    with open_instance(home):
        named = yaml.safe_load((home.dagster / "dagster.yaml").read_text())["event_log_storage"]
    # Homes of the first release hold these words.
    assert (named["module"], named["class"]) == ("ces_pipeline.defs.event_log", "HeldOpenEventLog")


@pytest.mark.parametrize(
    ("old", "new"),
    [("HeldOpenEventLog", "OldEventLog"), ("ces_pipeline.defs.event_log", "ces_pipeline.events.log")],
)
def test_an_old_name_of_the_class_is_replaced_and_edits_of_the_file_stay(
    tmp_path: Path, old: str, new: str
) -> None:
    home = Home(tmp_path).make()
    with open_instance(home) as instance:
        run_id = materialise(instance)
    settings = home.dagster / "dagster.yaml"
    edited = settings.read_text().replace("purge_after_days: 90", "purge_after_days: 45")
    settings.write_text(edited.replace(old, new))
    with open_instance(home) as instance:
        assert isinstance(instance.event_log_storage, HeldOpenEventLog)
        assert instance.all_logs(run_id)
    assert settings.read_text() == edited


def test_a_class_of_another_package_that_is_gone_is_reported_and_dagsters_own_is_used(tmp_path: Path) -> None:
    home = Home(tmp_path).make()
    with open_instance(home) as instance:
        run_id = materialise(instance)
    settings = home.dagster / "dagster.yaml"
    settings.write_text(settings.read_text().replace("ces_pipeline.defs.event_log", "our_company.event_log"))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        opened = open_instance(home)
        instance = opened.__enter__()
    try:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert instance.all_logs(run_id)
        materialise(instance)
    finally:
        opened.__exit__(None, None, None)
    assert any("our_company.event_log" in str(warning.message) for warning in shown)

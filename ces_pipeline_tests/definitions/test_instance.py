"""Protects a home from its own Dagster files: damaged ones cost history only, and two processes make them once."""

import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from ces_pipeline.defs.history_files import DATABASES, damaged_databases
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home


@dg.asset
def counted() -> None: ...


def materialise(home: Home) -> list[str]:
    """Run an asset on the home's instance; returns the lines about damaged files."""
    lines: list[str] = []
    with open_instance(home, lines.append) as instance:
        assert dg.materialize([counted], instance=instance).success
    return lines


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path).make()
    assert materialise(home) == []
    return home


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("how", ["half", "folder"])
@pytest.mark.parametrize("name", DATABASES)
def test_a_damaged_database_is_set_aside_with_a_line_and_runs_go_on(home: Home, name: str, how: str) -> None:
    damage(home.dagster / name, how)
    assert damaged_databases(home.dagster) == [name]
    (line,) = materialise(home)
    assert name in line
    assert len(list(home.dagster.glob("damaged-*"))) == 1
    assert damaged_databases(home.dagster) == []


def test_a_folder_of_databases_that_became_a_file_is_set_aside(home: Home) -> None:
    for path in sorted((home.dagster / "schedules").iterdir()):
        path.unlink()
    (home.dagster / "schedules").rmdir()
    (home.dagster / "schedules").write_text("no folder")
    assert len(materialise(home)) == 1
    assert materialise(home) == []


def test_damage_that_only_shows_in_use_is_one_line_and_the_next_run_goes_on(home: Home) -> None:
    with pytest.raises(HomeError, match="malformed"), open_instance(home):
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert materialise(home) == []


def test_a_full_disk_is_one_line_and_keeps_the_history(home: Home) -> None:
    with pytest.raises(HomeError, match="disk is full"), open_instance(home):
        raise sqlite3.OperationalError("database or disk is full")
    assert list(home.dagster.glob("damaged-*")) == []


@pytest.mark.parametrize("how", ["half", "folder", "not text"])
@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_a_damaged_settings_file_is_written_anew_and_the_old_one_kept(
    home: Home, name: str, how: str
) -> None:
    path = home.dagster / name
    before = path.read_bytes()
    if how == "not text":
        path.write_bytes(b"\xff" + before)
    else:
        damage(path, how)
    (line,) = materialise(home)
    assert name in line
    assert path.read_bytes() == before
    assert len(list(home.dagster.glob(f"{name}.damaged-*"))) == 1


def test_settings_that_dagster_refuses_are_one_line_that_names_the_file(home: Home) -> None:
    path = home.dagster / "dagster.yaml"
    path.write_text(path.read_text().replace("telemetry:", "telemetri:"))
    with pytest.raises(HomeError, match=r"dagster\.yaml") as refused, open_instance(home):
        pass
    assert "\n" not in str(refused.value)


def test_a_schema_that_two_processes_wrote_at_once_is_corrected_and_keeps_its_history(home: Home) -> None:
    with closing(sqlite3.connect(home.dagster / "history" / "runs.db")) as database, database:
        database.execute("CREATE TABLE copy AS SELECT * FROM alembic_version")
        database.execute("DROP TABLE alembic_version")
        database.execute("CREATE TABLE alembic_version AS SELECT * FROM copy UNION ALL SELECT * FROM copy")
        database.execute("DROP TABLE copy")
    assert materialise(home) == []
    with open_instance(home) as instance:
        assert instance.get_runs_count() == 2


def test_two_at_once_open_a_new_instance(tmp_path: Path) -> None:
    homes = [Home(tmp_path).make()] * 2
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(_opened, homes)) == [0, 0]


def _opened(home: Home) -> int:
    with open_instance(home) as instance:
        return instance.get_runs_count()

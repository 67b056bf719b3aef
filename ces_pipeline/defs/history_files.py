"""Dagster's own files of a home, found damaged: they are set aside, and Dagster makes new ones.

They hold the history of runs and of the schedule only. What is landed, cleaned or published depends on none of them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ces_pipeline.errors import HomeError

DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""The databases that every run opens. Each run has one more, which nothing else depends on."""
_FOLDERS = ("history", "schedules", "storage")
_CHECKED_BYTES = 200_000_000
"""A larger database is opened, but not read completely: that would take seconds at every start."""
_BUSY = ("locked", "busy")


def set_aside_damaged(dagster_home: Path) -> str | None:
    """Move damaged databases aside, with the rest of the history; a line that says so. None: all are sound.

    The caller holds the lock of the instance. Raises HomeError if the folder cannot be written.
    """
    damaged = [name for name in DATABASES if not _is_sound(dagster_home, name)]
    return set_aside(dagster_home, damaged) if damaged else None


def set_aside(dagster_home: Path, damaged: list[str]) -> str:
    """Move Dagster's history aside; a line that names the damaged files."""
    aside = dagster_home / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        aside.mkdir(parents=True, exist_ok=True)
        for name in _FOLDERS:
            if (dagster_home / name).exists():
                (dagster_home / name).replace(aside / name)
    except OSError as problem:
        raise HomeError(
            f"{dagster_home} cannot be written ({problem.strerror or problem}): correct its permissions or free space"
        ) from problem
    return (
        f"{dagster_home.name}/{', '.join(damaged)}: damaged. Only the history of runs is lost; it is now in "
        f"{dagster_home.name}/{aside.name}, which you may delete. Start `ces ui` again if it runs"
    )


def damaged_databases(dagster_home: Path) -> list[str]:
    """The damaged ones of DATABASES; changes nothing."""
    return [name for name in DATABASES if not _is_sound(dagster_home, name)]


def _is_sound(dagster_home: Path, name: str) -> bool:
    path = dagster_home / name
    if any(parent.exists() and not parent.is_dir() for parent in _parents(dagster_home, path)):
        return False
    if not path.exists():
        return True
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
            if path.stat().st_size <= _CHECKED_BYTES:
                return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as problem:
        return any(word in str(problem) for word in _BUSY)
    return True


def _parents(dagster_home: Path, path: Path) -> Iterator[Path]:
    yield from (parent for parent in path.parents if parent.is_relative_to(dagster_home))


def drop_repeated_versions(dagster_home: Path) -> None:
    """Leave one row of each version of the schema: two processes that made it at once wrote it twice.

    Dagster refuses a database with two.
    """
    for name in DATABASES:
        path = dagster_home / name
        if not path.is_file():
            continue
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
            try:
                rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
                if len(rows) > len(set(rows)):
                    database.execute(
                        "DELETE FROM alembic_version WHERE rowid NOT IN "
                        "(SELECT min(rowid) FROM alembic_version GROUP BY version_num)"
                    )
            except sqlite3.Error:
                # A new file without the table, or one that another process is making.
                continue

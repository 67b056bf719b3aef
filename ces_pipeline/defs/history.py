"""What Dagster's own database of runs says, read without opening Dagster: nothing is written, migrated or locked."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_RUNS = "history/runs.db"


@dataclass(frozen=True)
class JobRun:
    """The newest run of a job. status: Dagster's word, such as SUCCESS, FAILURE or STARTED."""

    job: str
    run_id: str
    status: str
    at: datetime


def newest_runs(dagster_home: Path) -> list[JobRun]:
    """The newest run of every job, by job; empty if there is no history. Raises sqlite3.Error if it is damaged."""
    with _database(dagster_home) as database:
        if database is None:
            return []
        rows = database.execute(
            "SELECT pipeline_name, run_id, status, create_timestamp FROM runs "
            "WHERE id IN (SELECT max(id) FROM runs GROUP BY pipeline_name) ORDER BY pipeline_name"
        ).fetchall()
    return [
        JobRun(job, run_id, status, datetime.fromisoformat(at).replace(tzinfo=UTC))
        for job, run_id, status, at in rows
    ]


def last_heartbeats(dagster_home: Path) -> dict[str, datetime]:
    """Daemon -> its last sign of life; empty if none was ever started. Raises sqlite3.Error if it is damaged."""
    with _database(dagster_home) as database:
        if database is None:
            return {}
        rows = database.execute("SELECT daemon_type, body FROM daemon_heartbeats").fetchall()
    return {name: datetime.fromtimestamp(json.loads(body)["timestamp"], UTC) for name, body in rows if body}


@contextmanager
def _database(dagster_home: Path) -> Iterator[sqlite3.Connection | None]:
    path = dagster_home / _RUNS
    if not path.is_file():
        yield None
        return
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        yield database

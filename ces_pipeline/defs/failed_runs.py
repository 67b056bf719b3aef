"""The jobs whose newest run failed, from Dagster's own database: for the watch, which knows no Dagster."""

import sqlite3
from pathlib import Path

from ces_pipeline.defs.history import newest_runs
from ces_pipeline.defs.jobs import CLEAN_AND_PUBLISH, LAND
from ces_pipeline.watch.failures import FailedRun

_WATCHED = (LAND, CLEAN_AND_PUBLISH)
_FAILED = ("FAILURE", "CANCELED")


def failed_runs(dagster_home: Path) -> dict[str, FailedRun | None]:
    """Job that ran -> its newest run if that failed, else None; empty if the database is damaged."""
    try:
        newest = {run.job: run for run in newest_runs(dagster_home) if run.job in _WATCHED}
    except sqlite3.Error:
        return {}
    return {
        job: FailedRun(job, run.status, run.at) if run.status in _FAILED else None
        for job, run in newest.items()
    }

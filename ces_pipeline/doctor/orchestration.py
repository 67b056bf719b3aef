"""Findings about Dagster: its history files, its daemon, and the newest run of each job."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ces_pipeline.defs.history import last_heartbeats, newest_runs
from ces_pipeline.defs.history_files import damaged_databases
from ces_pipeline.doctor.failed_steps import failed_steps
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.vendors.contract import Finding

_ALIVE = timedelta(minutes=5)
_LONGEST_RUN = timedelta(hours=2)
_FAILED = ("FAILURE", "CANCELED")
_UNFINISHED = ("STARTED", "STARTING", "NOT_STARTED", "QUEUED", "CANCELING")


def run_history(home: Home) -> Iterator[Finding]:
    """Dagster's databases hold the history of runs; nothing landed, cleaned or published depends on them."""
    damaged = damaged_databases(home.dagster)
    for name in damaged:
        yield Finding(
            False,
            f"run history: {home.dagster / name} is damaged. It holds the history of runs only: `ces run` sets it "
            "aside and makes a new one",
        )
    if not damaged:
        yield Finding(True, "run history: Dagster's databases can be read")


def daemon(home: Home) -> Iterator[Finding]:
    """Whether the daemon is alive, if one was ever started in this home."""
    if damaged_databases(home.dagster):
        return
    beats = last_heartbeats(home.dagster)
    if not beats:
        yield Finding(True, "daemon: never started here. `ces ui` starts it; `ces run` needs none")
        return
    last = max(beats.values())
    if datetime.now(UTC) - last <= _ALIVE:
        yield Finding(True, f"daemon: alive at {_at(last)}")
        return
    text = f"daemon: its last sign of life was {_at(last)}, so no schedule and no sensor runs"
    later = [run.at for run in newest_runs(home.dagster) if run.at > last + _ALIVE]
    if later:
        yield Finding(
            True,
            f"{text}. Runs were started in another way since, the newest at {_at(max(later))}. If the daemon should "
            "run, start `ces ui` or its service",
            is_warning=True,
        )
    else:
        yield Finding(
            False, f"{text}. Start `ces ui` or its service (`systemctl start`), or run `ces run` nightly"
        )


def last_dagster_runs(home: Home, registry: Registry) -> Iterator[Finding]:
    """Jobs whose newest run failed as a run, such as one that was killed. Failed steps are known by themselves."""
    if damaged_databases(home.dagster) or failed_steps(home):
        return
    for run in newest_runs(home.dagster):
        if run.status in _FAILED:
            yield Finding(
                False,
                f"last run: run {run.run_id[:8]} of job {run.job} ({_at(run.at)}) ended as {run.status}. `ces ui` "
                "shows why, below Runs. Then run `ces run`",
            )
        elif run.status in _UNFINISHED and datetime.now(UTC) - run.at > _LONGEST_RUN:
            yield Finding(
                True,
                f"last run: run {run.run_id[:8]} of job {run.job} ({_at(run.at)}) did not end; it was probably "
                "killed. The next run does its work",
                is_warning=True,
            )


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

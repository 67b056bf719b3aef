"""Runs the jobs in this process, on the home's instance, so that the UI shows the runs of the command line."""

import re
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from ces_pipeline.clean.day import DayResult
from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.core import DAY_DONE
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.defs.jobs import CLEAN_AND_PUBLISH, LAND
from ces_pipeline.defs.metadata import asset_key
from ces_pipeline.defs.night import night_began, night_tags
from ces_pipeline.defs.partitions import calendar_ends, range_tags
from ces_pipeline.defs.raw import raw_key
from ces_pipeline.defs.rebuild import REBUILD, REBUILD_STEP
from ces_pipeline.defs.report import publish_keys
from ces_pipeline.defs.snapshot import PUBLISHED_FILE, SNAPSHOT_STEP
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.privacy.key import repair_proof
from ces_pipeline.publish.derived import FILLING
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import Holder, exclusive

_OF_DATABASE = {"DatabaseError", "IntegrityError", "InternalError", "OperationalError"}
"""Errors of Dagster's own databases: nothing else here uses SQLite."""
_DOING = {SNAPSHOT_STEP: "publishing"}
# Events go to the instance only; the command writes to the terminal.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class StepOutcome:
    """The result of one asset in a run. failure: why it failed, None if it did not."""

    asset: str
    metadata: dict[str, Any]
    failure: str | None


@dataclass(frozen=True)
class Verdict:
    """The result of one check."""

    name: str
    passed: bool
    is_blocking: bool
    detail: str | None


class LocalRuns:
    """Runs of one home's jobs."""

    def __init__(self, home: Home, instance: dg.DagsterInstance):
        self._home = home
        self._instance = instance
        self._built: tuple[date, dg.Definitions] | None = None

    def land(self, sources: Sequence[str]) -> list[StepOutcome]:
        """Land these sources; a failing source does not stop the others."""
        if not sources:
            return []
        result = self._run(LAND, [raw_key(source) for source in sources], {})
        return [_outcome(result, raw_key(source)) for source in sources]

    def landed_this_night(self, sources: Sequence[str]) -> set[str]:
        """Those of the sources whose landing was recorded since the night began; none if the newest landing failed."""
        began = night_began(current_registry(self._home), datetime.now(UTC)).timestamp()
        try:
            runs = self._instance.get_runs(dg.RunsFilter(job_name=LAND), limit=1)
            if any(run.status is not dg.DagsterRunStatus.SUCCESS for run in runs):
                # A run that succeeds must follow it, or it counts as failed for ever.
                return set()
            records = self._instance.get_asset_records([raw_key(source) for source in sources])
        except Exception:
            # A stored event is damaged, whatever its reading raises: then the landing is recorded again.
            return set()
        return {
            record.asset_entry.asset_key.path[-1]
            for record in records
            if (newest := record.asset_entry.last_materialization_record) and newest.timestamp >= began
        }

    def clean(
        self, kind: str, first: date, last: date, done: Callable[[DayResult], None] = lambda _result: None
    ) -> StepOutcome:
        """Clean a range of days in one run; `done` is called with the result of each cleaned day."""
        key = asset_key(KINDS[kind].accepted)
        token = DAY_DONE.set(done)
        try:
            return _outcome(self._run(CLEAN_AND_PUBLISH, [key], range_tags(first, last)), key)
        finally:
            DAY_DONE.reset(token)

    def publish(self) -> tuple[StepOutcome, list[Verdict]]:
        """Publish; returns the outcome and the verdict of every check."""
        result = self._run(CLEAN_AND_PUBLISH, publish_keys(), {})
        verdicts = [
            Verdict(
                name=evaluation.check_name,
                passed=evaluation.passed,
                is_blocking=evaluation.severity == dg.AssetCheckSeverity.ERROR,
                detail=evaluation.description,
            )
            for evaluation in result.get_asset_check_evaluations()
        ]
        return _outcome(result, PUBLISHED_FILE, SNAPSHOT_STEP), verdicts

    def rebuild(self) -> StepOutcome:
        """Rebuild the published file and compare; a table that differs is a failure."""
        return _outcome(self._run(REBUILD, None, {}), PUBLISHED_FILE, REBUILD_STEP)

    def _definitions(self) -> dg.Definitions:
        """Built at the first run: a night without news needs none. The calendar begins with the first landed day."""
        first_day = calendar_ends(self._home, current_registry(self._home))[0]
        if self._built is None or self._built[0] != first_day:
            self._built = (first_day, build_definitions(self._home))
        return self._built[1]

    def _run(
        self, job: str, assets: Sequence[dg.AssetKey] | None, tags: dict[str, str]
    ) -> dg.ExecuteInProcessResult:
        result = (
            self._definitions()
            .resolve_job_def(job)
            .execute_in_process(
                run_config=_QUIET,
                instance=self._instance,
                asset_selection=None if assets is None else list(assets),
                tags={**tags, **night_tags(current_registry(self._home), datetime.now(UTC))},
                raise_on_error=False,
            )
        )
        for event in result.all_events:
            if event.is_step_failure and (error := _cause(event)) and error.cls_name in _OF_DATABASE:
                # A step that cannot store its events says nothing about its own work: `open_instance` says what to do.
                raise sqlite3.DatabaseError(error.message.strip().splitlines()[0])
        return result


@contextmanager
def local_runs(home: Home, note: Callable[[str], None] = warnings.warn) -> Iterator[LocalRuns]:
    """The home's jobs, ready to run. One process at a time: a second one waits until the first has ended.

    note: gets a line if this process waits, and about each damaged file that was made anew at the start. Raises
    RegistryError if the registry is wrong, HomeError as `open_instance`.
    """
    with (
        exclusive(home.lake / ".run.lock", on_wait=lambda holder: note(_waiting(holder))),
        open_instance(home, note) as instance,
    ):
        if line := repair_proof(home.root, Lake(home.lake)):
            note(line)
        yield LocalRuns(home, instance)


def _waiting(holder: Holder) -> str:
    by = f" (process {holder.process}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC)" if holder.since else ""
    return f"another run of this home is in progress{by}. This one starts when that one has ended"


def _outcome(result: dg.ExecuteInProcessResult, key: dg.AssetKey, step: str | None = None) -> StepOutcome:
    """The result of an asset in a run. step: the name of its step; by default made from the asset's key."""
    metadata: dict[str, Any] = {}
    failure: str | None = None
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key == key:
            metadata |= {name: entry.value for name, entry in event.materialization.metadata.items()}
        elif event.is_step_failure and event.step_key == (step or "__".join(key.path)):
            failure = _why(event)
    if failure is None and not result.success and not metadata:
        failure = "the run stopped before this step. Details: `ces ui`, Runs"
    return StepOutcome("/".join(key.path), metadata, failure)


def _why(event: dg.DagsterEvent) -> str:
    """Why a step failed. Only the kind of an internal error is shown, because its text may contain values."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = _cause(event)
    if error is None:
        return "it failed without an error message. Details: `ces ui`, Runs"
    for found in _chain(event):
        # It may have been raised from an error of a library, which says less.
        if found.cls_name in _correctable():
            return found.message.strip().removeprefix(f"ces_pipeline.errors.{found.cls_name}: ")
    filling = re.search(rf"^{FILLING}(\S+)", error.message, re.MULTILINE)
    doing = (
        f"filling {filling[1]}" if filling else _DOING.get(event.step_key or "", f"running {event.step_key}")
    )
    return (
        f"internal error ({error.cls_name}) while {doing}. This is a bug in ces; the published file is unchanged. "
        f"Details: `ces ui`, Runs"
    )


def _cause(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    """The first error of a failed step, from which the others followed."""
    return next(reversed(list(_chain(event))), None)


def _chain(event: dg.DagsterEvent) -> Iterator[SerializableErrorInfo]:
    """The error of a failed step, and the causes of it, each followed by its own cause."""
    error = event.step_failure_data.error
    while error is not None:
        yield error
        error = error.cause


def _correctable() -> set[str]:
    """Class names of the errors that a person can correct; their texts may be shown."""
    found, to_visit = set(), [CesError]
    while to_visit:
        kind = to_visit.pop()
        found.add(kind.__name__)
        to_visit += kind.__subclasses__()
    return found

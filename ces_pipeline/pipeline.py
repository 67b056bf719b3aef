"""The steps as plain functions: land, stale_days, clean, publish, alert. Only this module joins the steps.

It is the package's public API (`from ces_pipeline import land, clean, publish`). The command line and the Dagster
assets call these functions and have no logic of their own.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from ces_pipeline.clean import step as clean_step
from ces_pipeline.clean.day import DayResult
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.clean.workers import refuse_imported_script
from ces_pipeline.corrections.audit import Audit
from ces_pipeline.corrections.audit import audit as audit_days
from ces_pipeline.corrections.rename import follow_registry
from ces_pipeline.dashboards.bi_files import default_folder, write_bi_files
from ces_pipeline.dashboards.metrics import write_metrics
from ces_pipeline.dashboards.postgres import Load, load
from ces_pipeline.errors import CesError, HomeError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.land import corrected_entry
from ces_pipeline.land.delivery_columns import note_columns
from ces_pipeline.land.ended import land_nothing
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.land.pull import pull
from ces_pipeline.land.step import SourceLanding, land_source
from ces_pipeline.proof.step import prove
from ces_pipeline.publish import inputs as publish_inputs_of
from ces_pipeline.publish import step as publish_step
from ces_pipeline.publish.checks import CheckResult
from ces_pipeline.publish.inputs import PublishInputs
from ces_pipeline.publish.publication import read_publication
from ces_pipeline.publish.step import PublishResult
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage import last_results
from ces_pipeline.storage.lake import Lake, day_of_folder
from ces_pipeline.storage.machine import use_machine
from ces_pipeline.storage.memory import give_memory_back
from ces_pipeline.storage.modes import share
from ces_pipeline.storage.small_files import save_small_files
from ces_pipeline.watch import log as watch_log
from ces_pipeline.watch import step as watch_step
from ces_pipeline.watch.failures import FailedRun
from ces_pipeline.watch.step import Alerting, PublishWatch

__all__ = [
    "KINDS",
    "Alerting",
    "DayResult",
    "Home",
    "PublishInputs",
    "PublishResult",
    "Registry",
    "SourceLanding",
    "alert",
    "audit",
    "check",
    "clean",
    "export",
    "export_bi",
    "export_postgres",
    "first_landed_day",
    "follow_registry",
    "is_behind",
    "is_proved",
    "land",
    "land_source",
    "load_registry",
    "publish",
    "publish_inputs",
    "rebuild",
    "stale_days",
    "write_metrics_file",
]

_METRICS = "export-metrics"
_COPIES = {"postgres": "export-postgres", "bi": "export-bi"}
"""Copy of the published figures -> the step that makes it."""
_MANY_ROWS = 200_000
_READINGS = 5


def land(home: Home, registry: Registry, sources: Iterable[str] | None = None) -> list[SourceLanding]:
    """Land the inbox and the API of every source, or of the named sources.

    Sources land one after the other; a failure of one source never stops the others. A source that has ended is not
    read. Raises RegistryError if the entry of a source with landed rows is missing, CesError if a worker process calls
    it while it imports the main script of its parent; so do `clean` and `publish`.
    """
    _begin(registry)
    share(home.private, registry.settings.shared_with)
    follow_registry(home, registry)
    chosen = registry.sources if sources is None else list(sources)
    today = registry.settings.business_date(datetime.now(UTC))
    outcomes = []
    lake = Lake(home.lake)
    for name in chosen:
        source = registry.sources[name]
        if source.has_ended(today):
            last_results.record(lake, f"land-{name}", [""], {})
            outcomes.append(land_nothing(home, source))
            continue
        with last_results.recorded(lake, f"land-{name}"):
            outcome = land_source(home, registry, source)
            if source.api is not None:
                outcome = outcome.with_pull(pull(home, registry, source))
            note_columns(lake, name)
            corrected_entry.remember(lake, registry, source)
            outcome.notes += tuple(corrected_entry.notes(lake, registry, source))
        last_results.record(lake, f"land-{name}", [""], {"": outcome.failures} if outcome.failures else {})
        if outcome.rows_read >= _MANY_ROWS:
            # The next step may start processes that need this memory.
            give_memory_back()
        outcomes.append(outcome)
    return outcomes


def stale_days(home: Home, registry: Registry, kind: str) -> list[date]:
    """The days of a kind whose deliveries, registry entries or code changed since they were cleaned, ascending."""
    return Planner(Lake(home.lake), registry, kind).stale_days()


def clean(
    home: Home,
    registry: Registry,
    kind: str,
    days: Sequence[date],
    *,
    run_id: str,
    executor: Executor | None = None,
) -> Iterator[DayResult]:
    """Clean these days of a kind; yields the result of each day as it is written, in order.

    executor: runs the days; by default worker processes if there is enough work, else this process. Raises
    MemoryLimitError if DuckDB needs more memory than the settings allow.
    """
    _begin(registry)
    follow_registry(home, registry)
    lake, step = Lake(home.lake), f"clean-{kind}"
    cleaned: list[DayResult] = []
    with last_results.recorded(lake, step):
        for result in clean_step.clean(home, registry, kind, days, run_id=run_id, executor=executor):
            cleaned.append(result)
            yield result
    if sum(result.landed for result in cleaned) >= _MANY_ROWS:
        # A publish in this process needs this memory.
        give_memory_back()
    last_results.record(
        lake,
        step,
        ["", *(result.day.isoformat() for result in cleaned)],
        {result.day.isoformat(): result.problems for result in cleaned if result.problems},
    )


def _begin(registry: Registry) -> None:
    """What every step does first. Raises CesError in a worker process that imports the main script of its parent."""
    refuse_imported_script()
    use_machine(registry.settings.machine.threads, registry.settings.machine.memory_mb)


def first_landed_day(home: Home, registry: Registry) -> date:
    """The first day from `first_day` of settings.yaml to today that ever had landed rows; `first_day` if none had."""
    lake = Lake(home.lake)
    # Days whose deliveries were taken back have no raw file any more, but the audit of their cleaning.
    folders = [f"raw/{source}" for source in lake.names("raw")]
    folders += [f"audit/load_audit/{kind}" for kind in lake.names("audit/load_audit")]
    days = (day for folder in folders for name in lake.names(folder) if (day := day_of_folder(name)))
    first = registry.settings.first_day
    today = registry.settings.business_date(datetime.now(UTC))
    return min((day for day in days if first <= day <= today), default=first)


def publish_inputs(home: Home, registry: Registry) -> PublishInputs:
    """The inputs of a publish, read from the lake, with the stale days.

    They are read again if a delivery landed in the meantime: its days would count as cleaned, and the books would not
    balance.
    """
    lake = Lake(home.lake)
    now = datetime.now(ZoneInfo(registry.settings.business_time_zone))
    today_began_at = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(_READINGS):
        landed = Ledger.read(lake)
        pending = [(kind, day) for kind in registry.kinds for day in stale_days(home, registry, kind)]
        inputs = publish_inputs_of.publish_inputs(lake, pending, today_began_at)
        if Ledger.read(lake) == landed:
            break
    return inputs


def publish(home: Home, registry: Registry, *, run_id: str) -> PublishResult:
    """Update the published file from the lake. A second publish waits until the first ends.

    Proves first that rules, schemas and checks find poisoned rows. If a blocking check fails, the old file stays and
    the result has the check. Raises CesError if a day file differs from its commit marker, HomeError if the disk cannot
    be written, MemoryLimitError if DuckDB needs more memory than the settings allow.
    """
    _begin(registry)
    share(home.private, registry.settings.shared_with)
    follow_registry(home, registry)
    return _noted(home, registry, lambda: _publish(home, registry, run_id))


def _noted(home: Home, registry: Registry, step: Callable[[], PublishResult]) -> PublishResult:
    """Publish, note how that ended, and write the metrics file, also if it failed."""
    began, is_published = monotonic(), False
    try:
        result = step()
        is_published = result.published
        return result
    finally:
        run = watch_log.LastRun(datetime.now(UTC), monotonic() - began, is_published)
        # If the disk cannot be written, the error of the publish says so.
        with suppress(HomeError):
            watch_log.note_run(Lake(home.lake), run)
        write_metrics_file(home, registry)


def _publish(home: Home, registry: Registry, run_id: str) -> PublishResult:
    lake = Lake(home.lake)
    # First, so that the file that is published has them.
    watch_step.note_failures(home, registry, _steps(registry), now=datetime.now(UTC), run_id=run_id)
    with last_results.recorded(lake, "publish"):
        result = _publish_by(publish_step.publish, home, registry, run_id)
    save_small_files(lake)
    failed = [f"{failure.check.name}: {failure.detail}" for failure in result.blocking_failures]
    last_results.record(lake, "publish", [""], {"": failed} if failed else {})
    if result.unchanged or not result.published:
        watch_step.note_checks(home, registry, result.checks, run_id=run_id, now=datetime.now(UTC))
    if result.published:
        watch_log.note_published(lake)
    return result


def _publish_by(
    publishing: Callable[..., PublishResult], home: Home, registry: Registry, run_id: str
) -> PublishResult:
    """Publish by one of the two ways of `publish.step`, with what both need."""
    return publishing(
        home,
        registry,
        lambda: publish_inputs(home, registry),
        run_id=run_id,
        prove=prove,
        watcher=PublishWatch(registry),
    )


def alert(
    home: Home,
    registry: Registry,
    *,
    is_dry: bool = False,
    failed_runs: Mapping[str, FailedRun | None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Alerting:
    """Log what failed since the last publish, and send the messages that are due; with `is_dry`, only say which.

    failed_runs: job -> its newest run, if that failed; None: not known. environment: holds the addresses of the
    channels; default: that of the process. A channel that fails is a line of the result and stops nothing.
    """
    _begin(registry)
    return watch_step.alert(
        home,
        registry,
        _steps(registry),
        os.environ if environment is None else environment,
        is_dry=is_dry,
        failed_runs=failed_runs,
    )


def write_metrics_file(home: Home, registry: Registry) -> list[str]:
    """Write the metrics file of the settings, if it is set; returns what failed.

    Every publish does so; once more after what follows a publish, so that the file has that too.
    """
    failures: list[str] = []
    if (name := registry.settings.exports.metrics_file) is not None:
        failures = _failures(lambda: write_metrics(home, home.root / name))
    with suppress(HomeError):
        last_results.record(Lake(home.lake), _METRICS, [""], {"": failures} if failures else {})
    return failures


def export(
    home: Home, registry: Registry, environment: Mapping[str, str] | None = None
) -> dict[str, list[str]]:
    """Bring the copies up to date that the settings ask for: PostgreSQL, and the files of `bi`.

    Returns copy (`postgres`, `bi`) -> what failed; one that fails stops nothing. environment: as `export_postgres`.
    """
    failures = {}
    for copy, update, is_set in (
        ("postgres", export_postgres, registry.settings.exports.postgres is not None),
        ("bi", export_bi, registry.settings.exports.bi_files),
    ):
        if is_set:
            failures[copy] = _failures(partial(update, home, registry, environment))
        else:
            last_results.record(Lake(home.lake), _COPIES[copy], [""], {})
    return failures


def export_postgres(home: Home, registry: Registry, environment: Mapping[str, str] | None = None) -> Load:
    """Copy the published tables to the database of the settings, unless it has them already.

    environment: holds the address of the database; default: that of the process. Raises CesError if the database
    cannot be reached or refuses, RegistryError if the settings name none.
    """
    _begin(registry)
    if (database := registry.settings.exports.postgres) is None:
        raise RegistryError(
            f"{home.registry / 'settings.yaml'}: `exports.postgres` is not set. `ces docs dashboards` shows how"
        )
    with _recorded_copy(home, "postgres"):
        return load(home, database, os.environ if environment is None else environment)


def export_bi(
    home: Home,
    registry: Registry,
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
) -> list[Path]:
    """Write the files of `bi`; returns them. folder: default: `exports/bi` of the home.

    environment: as `export_postgres`; without the address there are no files for the database.
    """
    _begin(registry)
    database, variables = (
        registry.settings.exports.postgres,
        os.environ if environment is None else environment,
    )
    address = variables.get(database.url) if database else None
    with _recorded_copy(home, "bi"):
        if folder is not None:
            return write_bi_files(home, folder, address)
        written = write_bi_files(home, default_folder(home), address)
        share([default_folder(home)], registry.settings.shared_with)
        return written


@contextmanager
def _recorded_copy(home: Home, copy: str) -> Iterator[None]:
    """Record what a copy could not do, or that it did everything."""
    lake = Lake(home.lake)
    with last_results.recorded(lake, _COPIES[copy]):
        yield
    last_results.record(lake, _COPIES[copy], [""], {})


def _failures(step: Callable[[], object]) -> list[str]:
    """Do a step that must not stop what comes after it; what failed, as a line."""
    try:
        step()
    except CesError as problem:
        return [str(problem)]
    except Exception as problem:
        # Only the kind is shown: the text of an internal error may have values.
        return [
            f"internal error ({type(problem).__name__}) in a copy of the published figures. This is a bug in ces"
        ]
    return []


def _steps(registry: Registry) -> list[str]:
    """The steps of a run whose last results are kept, but landing."""
    return [*(f"clean-{kind}" for kind in registry.kinds), "publish", *_COPIES.values(), _METRICS]


def check(home: Home, registry: Registry, names: Collection[str]) -> list[CheckResult]:
    """The results of these checks on the published file, by name. Raises HomeError if there is no published file."""
    _begin(registry)
    return publish_step.check_published(home, registry, names, prove)


def is_proved(home: Home, registry: Registry) -> bool:
    """Whether rules, schemas and checks found all poisoned rows today: when the file was published, else now."""
    published = read_publication(home.published)
    if published and publish_step.is_published_today(published, registry, datetime.now(UTC)):
        return True
    _begin(registry)
    return prove().passed


def rebuild(home: Home, registry: Registry, *, run_id: str) -> PublishResult:
    """Publish, then rebuild the published file from the lake and compare: the two must have the same rows.

    The rebuilt file is published. `differences` of the result names the tables that differed. Raises as `publish`.
    """
    _begin(registry)
    share(home.private, registry.settings.shared_with)
    follow_registry(home, registry)
    return _noted(home, registry, lambda: _publish_by(publish_step.rebuild, home, registry, run_id))


def audit(
    home: Home,
    registry: Registry,
    *,
    run_id: str,
    first: date | None = None,
    last: date | None = None,
) -> Audit:
    """Compare published days with what today's registry and code make of their landed rows; changes no day.

    first, last: all days unless given.
    """
    _begin(registry)
    return audit_days(home, registry, run_id=run_id, first=first, last=last)


def is_behind(home: Home, registry: Registry) -> bool:
    """True if a publish would change the published file, or there is none, or it is damaged. Reads all of it."""
    return publish_step.is_damaged(home) or publish_step.is_behind(
        home, registry, publish_inputs(home, registry)
    )

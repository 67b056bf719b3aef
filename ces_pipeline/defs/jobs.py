"""The jobs, and the schedules of job `land`: every night, and every few minutes if the settings say so."""

from typing import TYPE_CHECKING, Literal

import dagster as dg

from ces_pipeline.defs.exports import export_keys
from ces_pipeline.defs.metadata import asset_key
from ces_pipeline.defs.night import night_tags
from ces_pipeline.defs.report import publish_keys
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.kinds import KINDS

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

LAND = "land"
CLEAN_AND_PUBLISH = "clean_and_publish"


def core_keys(registry: Registry) -> list[dg.AssetKey]:
    """The assets that a cleaning run materialises."""
    return [asset_key(KINDS[kind].accepted) for kind in registry.kinds]


def jobs(registry: Registry) -> "list[UnresolvedAssetJobDefinition]":
    """Job `clean_and_publish`, and job `land` if there are sources."""
    clean_and_publish = dg.define_asset_job(
        CLEAN_AND_PUBLISH,
        selection=dg.AssetSelection.assets(*core_keys(registry), *publish_keys(), *export_keys(registry)),
        description="Clean days, publish the file, write the report and the copies. A sensor requests the stale days.",
    )
    return [land_job(), clean_and_publish] if registry.sources else [clean_and_publish]


def land_job() -> "UnresolvedAssetJobDefinition":
    """The job that lands the inbox and the API of every source."""
    return dg.define_asset_job(
        LAND,
        selection=dg.AssetSelection.groups("raw"),
        description="Land new and changed deliveries of every source. A failing source does not stop the others.",
    )


def nightly(registry: Registry) -> dg.ScheduleDefinition:
    """The schedule: every night at `schedule_hour` of settings.yaml."""
    return schedule(
        registry,
        "nightly",
        LAND,
        f"0 {registry.settings.schedule_hour} * * *",
        "Land every source. The sensor stale_days_sensor then cleans and publishes.",
    )


UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_HOURS_LATER = 3
"""Hours after the nightly run: it has ended by then, or a weekly job waits for it."""
_CRON_DAYS = {"saturday": 6, "sunday": 0}
_CHANGES_NOTHING = ("probe",)
"""Jobs that only read: nothing waits for them."""


def run_at_work(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """The run that has not ended for longest; None if there is none. Probes do not count."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return next((run for run in reversed(runs) if run.job_name not in _CHANGES_NOTHING), None)


def weekly(
    registry: Registry, name: str, job: str, day: Literal["saturday", "sunday"], description: str
) -> dg.ScheduleDefinition:
    """The schedule of a job on one day of each week, some hours after the nightly run."""
    hour = (registry.settings.schedule_hour + _HOURS_LATER) % 24
    return schedule(registry, name, job, f"0 {hour} * * {_CRON_DAYS[day]}", description)


def every(minutes: int) -> str:
    """The cron schedule of every so many minutes, of which an hour is a multiple."""
    return "0 * * * *" if minutes == 60 else f"*/{minutes} * * * *"


def ticks(registry: Registry, minutes: int) -> dg.ScheduleDefinition:
    """The schedule of every so many minutes. While a run is at work, a tick is skipped, and Dagster records why."""

    def run_or_skip(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if run := run_at_work(context.instance):
            return dg.SkipReason(f"skipped: the run {run.run_id} of job {run.job_name} has not ended yet")
        return dg.RunRequest(tags=night_tags(registry, context.scheduled_execution_time))

    return dg.ScheduleDefinition(
        name="every_few_minutes",
        job_name=LAND,
        cron_schedule=every(minutes),
        execution_fn=run_or_skip,
        execution_timezone=registry.settings.business_time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Land every source. The sensor stale_days_sensor then cleans and publishes.",
    )


def schedule(registry: Registry, name: str, job: str, cron: str, description: str) -> dg.ScheduleDefinition:
    """A schedule in the business time zone that is on from the start."""
    return dg.ScheduleDefinition(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone=registry.settings.business_time_zone,
        tags_fn=lambda context: night_tags(registry, context.scheduled_execution_time),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )

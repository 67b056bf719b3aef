"""The jobs, and the nightly schedule of job `land`."""

from typing import TYPE_CHECKING

import dagster as dg

from ces_pipeline.defs.metadata import asset_key
from ces_pipeline.defs.night import night_tags
from ces_pipeline.defs.snapshot import snapshot_keys
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
        selection=dg.AssetSelection.assets(*core_keys(registry), *snapshot_keys()),
        description="Clean days and publish the file. A sensor requests the stale days.",
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

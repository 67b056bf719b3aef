"""The Dagster definitions of one home: the one that `CES_HOME` names, else the checkout's `data/`."""

import warnings

import dagster as dg

from ces_pipeline.defs.alerts import alert_job, alerts_sensor
from ces_pipeline.defs.audit import audit_job, weekly_audit
from ces_pipeline.defs.core import core_assets
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.exports import export_assets, export_keys
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.jobs import jobs, nightly, ticks
from ces_pipeline.defs.probe import probe_job, probe_schedule
from ces_pipeline.defs.raw import raw_assets
from ces_pipeline.defs.rebuild import rebuild_job, weekly_rebuild
from ces_pipeline.defs.report import report_asset
from ces_pipeline.defs.sensors import inbox_sensor, stale_days_sensor
from ces_pipeline.defs.snapshot import snapshot_asset
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, Settings


def build_definitions(home: Home) -> dg.Definitions:
    """Assets, checks, jobs, schedule and sensors of a home. Raises RegistryError if its registry is wrong.

    A home without a registry has no sources, so it has no schedule and no inbox sensor.
    """
    registry = current_registry(home) if home.registry.is_dir() else _empty()
    with warnings.catch_warnings():
        # `backfill_policy` is beta. Without it, a range of days would be one run per day.
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [
            *raw_assets(registry),
            *core_assets(home, registry),
            snapshot_asset(registry),
            report_asset(),
            *export_assets(registry),
        ]
    return dg.Definitions(
        assets=assets,
        jobs=[*jobs(registry), rebuild_job(), probe_job(), audit_job(), alert_job()],
        resources={"home": HomeResource(root=str(home.root))},
        schedules=_schedules(registry) if registry.sources else [],
        sensors=[
            stale_days_sensor(home, registry.kinds, export_keys(registry)),
            alerts_sensor(home),
            *([inbox_sensor(home)] if registry.sources else []),
        ],
        executor=dg.in_process_executor,
    )


def _schedules(registry: Registry) -> list[dg.ScheduleDefinition]:
    found = [nightly(registry), weekly_rebuild(registry), weekly_audit(registry)]
    if minutes := registry.settings.land_every_minutes:
        found.append(ticks(registry, minutes))
    if minutes := registry.settings.probe_every_minutes:
        found.append(probe_schedule(registry, minutes))
    return found


def _empty() -> Registry:
    return Registry(sources={}, surveys={}, scales={}, segments=(), settings=Settings.model_validate({}))


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that `workspace.yaml` and `[tool.dg]` load."""
    return build_definitions(Home.find())

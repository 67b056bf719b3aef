"""What Dagster loads: the definitions of the home that `CES_HOME` names, else of the checkout's own."""

import warnings

import dagster as dg

from ces_pipeline.defs.core import core_assets
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.jobs import jobs, nightly
from ces_pipeline.defs.raw import raw_assets
from ces_pipeline.defs.sensors import inbox_sensor, stale_days_sensor
from ces_pipeline.defs.snapshot import snapshot_asset
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, Settings


def build_definitions(home: Home) -> dg.Definitions:
    """Assets, checks, jobs, schedule and sensors of a home. Raises RegistryError for a wrong registry.

    A home without a registry has no feeds, and so nothing that lands.
    """
    registry = current_registry(home) if home.registry.is_dir() else _empty()
    with warnings.catch_warnings():
        # `backfill_policy` is marked beta; without it a range of days is a run per day.
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [*raw_assets(home, registry), *core_assets(home, registry), snapshot_asset(home, registry)]
    return dg.Definitions(
        assets=assets,
        jobs=jobs(registry),
        schedules=[nightly(registry)] if registry.sources else [],
        sensors=[stale_days_sensor(home), *([inbox_sensor(home)] if registry.sources else [])],
        executor=dg.in_process_executor,
    )


def _empty() -> Registry:
    return Registry(sources={}, surveys={}, scales={}, segments=(), settings=Settings.model_validate({}))


@dg.definitions
def defs() -> dg.Definitions:
    """The location that `workspace.yaml` and `[tool.dg]` name."""
    return build_definitions(Home.find())

"""The steps as plain calls: land, which days are stale, clean, publish.

The command line and the Dagster assets both call these; neither holds logic of its own.
"""

from collections.abc import Iterable
from datetime import date

from ces_pipeline.clean.day import DayResult
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.clean.step import clean
from ces_pipeline.home import Home
from ces_pipeline.land.delivery_columns import note_columns
from ces_pipeline.land.step import SourceLanding, land_source
from ces_pipeline.land.step import land as land_files
from ces_pipeline.publish.step import PublishResult, publish
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.memory import give_memory_back

__all__ = [
    "KINDS",
    "DayResult",
    "PublishResult",
    "SourceLanding",
    "clean",
    "land",
    "land_source",
    "publish",
    "stale_days",
]

_MANY_ROWS = 200_000


def land(home: Home, registry: Registry, sources: Iterable[str] | None = None) -> list[SourceLanding]:
    """Land what every feed (or the named ones) has in its inbox and, where it has an API, what that has.

    One feed after the other; a feed's failure never stops the others.
    """
    chosen = registry.sources if sources is None else list(sources)
    outcomes = []
    for name in chosen:
        (outcome,) = land_files(home, registry, [name])
        if registry.sources[name].api is not None:
            from ces_pipeline.land.pull import pull

            outcome = outcome.with_pull(pull(home, registry, registry.sources[name]))
        note_columns(Lake(home.lake), name)
        if outcome.rows_read >= _MANY_ROWS:
            # What comes next may be other processes, which need the memory more.
            give_memory_back()
        outcomes.append(outcome)
    return outcomes


def stale_days(home: Home, registry: Registry, kind: str) -> list[date]:
    """The days of a kind that are not what their deliveries, registry and rules would give."""
    return Planner(Lake(home.lake), registry, kind).stale_days()

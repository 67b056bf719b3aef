"""The steps as plain calls: land, which days are stale, clean, publish. The only module that joins the steps.

This is the package's public API (`from ces_pipeline import land, clean, publish`). The command line and the Dagster
assets call these functions; neither holds logic of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import date

from ces_pipeline.clean import step as clean_step
from ces_pipeline.clean.day import DayResult
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.home import Home
from ces_pipeline.land.delivery_columns import note_columns
from ces_pipeline.land.pull import pull
from ces_pipeline.land.step import SourceLanding, land_source
from ces_pipeline.publish import inputs as publish_inputs_of
from ces_pipeline.publish import step as publish_step
from ces_pipeline.publish.inputs import PublishInputs
from ces_pipeline.publish.step import PublishResult
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.memory import give_memory_back

__all__ = [
    "KINDS",
    "DayResult",
    "Home",
    "PublishInputs",
    "PublishResult",
    "Registry",
    "SourceLanding",
    "clean",
    "is_behind",
    "land",
    "land_source",
    "load_registry",
    "publish",
    "publish_inputs",
    "stale_days",
]

_MANY_ROWS = 200_000


def land(home: Home, registry: Registry, sources: Iterable[str] | None = None) -> list[SourceLanding]:
    """Land what every source (or the named ones) has in its inbox and, where it has an API, what that has.

    One source after the other; a failure of one never stops the others.
    """
    chosen = registry.sources if sources is None else list(sources)
    outcomes = []
    for name in chosen:
        source = registry.sources[name]
        outcome = land_source(home, registry, source)
        if source.api is not None:
            outcome = outcome.with_pull(pull(home, registry, source))
        note_columns(Lake(home.lake), name)
        if outcome.rows_read >= _MANY_ROWS:
            # What comes next may be other processes, which need the memory more.
            give_memory_back()
        outcomes.append(outcome)
    return outcomes


def stale_days(home: Home, registry: Registry, kind: str) -> list[date]:
    """The days of a kind that are not what their deliveries, registry and rules would give, ascending."""
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
    """Clean these days of a kind; each result comes as its day is written, in order.

    executor: where days are fanned out to; by default worker processes when the work is worth them, else none.
    """
    return clean_step.clean(home, registry, kind, days, run_id=run_id, executor=executor)


def publish_inputs(home: Home, registry: Registry) -> PublishInputs:
    """What the lake holds to be published, with the days that are stale."""
    pending = [(kind, day) for kind in registry.kinds for day in stale_days(home, registry, kind)]
    return publish_inputs_of.publish_inputs(Lake(home.lake), pending)


def publish(home: Home, registry: Registry, *, run_id: str) -> PublishResult:
    """Bring the published file up to date with the lake; a second publish at the same time waits for the first.

    A failed blocking check leaves the old file as it was and is in the result. Raises CesError where a day file is not
    the one of its commit marker, HomeError where the disk cannot be written.
    """
    return publish_step.publish(home, registry, lambda: publish_inputs(home, registry), run_id=run_id)


def is_behind(home: Home, registry: Registry) -> bool:
    """True where a publish would change the published file, or there is none."""
    return publish_step.is_behind(home, registry, publish_inputs(home, registry))

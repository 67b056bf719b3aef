"""One asset per feed: what its inbox holds, landed in the lake. Unpartitioned: landing is by delivery."""

from collections.abc import Iterator

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.metadata import OWNERS, POOL
from ces_pipeline.registry import Registry, Source
from ces_pipeline.settings import Home


def raw_key(source_id: str) -> dg.AssetKey:
    """The asset key of a feed."""
    return dg.AssetKey(["raw", source_id])


def raw_assets(home: Home, registry: Registry) -> list[dg.AssetsDefinition]:
    """The feeds of the registry as assets."""
    return [_raw_asset(home, source) for _, source in sorted(registry.sources.items())]


def _raw_asset(home: Home, source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        key=raw_key(source.id),
        group_name="raw",
        kinds={"parquet"},
        owners=OWNERS,
        pool=POOL,
        description=f"Deliveries of the {source.kind} feed `{source.id}`, pseudonymised and split by day.",
    )
    def land_feed() -> Iterator[dg.MaterializeResult]:
        (landing,) = pipeline.land(home, current_registry(home), [source.id])
        metadata = {
            "files_new": landing.files_new,
            "files_known": landing.files_known,
            "rows_read": landing.rows_read,
            "rows_landed": landing.rows_landed,
            "rows_redelivered": landing.rows_redelivered,
            "rows_unreadable": landing.rows_unreadable,
            "days": len(landing.days),
            "files_failed": len(landing.failures),
        }
        # Its good files have landed: that is told before the step fails for the others.
        yield dg.MaterializeResult(metadata=metadata)
        if landing.failures:
            raise dg.Failure(description="\n".join(landing.failures), allow_retries=False)

    return land_feed

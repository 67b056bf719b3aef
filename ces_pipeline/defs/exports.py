"""Copies of the published figures as assets: one for each copy that the settings ask for, after the published file."""

from typing import Any

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.metadata import OWNERS, POOL
from ces_pipeline.defs.snapshot import PUBLISHED_FILE
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry

_MEANS = {
    "postgres": "The published tables in the PostgreSQL database of settings.yaml, which Grafana and BI tools read.",
    "bi": "The `bi` tables as Parquet files in exports/bi, and the files that open them in Power BI and Tableau.",
}


def export_keys(registry: Registry) -> list[dg.AssetKey]:
    """The assets of the copies that the settings ask for."""
    chosen = registry.settings.exports
    wanted = {"postgres": chosen.postgres is not None, "bi": chosen.bi_files}
    return [dg.AssetKey(["exports", copy]) for copy in _MEANS if wanted[copy]]


def export_assets(registry: Registry) -> list[dg.AssetsDefinition]:
    """An asset for each of `export_keys`. One that fails is an incident; the published file is there all the same."""
    return [_asset(key) for key in export_keys(registry)]


def _asset(key: dg.AssetKey) -> dg.AssetsDefinition:
    copy = key.path[-1]
    update = {"postgres": _postgres, "bi": _bi}[copy]

    @dg.asset(
        key=key,
        deps=[PUBLISHED_FILE],
        group_name="publish",
        kinds={"postgres"} if copy == "postgres" else {"parquet"},
        owners=OWNERS,
        pool=POOL,
        description=_MEANS[copy],
    )
    def export(home: HomeResource) -> dg.MaterializeResult[None]:
        at, registry = home.home, current_registry(home.home)
        try:
            metadata = update(at, registry)
        except CesError as problem:
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        finally:
            pipeline.write_metrics_file(at, registry)
        return dg.MaterializeResult(metadata=metadata)

    return export


def _postgres(home: Home, registry: Registry) -> dict[str, Any]:
    done = pipeline.export_postgres(home, registry)
    return {"unchanged": not done.is_new, "tables": done.tables, "rows": done.rows, "seconds": done.seconds}


def _bi(home: Home, registry: Registry) -> dict[str, Any]:
    return {"files": len(pipeline.export_bi(home, registry))}

"""One asset per source: its landed deliveries. Without partitions, because landing is by delivery."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.metadata import OWNERS, POOL
from ces_pipeline.home import Home
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.registry import Registry, Source
from ces_pipeline.registry.api import Api


def raw_key(source_id: str) -> dg.AssetKey:
    """The asset key of a source."""
    return dg.AssetKey(["raw", source_id])


def raw_assets(home: Home, registry: Registry) -> list[dg.AssetsDefinition]:
    """The sources of the registry, as assets."""
    return [_raw_asset(home, registry, source) for _, source in sorted(registry.sources.items())]


# The HTTP client has already retried, so one more retry is enough for a short outage.
_RETRY = dg.RetryPolicy(max_retries=1, delay=60)


def _raw_asset(home: Home, registry: Registry, source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        key=raw_key(source.id),
        code_version=landing_fingerprint(registry, source),
        group_name="raw",
        kinds={"parquet"},
        owners=OWNERS,
        pool=POOL if source.api is None else _host_pool(source.api),
        retry_policy=None if source.api is None else _RETRY,
        description=f"Landed deliveries of source `{source.id}` ({source.kind}), pseudonymised and split by day.",
    )
    def land_source() -> Iterator[dg.MaterializeResult[None]]:
        registry_now = current_registry(home)
        if source.id not in registry_now.sources:
            raise dg.Failure(
                description=f"{source.id}: this source is not in sources.yaml any more. Its landed rows are kept",
                allow_retries=False,
            )
        (landing,) = pipeline.land(home, registry_now, [source.id])
        metadata: dict[str, Any] = {
            "files_new": landing.files_new,
            "files_known": landing.files_known,
            "rows_read": landing.rows_read,
            "rows_landed": landing.rows_landed,
            "rows_redelivered": landing.rows_redelivered,
            "rows_unreadable": landing.rows_unreadable,
            "days": len(landing.days),
            "files_failed": len(landing.failures),
        }
        if source.api is not None:
            metadata |= {"requests": landing.requests, "records_pulled": landing.records_pulled}
        if landing.notes:
            metadata["notes"] = "\n".join(landing.notes)
        if landing.records_expected is not None:
            metadata["records_expected"] = landing.records_expected
        # The readable files have landed: they are reported before the step fails.
        yield dg.MaterializeResult(metadata=metadata)
        if landing.failures:
            raise dg.Failure(description="\n".join(landing.failures), allow_retries=landing.is_transient)

    return land_source


def _host_pool(api: Api) -> str:
    """The pool that lets one pull at a time run per vendor host. Landing has its own lock."""
    return "api_" + re.sub(r"[^a-z0-9]+", "_", urlsplit(api.base_url).netloc.lower())

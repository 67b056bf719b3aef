"""One asset per source: its landed deliveries. Without partitions, because landing is by delivery.

Its check `schema_change` lists what the newest deliveries changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.metadata import OWNERS, POOL
from ces_pipeline.home import Home
from ces_pipeline.land.delivery_columns import newest_changes
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.registry import Registry, Source
from ces_pipeline.registry.api import Api
from ces_pipeline.storage.lake import Lake

SCHEMA_CHANGE = "schema_change"
_SHOWN_CHANGES = 100


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
        check_specs=[dg.AssetCheckSpec(SCHEMA_CHANGE, asset=raw_key(source.id), description=_remedy())],
    )
    def land_source() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
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
        zone = registry_now.settings.business_time_zone
        yield _schema_change(source.id, newest_changes(Lake(home.lake), source.id, zone))
        if landing.failures:
            raise dg.Failure(description="\n".join(landing.failures), allow_retries=landing.is_transient)

    return land_source


def _remedy() -> str:
    return next(check.remedy for check in all_checks() if check.name == SCHEMA_CHANGE)


def _schema_change(source_id: str, changes: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """The check of a source. changes: rows of `audit.schema_changes`."""
    shown = ("change", "column_name", "field", "was", "is_now")
    metadata: dict[str, Any] = {"changes": len(changes)}
    if changes:
        records = [
            dg.TableRecord({name: "" if row[name] is None else str(row[name]) for name in shown})
            for row in changes[:_SHOWN_CHANGES]
        ]
        columns = [dg.TableColumn(name, "string") for name in shown]
        metadata["list"] = dg.MetadataValue.table(records, dg.TableSchema(columns))
    return dg.AssetCheckResult(
        check_name=SCHEMA_CHANGE,
        asset_key=raw_key(source_id),
        passed=not changes,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _host_pool(api: Api) -> str:
    """The pool that lets one pull at a time run per vendor host. Landing has its own lock."""
    return "api_" + re.sub(r"[^a-z0-9]+", "_", urlsplit(api.base_url).netloc.lower())

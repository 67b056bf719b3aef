"""One asset per source: its landed deliveries. Without partitions, because landing is by delivery.

Its checks are `all_landed`, and `schema_change`, which lists what the newest deliveries changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.metadata import OWNERS, POOL, every_night, rows_table
from ces_pipeline.land.delivery_columns import newest_changes
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.land.step import SourceLanding
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.registry import Registry, Source
from ces_pipeline.registry.api import Api
from ces_pipeline.storage.lake import Lake

SCHEMA_CHANGE = "schema_change"
_SHOWN_CHANGES = 100

ALL_LANDED = "all_landed"
_ALL_LANDED = (
    "Every file of the inbox and every record of the API landed. A file that fails waits in the inbox, and the others "
    "land: correct it, or its entry in sources.yaml, and the next run reads it again."
)


def raw_key(source_id: str) -> dg.AssetKey:
    """The asset key of a source."""
    return dg.AssetKey(["raw", source_id])


def raw_assets(registry: Registry) -> list[dg.AssetsDefinition]:
    """The sources of the registry, as assets."""
    return [_raw_asset(registry, source) for _, source in sorted(registry.sources.items())]


# The HTTP client has already retried, so one more retry is enough for a short outage.
_RETRY = dg.RetryPolicy(max_retries=1, delay=60)


def _raw_asset(registry: Registry, source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        key=raw_key(source.id),
        code_version=landing_fingerprint(registry, source),
        group_name="raw",
        kinds={"parquet"},
        owners=OWNERS,
        pool=POOL if source.api is None else _host_pool(source.api),
        retry_policy=None if source.api is None else _RETRY,
        description=f"Landed deliveries of source `{source.id}` ({source.kind}), pseudonymised and split by day.",
        check_specs=[
            dg.AssetCheckSpec(ALL_LANDED, asset=raw_key(source.id), description=_ALL_LANDED),
            dg.AssetCheckSpec(SCHEMA_CHANGE, asset=raw_key(source.id), description=_remedy()),
        ],
        freshness_policy=None if source.ended_on else every_night(registry),
    )
    def land_source(home: HomeResource) -> Iterator[dg.MaterializeResult[None]]:
        registry_now = current_registry(home.home)
        if source.id not in registry_now.sources:
            raise dg.Failure(
                description=f"{source.id}: this source is not in sources.yaml any more. Its landed rows are kept",
                allow_retries=False,
            )
        (landing,) = pipeline.land(home.home, registry_now, [source.id])
        # The readable files have landed: they are reported before the step fails.
        zone = registry_now.settings.business_time_zone
        changes = newest_changes(Lake(home.home.lake), source.id, zone)
        yield dg.MaterializeResult(
            metadata=landing_metadata(source, landing),
            check_results=[_verdict(landing), _schema_change(source.id, changes)],
        )
        if landing.failures:
            raise dg.Failure(description="\n".join(landing.failures), allow_retries=landing.is_transient)

    return land_source


def landing_metadata(source: Source, landing: SourceLanding) -> dict[str, Any]:
    """The counts of a landing, and its notes."""
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
    return metadata


def _verdict(landing: SourceLanding) -> dg.AssetCheckResult:
    """Whether all files and records of a source landed; each failure is a row of its table."""
    return dg.AssetCheckResult(
        check_name=ALL_LANDED,
        passed=not landing.failures,
        description="\n".join(landing.failures) or None,
        metadata={
            "failures": len(landing.failures),
            "rows_unreadable": landing.rows_unreadable,
            **rows_table([{"what": line} for line in landing.failures]),
        },
    )


def _remedy() -> str:
    return next(check.remedy for check in all_checks() if check.name == SCHEMA_CHANGE)


def _schema_change(source_id: str, changes: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """The check of a source. changes: rows of `audit.schema_changes`."""
    shown = ("change", "column_name", "field", "was", "is_now")
    rows = [
        {name: "" if row[name] is None else str(row[name]) for name in shown}
        for row in changes[:_SHOWN_CHANGES]
    ]
    return dg.AssetCheckResult(
        check_name=SCHEMA_CHANGE,
        asset_key=raw_key(source_id),
        passed=not changes,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failures": len(changes), **rows_table(rows)},
    )


def _host_pool(api: Api) -> str:
    """The pool that lets one pull at a time run per vendor host. Landing has its own lock."""
    return "api_" + re.sub(r"[^a-z0-9]+", "_", urlsplit(api.base_url).netloc.lower())

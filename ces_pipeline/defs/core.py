"""The cleaned tables as daily assets, with the check that each day was written.

A range of days is one run; it also writes the quarantine tables.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import date

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.clean.day import DayResult
from ces_pipeline.clean.judged_by import rule_version
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.metadata import OWNERS, POOL, asset_key, rows_table, table_metadata
from ces_pipeline.defs.partitions import daily_partitions, within_calendar
from ces_pipeline.defs.raw import raw_key
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.reports.day_audit import day_audit
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.tables import TABLES

DAY_DONE: ContextVar[Callable[[DayResult], None]] = ContextVar("DAY_DONE", default=lambda _result: None)
"""Called with the result of each cleaned day, if the run is in the same process as its caller."""


DAYS_WRITTEN = "days_written"
_DAYS_WRITTEN = (
    "Every day of the run reconciles, fits its schema and was written. A day that does not keeps its old files and "
    "stays stale; the failure says what to do."
)


def core_assets(home: Home, registry: Registry) -> list[dg.AssetsDefinition]:
    """The cleaned tables of the home's kinds of source, as assets over the registry's calendar."""
    partitions = daily_partitions(home, registry)
    return [_core_asset(registry, kind, partitions) for kind in registry.kinds]


def _core_asset(
    registry: Registry, kind: str, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    table = TABLES[KINDS[kind].accepted]
    deps = [raw_key(source.id) for source in registry.sources_of(kind)]
    if kind == "survey" and registry.asks_accounts:
        deps.append(asset_key(KINDS["accounts"].accepted))

    @dg.asset(
        key=asset_key(table.name),
        deps=deps,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=table.layer,
        kinds={"pandera", "parquet"},
        owners=OWNERS,
        pool=POOL,
        code_version=rule_version(kind),
        description=f"{table.grain} Judged and normalised, with revisions resolved. Rejected rows are in "
        f"`{KINDS[kind].tables[1]}`.",
        metadata=table_metadata(table),
        check_specs=[dg.AssetCheckSpec(DAYS_WRITTEN, asset=asset_key(table.name), description=_DAYS_WRITTEN)],
    )
    def clean_days(
        context: dg.AssetExecutionContext, home: HomeResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        registry_now = current_registry(home.home)
        days = [date.fromisoformat(key) for key in context.partition_keys]
        stale = pipeline.stale_days(home.home, registry_now, kind)
        outside = sorted(set(stale) - set(within_calendar(home.home, registry_now, stale)))
        problems: list[dict[str, str]] = []
        wanted = [*days, *outside]
        for result in pipeline.clean(home.home, registry_now, kind, wanted, run_id=context.run.run_id):
            problems += [{"day": result.day.isoformat(), "what": line} for line in result.problems]
            DAY_DONE.get()(result)
            if result.day not in outside:
                context.add_asset_metadata(
                    {
                        "dagster/partition_row_count": result.accepted,
                        "landed": result.landed,
                        "redelivered": result.redelivered,
                        "superseded": result.superseded,
                        "rejected": result.rejected,
                        "rejected_share": result.rejected / max(1, result.accepted + result.rejected),
                        "suspect": result.suspect,
                        "reasons": dg.MetadataValue.json(result.reasons),
                        "audit": dg.MetadataValue.md(day_audit(result)),
                    },
                    asset_key=asset_key(table.name),
                    partition_key=result.day.isoformat(),
                )
        verdict = dg.AssetCheckResult(
            check_name=DAYS_WRITTEN,
            passed=not problems,
            metadata={"days": len(wanted), "failures": len(problems), **rows_table(problems)},
        )
        if problems:
            yield verdict
            raise dg.Failure(description="\n".join(row["what"] for row in problems), allow_retries=False)
        yield dg.MaterializeResult(check_results=[verdict])

    return clean_days

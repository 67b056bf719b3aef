"""Publishing as one step: the derived tables, the marts and the file as assets, with their checks."""

from collections.abc import Iterator, Mapping, Sequence, Set

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.metadata import OWNERS, POOL, asset_key, every_night, rows_table, table_metadata
from ces_pipeline.publish.checks import Check, CheckResult, all_checks
from ces_pipeline.publish.fingerprints import code_version, publish_code
from ces_pipeline.publish.inputs import DAY_TABLES
from ces_pipeline.publish.lineage import Origin, column_lineage
from ces_pipeline.publish.step import PublishResult
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.mart import QUESTIONS
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.statistics import POST_PROCESSED_BY
from ces_pipeline.storage.sql_files import SqlFile, derived_files

PUBLISHED_FILE = dg.AssetKey(["publish", "ces_duckdb"])
SNAPSHOT_STEP = "snapshot"


def snapshot_keys() -> list[dg.AssetKey]:
    """The assets that a publish materialises."""
    return [*(asset_key(file.table) for file in derived_files()), PUBLISHED_FILE]


def snapshot_asset(registry: Registry) -> dg.AssetsDefinition:
    """The publish as a multi-asset, each check on the table that it judges.

    If a blocking check fails, the step fails and the old file stays. Checks that are run alone ask the published file.
    """

    lineage = column_lineage(
        {file.table: file.query for file in derived_files()},
        {name: list(table.columns) for name, table in PUBLISHED_TABLES.items()},
    )

    cleaned = [KINDS[kind].accepted for kind in registry.kinds]

    @dg.multi_asset(
        name=SNAPSHOT_STEP,
        specs=[
            *(_derived_spec(file, cleaned, lineage[file.table]) for file in derived_files()),
            _file_spec(registry, cleaned),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=_judged(check),
                blocking=check.is_blocking,
                description=check.remedy,
            )
            for check in all_checks()
        ],
        can_subset=True,
        pool=POOL,
    )
    def snapshot(
        context: dg.AssetExecutionContext, home: HomeResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        registry_now, asked = current_registry(home.home), context.selected_asset_check_keys
        if not context.selected_asset_keys:
            names = {key.name for key in asked}
            for verdict in pipeline.check(home.home, registry_now, names):
                yield _as_check_result(verdict)
            return
        result = pipeline.publish(home.home, registry_now, run_id=context.run.run_id)
        if result.published:
            for made in _materialisations(result, _known_tables(context.instance)):
                if made.asset_key in context.selected_asset_keys:
                    yield made
        for verdict in result.checks:
            if dg.AssetCheckKey(_judged(verdict.check), verdict.check.name) in asked:
                yield _as_check_result(verdict)
        if not result.published:
            failed = "\n".join(
                f"{failure.check.name}: {failure.detail}" for failure in result.blocking_failures
            )
            raise dg.Failure(
                description=f"blocking checks failed, so the published file was not replaced:\n{failed}",
                allow_retries=False,
            )

    return snapshot


def _known_tables(instance: dg.DagsterInstance) -> set[dg.AssetKey]:
    """The tables that Dagster has a record of; none if its history is damaged: then all are recorded again."""
    try:
        records = instance.get_asset_records(snapshot_keys())
    except Exception:
        # A stored event is damaged, whatever its reading raises. The file is published: the run must not fail by this.
        return set()
    return {record.asset_entry.asset_key for record in records if record.asset_entry.last_materialization}


def _derived_spec(
    file: SqlFile, cleaned: Sequence[str], origins: Mapping[str, Sequence[Origin]]
) -> dg.AssetSpec:
    table = TABLES[file.table]
    inputs = sorted(file.reads & {*cleaned, *(other.table for other in derived_files())})
    return dg.AssetSpec(
        asset_key(file.table),
        deps=[asset_key(name) for name in inputs] or [asset_key(name) for name in cleaned],
        group_name=QUESTIONS.get(table.name, table.layer),
        kinds={"duckdb", "sql", "scipy"} if file.table in POST_PROCESSED_BY else {"duckdb", "sql"},
        owners=OWNERS,
        code_version=code_version(file),
        skippable=True,
        description=table.grain,
        metadata={**table_metadata(table), "dagster/column_lineage": _lineage(table, origins)},
    )


def _lineage(table: Table, origins: Mapping[str, Sequence[Origin]]) -> dg.TableColumnLineage:
    """The origins of a table's columns. A column of a post-processor depends on all columns of its query."""
    evidence = sorted({origin for found in origins.values() for origin in found})
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(asset_key=asset_key(of), column_name=column)
                for of, column in origins.get(name, evidence)
            ]
            for name in table.columns
        }
    )


def _file_spec(registry: Registry, cleaned: list[str]) -> dg.AssetSpec:
    tables = [*cleaned, *(file.table for file in derived_files())]
    return dg.AssetSpec(
        PUBLISHED_FILE,
        deps=[asset_key(name) for name in tables],
        group_name="publish",
        freshness_policy=every_night(registry),
        kinds={"duckdb"},
        owners=OWNERS,
        code_version=publish_code()[:12],
        description="The DuckDB file that analysts open, with all tables. One rename replaces it.",
    )


def _materialisations(result: PublishResult, known: Set[dg.AssetKey]) -> Iterator[dg.MaterializeResult[None]]:
    """The filled tables, the tables that this Dagster instance has no record of, and the file."""
    for file in derived_files():
        key = asset_key(file.table)
        if file.table in result.filled or key not in known:
            yield dg.MaterializeResult(
                asset_key=key,
                data_version=dg.DataVersion(result.fingerprints[file.table]),
                metadata={"dagster/row_count": result.rows[file.table]} if file.table in result.rows else {},
            )
    yield dg.MaterializeResult(
        asset_key=PUBLISHED_FILE,
        metadata={
            "unchanged": result.unchanged,
            "rebuilt": result.rebuilt,
            **({"rebuilt_because": result.rebuilt_because} if result.rebuilt else {}),
            "compacted": result.compacted,
            "days_loaded": result.days_loaded,
            "tables_filled": len(result.filled),
            "restated_days": result.restated_days,
            "size_bytes": result.path.stat().st_size,
            **({"notes": "\n".join(result.notes)} if result.notes else {}),
            **{f"rows {name}": result.rows[name] for name in DAY_TABLES},
        },
    )


def _judged(check: Check) -> dg.AssetKey:
    """The asset that a check is shown on: the table that it judges, or the file if it judges several."""
    return asset_key(check.judges) if check.judges else PUBLISHED_FILE


def _as_check_result(verdict: CheckResult) -> dg.AssetCheckResult:
    is_blocking = verdict.check.is_blocking
    return dg.AssetCheckResult(
        check_name=verdict.check.name,
        asset_key=_judged(verdict.check),
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
        description=verdict.detail,
        metadata={"failures": verdict.failures, **rows_table(verdict.rows)},
    )

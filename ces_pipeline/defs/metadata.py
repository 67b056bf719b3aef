"""What Dagster shows of assets and checks: keys, described columns, wrong rows as a table, and when they are late."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from ces_pipeline.registry import Registry
from ces_pipeline.schemas.table import Table

OWNERS = ["team:customer-experience"]
POOL = "duckdb"
"""The pool that lets one run at a time work on a home."""


def asset_key(table_name: str) -> dg.AssetKey:
    """`core.responses` -> the asset key core/responses."""
    return dg.AssetKey(table_name.split("."))


def table_metadata(table: Table) -> dict[str, Any]:
    """Metadata of a table's asset: its name and its described columns."""
    columns = [
        dg.TableColumn(
            name=field.name,
            type=str(field.type),
            description=table.columns[field.name].description,
            constraints=dg.TableColumnConstraints(nullable=field.nullable, unique=table.key == (field.name,)),
        )
        for field in table.arrow
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns), "dagster/table_name": table.name}


_LATE_AFTER_HOURS = 4


def every_night(registry: Registry) -> dg.FreshnessPolicy:
    """Fails if an asset was not materialised for a day, asked some hours after `schedule_hour` of settings.yaml."""
    settings = registry.settings
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"0 {(settings.schedule_hour + _LATE_AFTER_HOURS) % 24} * * *",
        lower_bound_delta=timedelta(days=1),
        timezone=settings.business_time_zone,
    )


def rows_table(rows: Sequence[Mapping[str, str]]) -> dict[str, dg.MetadataValue[Any]]:
    """The wrong rows of a check as a table, with links to the days that they name; empty if there are none."""
    if not rows:
        return {}
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = dg.MetadataValue.table(
        records=[dg.TableRecord({name: row.get(name, "") for name in names}) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in names]),
    )
    days = sorted({row["day"] for row in rows if row.get("day")})
    return {"wrong_rows": table, **({"days": dg.MetadataValue.md(_day_links(days))} if days else {})}


def _day_links(days: Sequence[str]) -> str:
    pages = ("core/responses", "core/ticket_versions")
    links = {
        day: [f"[{key}](/assets/{key}?view=partitions&partition={day})" for key in pages] for day in days
    }
    return "\n".join(f"- {day}: {', '.join(found)}" for day, found in links.items())

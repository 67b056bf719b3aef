"""Dagster metadata of a table, from its schema: key, name and described columns."""

from typing import Any

import dagster as dg

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

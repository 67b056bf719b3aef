"""What Dagster shows of a table: its description and columns, rendered from its schema."""

from typing import Any

import dagster as dg

from ces_pipeline.schemas.table import Table

OWNERS = ["team:customer-experience"]
POOL = "duckdb"
"""One run at a time works on a home, whichever step it is at."""


def asset_key(table_name: str) -> dg.AssetKey:
    """`core.responses` -> the asset key core/responses."""
    return dg.AssetKey(table_name.split("."))


def table_metadata(table: Table) -> dict[str, Any]:
    """Definition metadata of a table: its name and described columns."""
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

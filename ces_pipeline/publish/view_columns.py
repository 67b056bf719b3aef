"""What the columns of the views mean: the description of the stored column that a column comes from.

A column that is computed, or that means something else in the view, is described in the view's file
(`-- column NAME: DESCRIPTION`).
"""

from collections.abc import Iterable, Mapping
from functools import cache

from ces_pipeline.publish.lineage import Origin, column_lineage
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.sql_files import SqlFile, sql_files


@cache
def view_columns() -> dict[str, dict[str, str]]:
    """View -> column -> description. Raises LookupError that names a column without one."""
    views = sql_files("views")
    stored = {name: list(table.columns) for name, table in PUBLISHED_TABLES.items()}
    lineage = column_lineage({view.name: view.query for view in views}, stored)
    return {view.name: described(view, lineage[view.name]) for view in views}


def described(view: SqlFile, lineage: Mapping[str, Iterable[Origin]]) -> dict[str, str]:
    """Column -> description of one view, from its columns' origins. Raises LookupError as `view_columns`."""
    own = view.described
    if unknown := sorted(own.keys() - lineage.keys()):
        raise LookupError(f"sql/views/{view.name}.sql describes {unknown[0]}, which is no column of the view")
    return {
        column: own.get(column) or _of_origin(view, column, list(origins))
        for column, origins in lineage.items()
    }


def _of_origin(view: SqlFile, column: str, origins: list[Origin]) -> str:
    if len(origins) == 1:
        ((table, name),) = origins
        if text := PUBLISHED_TABLES[table].columns[name].description:
            return str(text)
    raise LookupError(
        f"sql/views/{view.name}.sql: column {column} comes from {len(origins)} stored columns. Add a comment line "
        f"`-- column {column}: ...` that says what it means"
    )

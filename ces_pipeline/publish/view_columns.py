"""What the columns of the views mean: the description of the stored column that a column comes from.

A column that is computed, or that means something else in the view, is described in the view's file
(`-- column NAME: DESCRIPTION`).
"""

from collections.abc import Iterable, Mapping
from functools import cache

from ces_pipeline.publish.lineage import Origin, column_lineage
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.storage.sql_files import SqlFile, sql_files, view_files


@cache
def view_lineage() -> dict[str, dict[str, list[Origin]]]:
    """View -> column -> the columns that it is computed from, of stored tables and of views that it reads."""
    columns = {name: list(table.columns) for name, table in PUBLISHED_TABLES.items()}
    plain = column_lineage({view.view: view.query for view in sql_files("views")}, columns)
    columns |= {view: list(found) for view, found in plain.items()}
    return plain | column_lineage({view.view: view.query for view in sql_files("bi")}, columns)


@cache
def view_columns() -> dict[str, dict[str, str]]:
    """View -> column -> description. Raises LookupError that names a column without one."""
    known = {
        name: {column: described.description or "" for column, described in table.columns.items()}
        for name, table in PUBLISHED_TABLES.items()
    }
    found: dict[str, dict[str, str]] = {}
    for view in view_files():
        found[view.view] = described(view, view_lineage()[view.view], known | found)
    return found


def described(
    view: SqlFile, lineage: Mapping[str, Iterable[Origin]], known: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Column -> description of one view, from its columns' origins. Raises LookupError as `view_columns`.

    known: table or view -> column -> description.
    """
    own = view.described
    if unknown := sorted(own.keys() - lineage.keys()):
        raise LookupError(
            f"sql/{view.folder}/{view.name}.sql describes {unknown[0]}, which is no column of the view"
        )
    return {
        column: own.get(column) or _of_origin(view, column, list(origins), known)
        for column, origins in lineage.items()
    }


def _of_origin(
    view: SqlFile, column: str, origins: list[Origin], known: Mapping[str, Mapping[str, str]]
) -> str:
    if len(origins) == 1:
        ((table, name),) = origins
        if text := known[table][name]:
            return text
    raise LookupError(
        f"sql/{view.folder}/{view.name}.sql: column {column} comes from {len(origins)} stored columns. Add a "
        f"comment line `-- column {column}: ...` that says what it means"
    )

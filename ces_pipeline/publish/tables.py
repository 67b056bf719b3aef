"""All tables of the published file. Checks at import that each derived table has a query in `sql/` and a schema."""

from ces_pipeline.schemas.snapshot import SNAPSHOT_TABLES
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.statistics import POST_PROCESSED_BY
from ces_pipeline.storage.sql_files import derived_files

PUBLISHED_TABLES: dict[str, Table] = {**TABLES, **SNAPSHOT_TABLES}
"""Full name -> schema of every table of the published file."""


def _check_parts() -> None:
    """Raises LookupError with the table's name for a query without a schema and for a mart without a query."""
    files = {file.table for file in derived_files()}
    for table in sorted(files - PUBLISHED_TABLES.keys()):
        layer, _, name = table.partition(".")
        raise LookupError(
            f"sql/{layer}/{name}.sql fills {table}, but {table} has no schema. Add a Table of that name in "
            f"ces_pipeline/schemas/{'mart/' if layer == 'mart' else ''}"
        )
    for table in sorted(name for name in PUBLISHED_TABLES if name.startswith("mart.") and name not in files):
        raise LookupError(
            f"{table} has a schema but no query. Add sql/mart/{table.partition('.')[2]}.sql, or remove its Table"
        )
    for table in sorted(POST_PROCESSED_BY.keys() - files):
        raise LookupError(
            f"statistics/__init__.py names a post-processor for {table}, but no file in sql/ fills that table. "
            f"Add the query, or remove the entry"
        )


_check_parts()

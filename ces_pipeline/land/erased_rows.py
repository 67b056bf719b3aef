"""Which raw rows hold a person: SQL over the keyed hashes of a row's fields and of its `extra` columns."""

import duckdb

from ces_pipeline.privacy.erased import Erased
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.storage.quote import quote_text

_HASH = "[0-9a-f]{64}"


def hashes_of(kind: str) -> str:
    """SQL for the keyed hashes of people in a raw row, in hex: those of its fields, and those in `extra`."""
    columns = [field.key_column for field in field_table(kind) if field.key_column]
    fields = ", ".join(f"lower(hex({column}))" for column in columns)
    others = f"coalesce(regexp_extract_all(extra, '{_HASH}'), [])"
    return f"list_concat([{fields}]::VARCHAR[], {others})"


def holds_any(kind: str, keys: list[str]) -> str:
    """SQL that is true for the raw rows that hold one of these keyed hashes (hex)."""
    columns = [field.key_column for field in field_table(kind) if field.key_column]
    listed = ", ".join(f"unhex({quote_text(key)})" for key in keys)
    inside = (f"coalesce(contains(extra, {quote_text(key)}), false)" for key in keys)
    return " OR ".join([*(f"coalesce({column} IN ({listed}), false)" for column in columns), *inside])


def are_erased(connection: duckdb.DuckDBPyConnection, erased: Erased, kind: str, rows: str) -> str | None:
    """SQL that is true for the raw rows of erased people; None if there are none.

    rows: SQL of the raw rows, all of this kind.
    """
    if not erased:
        return None
    found = connection.execute(f"SELECT DISTINCT unnest({hashes_of(kind)}) FROM {rows}").fetchall()
    keys = erased.keys_among([key for (key,) in found if key])
    return holds_any(kind, keys) if keys else None

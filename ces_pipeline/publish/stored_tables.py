"""Derived tables that a publish also writes to the lake, one Parquet file per day."""

from collections.abc import Iterator, Mapping
from datetime import date

import duckdb

from ces_pipeline.schemas.table import Table, split_by_day
from ces_pipeline.storage.duck import arrow_rows
from ces_pipeline.storage.lake import Lake

STORED_TABLES = ("core.tickets", "core.response_tickets")
_ROWS_AT_ONCE = 500_000


def store_days(connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, before: str | None) -> None:
    """Write the days of a derived table that differ from the published file `before`; delete days without rows."""
    columns = ", ".join(column for column in table.columns if column != "day")
    digest = f"SELECT day, count(*), sum(hash({columns})::HUGEINT) FROM {{}} GROUP BY day"
    now = {row[0]: row[1:] for row in connection.execute(digest.format(table.name)).fetchall()}
    was = {}
    if before:
        published = connection.execute(digest.format(f"{before}.{table.name}")).fetchall()
        was = {row[0]: row[1:] for row in published}
    for day in sorted(set(lake.days(table.name)) - now.keys()):
        lake.delete(lake.day_file(table.name, day))
    changed = [
        day
        for day in sorted(now)
        if now[day] != was.get(day) or not lake.exists(lake.day_file(table.name, day))
    ]
    query = f"""
        SELECT {", ".join(table.columns)} FROM {table.name} WHERE day IN (SELECT unnest($days))
        ORDER BY day, {", ".join(table.sort)}
    """
    for days in _in_parts(changed, {day: count for day, (count, _) in now.items()}):
        rows = arrow_rows(connection, query, table.arrow, {"days": days})
        lake.write_tables({lake.day_file(table.name, day): part for day, part in split_by_day(rows).items()})


def _in_parts(days: list[date], rows: Mapping[date, int]) -> Iterator[list[date]]:
    """The days in groups of at most _ROWS_AT_ONCE rows, or of one larger day."""
    part: list[date] = []
    for day in days:
        if part and sum(rows[earlier_day] for earlier_day in part) + rows[day] > _ROWS_AT_ONCE:
            yield part
            part = []
        part.append(day)
    if part:
        yield part

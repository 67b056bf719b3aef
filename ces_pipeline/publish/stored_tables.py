"""Derived tables that a publish also writes to the lake, one Parquet file per day.

A list of the written files, with their sizes and checksums, lies next to the days of each table: a file that was
damaged since is found and written again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import duckdb

from ces_pipeline.schemas.table import Table, split_by_day
from ces_pipeline.storage.duck import arrow_rows
from ces_pipeline.storage.lake import Lake

STORED_TABLES = ("core.tickets", "core.response_tickets")
_ROWS_AT_ONCE = 500_000


def store_days(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: Table,
    before: str | None,
    different: Sequence[date] | None,
) -> None:
    """Write the days of a derived table that differ from the published file `before`, or whose files are damaged.

    different: the days that differ from it; None if they are not known. Deletes days without rows.
    """
    counted = f"SELECT day, count(*) FROM {table.name} GROUP BY day"
    now: dict[date, int] = dict(connection.execute(counted).fetchall())
    if different is None:
        different = _different_days(connection, table, before)
    present = set(lake.days(table.name))
    for day in sorted(present - now.keys()):
        lake.delete(lake.day_file(table.name, day))
    wanted = {*different, *damaged_days(lake, table.name), *(now.keys() - present)}
    changed = sorted(wanted & now.keys())
    query = f"""
        SELECT {", ".join(table.columns)} FROM {table.name} WHERE day IN (SELECT unnest($days))
        ORDER BY day, {", ".join(table.sort)}
    """
    for days in _in_parts(changed, now):
        rows = arrow_rows(connection, query, table.arrow, {"days": days})
        lake.write_tables({lake.day_file(table.name, day): part for day, part in split_by_day(rows).items()})
    written = _written(lake, table.name)
    if changed or written.keys() != now.keys():
        kept = {day: written[day] for day in now if day in written and day not in changed}
        fresh = {day: _state(lake, lake.day_file(table.name, day)) for day in now if day not in kept}
        _save_written(lake, table.name, kept | fresh)


def _different_days(connection: duckdb.DuckDBPyConnection, table: Table, before: str | None) -> list[date]:
    """The days whose rows differ from those in the published file; all days without one."""
    columns = ", ".join(column for column in table.columns if column != "day")
    digest = f"SELECT day, count(*), sum(hash({columns})::HUGEINT) FROM {{}} GROUP BY day"
    now = connection.execute(digest.format(table.name)).fetchall()
    was = connection.execute(digest.format(f"{before}.{table.name}")).fetchall() if before else []
    return sorted({day for day, *_ in set(now) ^ set(was)})


def damaged_days(lake: Lake, name: str) -> set[date]:
    """The days of a table whose files are not as they were written.

    The bytes of a file are read only if it is newer than the list. Without a list (an earlier release wrote none) no
    day is known to be damaged.
    """
    written = _written(lake, name)
    files = {day: lake.day_file(name, day) for day in written}
    states = lake.states(name.replace(".", "/"), [*files.values(), _list_file(name)])
    listed = states.get(_list_file(name))

    def is_damaged(day: date, size: int, sha256: str) -> bool:
        state = states.get(files[day])
        if state is None or state.size != size:
            return True
        if state.changed_at is None or listed is None or listed.changed_at is None:
            return False
        return (
            state.changed_at > listed.changed_at
            and hashlib.sha256(lake.read_bytes(files[day])).hexdigest() != sha256
        )

    return {day for day, state in written.items() if is_damaged(day, *state)}


def _written(lake: Lake, name: str) -> dict[date, tuple[int, str]]:
    """Day -> size in bytes and SHA-256 of its file as it was written; empty if the list is missing or damaged."""
    try:
        saved = json.loads(lake.read_bytes(_list_file(name)))
        return {date.fromisoformat(day): (int(size), str(sha256)) for day, (size, sha256) in saved.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save_written(lake: Lake, name: str, written: Mapping[date, tuple[int, str]]) -> None:
    saved = {day.isoformat(): state for day, state in sorted(written.items())}
    lake.write_bytes(_list_file(name), json.dumps(saved).encode())


def _state(lake: Lake, path: str) -> tuple[int, str]:
    data = lake.read_bytes(path)
    return len(data), hashlib.sha256(data).hexdigest()


def _list_file(name: str) -> str:
    return f"{name.replace('.', '/')}/.files.json"


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

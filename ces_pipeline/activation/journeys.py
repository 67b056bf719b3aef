"""Reads the events of customers' journeys from the published file, month by month, and writes them to a file.

`sql/exports/journey_events.sql` defines the events. `send.py` sends them.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ces_pipeline.errors import RegistryError
from ces_pipeline.storage.local_files import sync_folder
from ces_pipeline.storage.sql_files import sql_files

_NO_PROPERTIES = frozenset(
    ("insert_id", "event", "person_key", "occurred_at", "content", "sent_person", "sent_at_ms")
)
_BOUNDS = """
    WITH moments AS (
        SELECT recorded_at AS moment FROM core.responses
        UNION ALL
        SELECT unnest([created_at, solved_at, closed_at]) AS moment FROM core.tickets
    )
    SELECT min(moment), max(moment) FROM moments
"""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def journey_query() -> str:
    """SQL that selects the events between $since and $until."""
    (file,) = (file for file in sql_files("exports") if file.name == "journey_events")
    return file.query


def months(connection: duckdb.DuckDBPyConnection, since: date | None) -> Iterator[dict[str, datetime]]:
    """`$since` and `$until` of each month with events, oldest first. Leaves out events before the day `since`."""
    [(first, last)] = connection.execute(_BOUNDS).fetchall()
    if first is None or last is None:
        return
    if since is not None:
        first = max(first, datetime.combine(since, time.min, UTC))
    while first <= last:
        until = (first.replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        yield {"since": first, "until": until}
        first = until


def properties_of(row: dict[str, Any]) -> dict[str, Any]:
    """The properties of an event: its columns that are not null."""
    return {name: value for name, value in row.items() if value is not None and name not in _NO_PROPERTIES}


def write_file(connection: duckdb.DuckDBPyConnection, path: Path, since: date | None) -> tuple[int, int]:
    """Write all events of known people to `path`, as Parquet or JSON Lines by its suffix. One rename replaces the file.

    Returns (events written, events skipped because their person is unknown). Raises RegistryError for another suffix,
    or if the file cannot be written.
    """
    if path.suffix not in (".parquet", ".jsonl"):
        raise RegistryError(f"{path}: the format is unknown. Name a file that ends in .parquet or .jsonl")
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    written = skipped = 0
    try:
        with temporary.open("wb") as stream:
            writer = None
            # If there are no events, write an empty file that only has the columns.
            for month in [*months(connection, since)] or [{"since": _NEVER, "until": _NEVER}]:
                table = connection.sql(journey_query(), params=month).to_arrow_table()
                known = table.filter(pc.is_valid(table["person_key"])).drop_columns("content")
                written, skipped = written + known.num_rows, skipped + table.num_rows - known.num_rows
                if path.suffix == ".parquet":
                    writer = writer or pq.ParquetWriter(stream, known.schema, compression="zstd")
                    writer.write_table(known)
                else:
                    stream.write("".join(map(_line, known.to_pylist())).encode())
            if writer is not None:
                writer.close()
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as problem:
        raise RegistryError(f"{path} cannot be written ({problem.strerror}). Name another file") from None
    finally:
        temporary.unlink(missing_ok=True)
    return written, skipped


def _line(row: dict[str, Any]) -> str:
    event = {
        "insert_id": row["insert_id"],
        "event": row["event"],
        "person_key": row["person_key"],
        "occurred_at": row["occurred_at"].isoformat(),
        "properties": properties_of(row),
    }
    return json.dumps(event, ensure_ascii=False) + "\n"

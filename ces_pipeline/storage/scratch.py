"""In-memory DuckDB for queries over frames, exports and day files.

Each process opens one database per memory limit and keeps it. To open a database takes longer than most queries, and
it releases the memory that the process keeps for its next batch.
"""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa

_SMALL = "250MB"


@cache
def _database(memory_limit: str, may_spill: bool) -> duckdb.DuckDBPyConnection:
    # DuckDB creates this folder when it spills, and deletes it when the database is closed.
    spill = f"{tempfile.gettempdir()}/ces-scratch-{os.getpid()}-{memory_limit}" if may_spill else ""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": memory_limit, "temp_directory": spill})
    # Set once for all connections: to set it for each takes longer than to open it.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


@atexit.register
def close_databases() -> None:
    """Release the memory of the databases. Connections in use stay usable; the next `scratch` opens a new database."""
    _database.cache_clear()


def use_one_thread() -> None:
    """From now on this process uses one core, because other workers use the other cores."""
    _database(_SMALL, True).execute("SET threads = 1")
    pa.set_cpu_count(1)


@contextmanager
def scratch(memory_limit: str = _SMALL, *, may_spill: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new connection to the in-memory database of this memory limit, in UTC. Its registered frames end with it.

    may_spill: whether DuckDB may write rows to the disk if memory is short. Set it to False for queries that read
    people before they are hashed. Create only temporary tables: connections share all other tables.
    """
    connection = _database(memory_limit, may_spill).cursor()
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()

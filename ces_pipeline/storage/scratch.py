"""In-memory DuckDB for queries over frames, exports and day files.

Each process opens one database per set of limits and keeps it. To open a database takes longer than most queries, and
it releases the memory that the process keeps for its next batch.
"""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb

from ces_pipeline.storage.machine import Machine, machine, within_memory


@cache
def _database(limits: Machine, memory_mb: int, may_spill: bool) -> duckdb.DuckDBPyConnection:
    # DuckDB creates this folder when it spills, and deletes it when the database is closed.
    spill = f"{tempfile.gettempdir()}/ces-scratch-{os.getpid()}-{memory_mb}MB" if may_spill else ""
    connection = duckdb.connect(config={**limits.duckdb_config(memory_mb), "temp_directory": spill})
    # Set once for all connections: to set it for each takes longer than to open it.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


@atexit.register
def close_databases() -> None:
    """Release the memory of the databases. Connections in use stay usable; the next `scratch` opens a new database."""
    _database.cache_clear()


@contextmanager
def scratch(memory_mb: int | None = None, *, may_spill: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new connection to the in-memory database of this memory limit, in UTC. Its registered frames end with it.

    memory_mb: the limit in MB; None: that of single queries. may_spill: whether DuckDB may write rows to the disk if
    memory is short. Set it to False for queries that read people before they are hashed. Create only temporary tables:
    connections share all other tables. Raises MemoryLimitError if a query needs more.
    """
    limits = machine()
    allowed = memory_mb or limits.query_mb
    with within_memory(allowed):
        connection = _database(limits, allowed, may_spill).cursor()
        try:
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()

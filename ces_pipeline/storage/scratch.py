"""In-memory DuckDB for queries over frames, exports and day files.

Opened once a process and size: to open one costs more than most of the queries, and hands back to the system all
memory that the process keeps for its next piece of work.
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
    # Made by DuckDB when it spills, and not before; gone when the database is closed.
    spill = f"{tempfile.gettempdir()}/ces-scratch-{os.getpid()}-{memory_limit}" if may_spill else ""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": memory_limit, "temp_directory": spill})
    # For all connections to it at once: to be told takes each longer than to be opened.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


@atexit.register
def close_databases() -> None:
    """Give back what the databases hold. Connections in use stay usable; the next `scratch` opens a new one."""
    _database.cache_clear()


def use_one_thread() -> None:
    """From now on this process works on one core, as one of several that have a core each."""
    _database(_SMALL, True).execute("SET threads = 1")
    pa.set_cpu_count(1)


@contextmanager
def scratch(memory_limit: str = _SMALL, *, may_spill: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own to the process's in-memory database of this size, in UTC; what it registers goes with it.

    may_spill: whether DuckDB may write to the disk what does not fit: never where it reads people in the clear.
    Tables made in it must be temporary: only those are the connection's own.
    """
    connection = _database(memory_limit, may_spill).cursor()
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()

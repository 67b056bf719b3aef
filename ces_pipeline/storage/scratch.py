"""In-memory DuckDB for queries over frames and day files.

Opened once a process, since opening costs more than most of the queries.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa


@cache
def _database() -> duckdb.DuckDBPyConnection:
    # Made by DuckDB when it spills, and not before.
    spill = f"{tempfile.gettempdir()}/ces-scratch-{os.getpid()}"
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "250MB", "temp_directory": spill})
    # For all connections to it at once: to be told takes each longer than to be opened.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    atexit.register(_close, spill)
    return connection


def _close(spill: str) -> None:
    _database().close()
    _database.cache_clear()
    shutil.rmtree(spill, ignore_errors=True)


def use_one_thread() -> None:
    """From now on this process works on one core, as one of several that have a core each."""
    _database().execute("SET threads = 1")
    pa.set_cpu_count(1)


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own to the process's in-memory database, in UTC; what it registers goes with it.

    Tables made in it must be temporary: only those are the connection's own.
    """
    connection = _database().cursor()
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()

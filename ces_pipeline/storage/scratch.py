"""In-memory DuckDB for queries over frames and day files.

Opened once a process, since opening costs more than most of the queries.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb


@cache
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "400MB"})
    atexit.register(_close)
    return connection


def _close() -> None:
    _database().close()
    _database.cache_clear()


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own to the process's in-memory database, in UTC; what it registers goes with it.

    Tables made in it must be temporary: only those are the connection's own.
    """
    connection = _database().cursor()
    try:
        connection.execute("SET TimeZone='UTC'; SET enable_progress_bar=false")
        yield connection
    finally:
        connection.close()

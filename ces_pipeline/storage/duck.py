"""DuckDB connections with limited memory and UTC, and rows between DuckDB, Arrow and the lake."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as pa_dataset

from ces_pipeline.errors import CesError
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.machine import machine, within_memory
from ces_pipeline.storage.quote import quote_text

_OPENINGS = 5


@contextmanager
def session(work: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection with limited memory and UTC. It spills to `work`; None: it does not spill.

    Raises MemoryLimitError if a query needs more memory.
    """
    limits = machine()
    spill = str(work / "spill") if work else ""
    with within_memory(limits.session_mb):
        connection = duckdb.connect(
            config={**limits.duckdb_config(limits.session_mb), "temp_directory": spill}
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            # Keys identify rows, not their order. With insertion order, a large insert uses one core only.
            connection.execute("SET preserve_insertion_order = false")
            yield connection
        finally:
            connection.close()


@contextmanager
def open_published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file as it is now. Raises CesError if it cannot be opened."""
    with session(None) as connection:
        try:
            attach_published(connection, path)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as problem:
            raise CesError(
                f"{path} cannot be opened ({type(problem).__name__}): `ces run` rebuilds it from the lake"
            ) from problem
        yield connection


def attach_published(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Open the published file read-only as the default catalog `ces`.

    DuckDB 2 opens the path several times, so a publish in between can give it the start of one file and the rest of
    another. Where the file was replaced meanwhile, it is opened again.
    """
    for attempt in range(1, _OPENINGS + 1):
        before = _identity(path)
        try:
            connection.execute(f"ATTACH {quote_text(str(path))} AS ces (READ_ONLY)")
        except duckdb.Error:
            if _identity(path) == before or attempt == _OPENINGS:
                raise
        else:
            if _identity(path) == before or attempt == _OPENINGS:
                break
            connection.execute("DETACH ces")
    connection.execute("USE ces")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file the path names now; None if it names none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


@contextmanager
def readable(connection: duckdb.DuckDBPyConnection, lake: Lake, paths: list[str]) -> Iterator[str]:
    """SQL that reads the files `paths` of the lake, in that order. DuckDB reads local files directly."""
    if lake.local is not None:
        listed = ", ".join(quote_text(str(lake.local / path)) for path in paths)
        yield f"read_parquet([{listed}], hive_partitioning = false)"
        return
    connection.register("incoming", pa_dataset.dataset(paths, filesystem=lake.files, format="parquet"))
    yield "incoming"
    connection.unregister("incoming")


def arrow_rows(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, values: Mapping[str, object]
) -> pa.Table:
    """The rows of a query as an Arrow table with exactly `schema`."""
    return connection.sql(query, params=dict(values)).to_arrow_table().cast(schema)


def count_rows(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Number of rows of a table or view."""
    # `fetchone` would leave the result open, and DuckDB 2 refuses a relation or a registration while one is.
    [(count,)] = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    return int(count)

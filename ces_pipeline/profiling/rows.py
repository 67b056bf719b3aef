"""The rows of an export as a DuckDB table, for counts. It does not know what the columns mean."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export
from ces_pipeline.formats.times import DateOrder, read_time
from ces_pipeline.storage.machine import machine, within_memory

SAMPLE_ROWS = 5_000


@contextmanager
def loaded(export: Export, time_zone: str) -> Iterator["Rows"]:
    """The rows of an export in a separate DuckDB, which spills large exports to disk."""
    folder = tempfile.mkdtemp(prefix="ces-inspect-")
    try:
        allowed = machine().session_mb
        limits = machine().duckdb_config(allowed)
        with (
            within_memory(allowed),
            duckdb.connect(
                config={**limits, "temp_directory": folder, "preserve_insertion_order": True}
            ) as connection,
        ):
            try:
                connection.execute("SET TimeZone = ?", [time_zone])
            except duckdb.Error:
                raise RegistryError(
                    f"--time-zone: {time_zone!r} is not an IANA time zone (such as Europe/London or UTC)"
                ) from None
            yield Rows(connection, export)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Rows:
    """The rows of an export as a table `export` of text columns c0, c1 ... (DuckDB ignores case in names)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, export: Export):
        self._connection = connection
        self.columns = export.columns
        self._sql = {name: f"c{place}" for place, name in enumerate(export.columns)}
        names = [*self._sql.values(), ROW_NUMBER]
        schema = pa.schema(
            [*(pa.field(name, pa.string()) for name in names[:-1]), pa.field(ROW_NUMBER, pa.int64())]
        )
        batches = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in export.batches)
        failures: list[UnreadableFileError] = []
        reader = pa.RecordBatchReader.from_batches(schema, _keeping_failure(batches, failures))
        connection.register("delivered", reader)
        try:
            connection.execute("CREATE TEMP TABLE export AS SELECT * FROM delivered")
        except duckdb.Error:
            if failures:
                raise failures[0] from None
            raise
        connection.unregister("delivered")

    def sql(self, column: str) -> str:
        return self._sql[column]

    def scalar(self, expression: str, where: str = "true") -> Any:
        found = self._connection.execute(f"SELECT {expression} FROM export WHERE {where}").fetchall()
        return found[0][0]

    def count(self, where: str) -> int:
        return int(self.scalar("count(*)", where))

    def row(self, expressions: list[str], where: str = "true") -> tuple[Any, ...]:
        if not expressions:
            return ()
        query = f"SELECT {', '.join(expressions)} FROM export WHERE {where}"
        return self._connection.execute(query).fetchall()[0]

    def sample(self) -> dict[str, list[str]]:
        """Column -> the filled cells of the first rows."""
        query = f"SELECT * FROM export ORDER BY {ROW_NUMBER} LIMIT {SAMPLE_ROWS}"
        table = self._connection.sql(query).to_arrow_table()
        return {name: table.column(sql).drop_null().to_pylist() for name, sql in self._sql.items()}

    def values(self, column: str) -> dict[str, int]:
        """Cell -> its count, for the 1,000 most frequent cells."""
        sql = self.sql(column)
        found = self._connection.execute(
            f"SELECT {sql}, count(*) FROM export WHERE {sql} IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000"
        ).fetchall()
        return dict(found)

    def shared(self, columns: list[str]) -> int:
        """Rows whose `columns` are filled and equal those of another row; every row of a group counts."""
        names = ", ".join(map(self.sql, columns))
        filled = " AND ".join(f"{self.sql(column)} IS NOT NULL" for column in columns)
        return self._members(names, filled)

    def same_answers(self, device: str, answers: list[str]) -> int:
        """Rows with at least one answer whose answers all equal those of another row of the same device."""
        names = [self.sql(column) for column in answers]
        return self._members(
            f"{self.sql(device)}, hash({', '.join(names)})",
            f"{self.sql(device)} IS NOT NULL AND coalesce({', '.join(names)}, NULL) IS NOT NULL",
        )

    def repeated_rows(self) -> int:
        """Rows that equal an earlier row in every cell."""
        if not self._sql:
            return 0
        return int(self.scalar(f"count(*) - count(DISTINCT hash({', '.join(self._sql.values())}))"))

    def _members(self, key: str, where: str) -> int:
        found = self._connection.execute(
            f"SELECT coalesce(sum(n), 0) FROM "
            f"(SELECT count(*) AS n FROM export WHERE {where} GROUP BY {key} HAVING n > 1)"
        ).fetchall()
        return int(found[0][0])

    def time(self, column: str, formats: tuple[str, ...], order: DateOrder | None) -> str:
        """SQL for the time in a column, as landing reads it."""
        return read_time(self.sql(column), formats, order)

    def times(self, column: str, time: str, expressions: list[str]) -> tuple[Any, ...]:
        """Aggregates of a column of times. In them `cell` is the text and `moment` the time, read once."""
        return self._connection.execute(
            f"SELECT {', '.join(expressions)} FROM (SELECT {self.sql(column)} AS cell, {time} AS moment FROM export)"
        ).fetchall()[0]


def _keeping_failure(
    batches: Iterator[pa.RecordBatch], failures: list[UnreadableFileError]
) -> Iterator[pa.RecordBatch]:
    """The batches. An error of the reader is kept in `failures`, because DuckDB passes on only its text."""
    try:
        yield from batches
    except UnreadableFileError as problem:
        failures.append(problem)
        raise

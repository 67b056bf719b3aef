"""The state of the handlers between events: a small interface, and an SQLite store for a machine with a disk.

A cloud table can implement the interface: with DynamoDB's `PutItem` with `attribute_not_exists(#partition)` and
`Query` with `ConsistentRead`, or with Azure Tables' `create_entity` (409 if it exists) and `query_entities` on the
PartitionKey. Rows of `contact/` partitions may expire after the contact window, except the last row of a partition.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from ces_pipeline.errors import CesError

_WAIT_SECONDS = 30.0


class StoreError(CesError):
    """The store is not usable now. The event should be delivered again."""


class Store(Protocol):
    """Texts by partition and row. Each is written once. Every call is atomic and sees all calls that ended before it.

    May raise StoreError.
    """

    def put_if_absent(self, partition: str, row: str, text: str) -> bool:
        """Store the text. Returns False, and changes nothing, if the row exists."""

    def rows(self, partition: str) -> dict[str, str]:
        """Row -> text of a partition, in the order of the row names."""

    def get(self, partition: str, row: str) -> str | None:
        """The text of a row; None if the row does not exist."""

    def delete(self, partition: str) -> None:
        """Remove a partition with all of its rows, so that nothing of them is left on the disk."""


class SqliteStore:
    """A store in a single file (0600), for any number of threads and processes."""

    def __init__(self, path: Path):
        self._path = path
        with self._open() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS kept (partition TEXT, row TEXT, text TEXT NOT NULL, "
                "PRIMARY KEY (partition, row)) WITHOUT ROWID"
            )

    def put_if_absent(self, partition: str, row: str, text: str) -> bool:
        with self._open() as connection:
            put = connection.execute(
                "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (partition, row, text)
            )
            return put.rowcount == 1

    def rows(self, partition: str) -> dict[str, str]:
        with self._open() as connection:
            found = connection.execute(
                "SELECT row, text FROM kept WHERE partition = ? ORDER BY row", (partition,)
            )
            return dict(found.fetchall())

    def get(self, partition: str, row: str) -> str | None:
        with self._open() as connection:
            found = connection.execute(
                "SELECT text FROM kept WHERE partition = ? AND row = ?", (partition, row)
            ).fetchone()
            return found[0] if found else None

    def delete(self, partition: str) -> None:
        with self._open() as connection:
            # Deleted rows are overwritten, not only marked as free.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("DELETE FROM kept WHERE partition = ?", (partition,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            with closing(sqlite3.connect(self._path, timeout=_WAIT_SECONDS)) as connection:
                # Decisions must survive a power cut.
                connection.execute("PRAGMA synchronous = FULL")
                with connection:
                    yield connection
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(
                f"{self._path.name} cannot be used ({type(problem).__name__}). Correct its permissions or free space"
            ) from None

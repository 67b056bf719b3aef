"""What the event log overrides in Dagster's class: how it connects to its SQLite files.

What Dagster does not promise to keep is imported at the top, so that with a Dagster without it this import fails.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, QueuePool, event

_HELD_OPEN = 8
"""Files held open at once: the index and the runs asked for last. A run has a file of its own."""


class HeldOpenFiles(SqliteEventLogStorage):
    """Dagster's event log with one open connection for each of the files used last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        # One connection a file, and one user of all at a time: the lock is what Dagster's class holds here too.
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            event.listen(engine, "connect", _without_waiting)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        while len(self._engines) > _HELD_OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _without_waiting(connection: Any, _record: object) -> None:
    """Commits reach the disk when the system writes them, in order."""
    connection.execute("PRAGMA synchronous = NORMAL")

"""The event log's own way to connect to its SQLite files, as an override of Dagster's class.

Private members of Dagster are imported at the top, so that this import fails if a Dagster version lacks them.
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
"""Most files kept open: the index and the runs used last. Each run has its own file."""


class HeldOpenFiles(SqliteEventLogStorage):
    """Dagster's event log, with one open connection for each of the files used last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        # One connection per file, and one user at a time: Dagster's class holds the same lock here.
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
    """Do not wait for the disk at a commit; the system writes commits later, in order."""
    connection.execute("PRAGMA synchronous = NORMAL")

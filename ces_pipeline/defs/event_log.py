"""Dagster's own SQLite event log, with its database files held open between events.

Dagster opens a file anew for each of the five or so statements of an event and waits for the disk at each, which is
most of what an event costs, and a run of this project has hundreds of events for a few seconds of work. What is stored,
and where, is unchanged: an installation can name Dagster's class instead at any time. After a power cut the last events
of a run may be missing, never the file, which is written ahead; no landed, cleaned or published row hangs on them.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, QueuePool, event

_HELD_OPEN = 8
"""Files held open at once: the index and the runs last asked for. A run has a file of its own."""


class HeldOpenEventLog(SqliteEventLogStorage):
    """The event log in `history/runs` of a Dagster home, where Dagster itself would keep it."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {"dagster_home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(Path(config_value["dagster_home"], "history", "runs")), inst_data)

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

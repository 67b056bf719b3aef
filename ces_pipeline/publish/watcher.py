"""What a publish asks of the watch, which stands above it: the events of its figures, and the incidents of a log.

The names and the rows of the log are here as well: events that a publish logs follow from its other inputs, so they are
no reason to publish again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.publish.checks import CheckResult
from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.incidents import INCIDENT_EVENTS, INCIDENTS
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows, without_repeats
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.sql_files import SqlFile, derived_files

WATCHED = (INCIDENT_EVENTS.name, INCIDENTS.name)
"""The tables that a publish fills after the figures that they are about."""
_PUBLISH = "publish"


class Watcher(Protocol):
    """Finds incidents in the tables that a publish has filled."""

    def new_events(
        self,
        connection: duckdb.DuckDBPyConnection,
        checks: Sequence[CheckResult],
        logged: pa.Table,
        *,
        run_id: str,
        now: datetime,
    ) -> pa.Table:
        """The rows that `audit.incident_events` gets in addition to those that are `logged`."""

    def incidents(self, logged: pa.Table) -> pa.Table:
        """The rows of `audit.incidents` that follow from a log."""


def log_events(lake: Lake, events: pa.Table, now: datetime) -> None:
    """Add the events of a publish to the log in the lake."""
    add_rows(lake, INCIDENT_EVENTS, ALL_SOURCES, now, events.to_pylist())


def events_of_publish(lake: Lake, run_id: str) -> pa.Table:
    """The events that the publish of a run logged."""
    rows = stored_rows(lake, INCIDENT_EVENTS)
    return rows.filter(pc.and_(_is_by_publish(rows), pc.fill_null(pc.equal(rows["run_id"], run_id), False)))


def with_events(logged: pa.Table, events: pa.Table) -> pa.Table:
    """The log with further events; one that it has already counts once."""
    return without_repeats(pa.concat_tables([logged, events]), INCIDENT_EVENTS.key)


def events_of_others(logged: pa.Table) -> int:
    """The number of events that no publish logged: of runs, and of people."""
    return int(logged.num_rows - (pc.sum(_is_by_publish(logged)).as_py() or 0))


def _is_by_publish(rows: pa.Table) -> pa.ChunkedArray:
    return pc.equal(rows["logged_by"], _PUBLISH)


def followers(of: Iterable[str] = WATCHED) -> list[SqlFile]:
    """The derived tables that read these tables, directly or through others, in the order of filling."""
    changed, found = set(of), []
    for file in derived_files():
        if file.reads & changed:
            changed.add(file.table)
            found.append(file)
    return found

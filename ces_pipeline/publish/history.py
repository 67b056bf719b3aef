"""History that the lake lost: rows of damaged or deleted log files, taken back from the published file.

The published file holds every log completely, so a log file of the lake that is damaged or gone costs no history unless
both are lost. Logs only grow; a key that the published file has and the lake lacks was lost, not removed on purpose.
Not here: `audit.delivery_columns`, which landing makes anew from the landed rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.publish.inputs import row_files
from ces_pipeline.publish.run_files import PER_RUN
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import arrow_rows, attach_published, session
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows, month_of, set_aside_damaged, without_repeats
from ces_pipeline.storage.lake import Lake

_JOURNALS = {
    "audit.requests": "requested_at",
    "audit.pulls": "started_at",
    "audit.pull_windows": "asked_at",
    "audit.corrections": "made_at",
    "audit.incident_events": "logged_at",
    "audit.alert_deliveries": "created_at",
    "audit.probes": "probed_at",
    "audit.audits": "audited_at",
    "audit.audit_findings": "audited_at",
    "audit.schema_changes": "received_at",
    "audit.figure_history": "published_at",
}
"""Table with a file per source and month -> the column that names the month."""


def restore_history(lake: Lake, published: Path | None, run_file: Callable[[str, str], str]) -> Iterator[str]:
    """Set damaged log files aside and store the rows again that only the published file has; yields a line for each.

    published: None if there is none, or if it is damaged. run_file: path of a run's rows of a table.
    """
    for name in (*_JOURNALS, *PER_RUN):
        table = TABLES[name]
        rows, damaged = lake.read_tables(row_files(lake, table), table.arrow)
        for path in damaged:
            aside = _set_aside(lake, table, path)
            then = "" if published else ". There is no published file to take its rows from: they are lost"
            yield f"lake/{path}: damaged, so it was set aside as {aside.rpartition('/')[2]}{then}"
        lost = _lost_rows(rows, table, published)
        if not lost.num_rows:
            continue
        if name in _JOURNALS:
            _add_to_journal(lake, table, lost)
        else:
            _add_to_runs(lake, table, lost, run_file)
        yield f"{name}: {lost.num_rows:,} rows were missing in the lake and were taken from the published file"


def _set_aside(lake: Lake, table: Table, path: str) -> str:
    return set_aside_damaged(lake, table, path) if table.name in _JOURNALS else lake.set_aside(path)


def _lost_rows(kept: pa.Table, table: Table, published: Path | None) -> pa.Table:
    """The published rows whose keys the lake's rows `kept` lack."""
    if published is None:
        return table.arrow.empty_table()
    key, columns = ", ".join(table.key), ", ".join(table.columns)
    with session(None) as connection:
        connection.register("kept", kept.select(list(table.key)))
        attach_published(connection, published)
        try:
            return arrow_rows(
                connection,
                f"SELECT {columns} FROM {table.name} ANTI JOIN kept USING ({key})",
                table.arrow,
                {},
            )
        except (duckdb.BinderException, duckdb.CatalogException):
            # An earlier release published other columns of it.
            return table.arrow.empty_table()


def _add_to_journal(lake: Lake, table: Table, rows: pa.Table) -> None:
    months: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    at: dict[tuple[str, str], datetime] = {}
    for row in rows.to_pylist():
        place = (row.get("source_id") or ALL_SOURCES, month_of(row[_JOURNALS[table.name]]))
        months[place].append(row)
        at[place] = row[_JOURNALS[table.name]]
    for place, lost in months.items():
        add_rows(lake, table, place[0], at[place], lost)


def _add_to_runs(lake: Lake, table: Table, rows: pa.Table, run_file: Callable[[str, str], str]) -> None:
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.to_pylist():
        runs[run_file(table.name, row["run_id"])].append(row)
    for path, lost in runs.items():
        kept, _ = lake.read_tables([path] if lake.exists(path) else [], table.arrow)
        added = pa.Table.from_pylist(lost, schema=table.arrow)
        lake.write_table(path, without_repeats(pa.concat_tables([kept, added]), table.key))

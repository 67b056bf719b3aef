"""Fingerprints of the published file and of its derived tables: of rows, registry and code.

A table is stale if its fingerprint differs from the one it was filled from; the same holds for the file. Comments in
SQL and Python do not count.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.code_fingerprint import PLUMBING, code_fingerprint
from ces_pipeline.publish.inputs import DAY_TABLES, DayFile, FileMarker, PublishInputs
from ces_pipeline.publish.layout import STORAGE_VERSION, packing
from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.publish.rules import rules
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.publish.watcher import events_of_others
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.audit import LOAD_AUDIT
from ces_pipeline.schemas.incidents import ALERT_DELIVERIES, INCIDENT_EVENTS
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.vocabularies import EVENT_KINDS
from ces_pipeline.statistics import POST_PROCESSED_BY
from ces_pipeline.storage.sql_files import SqlFile, derived_files, sql_files, view_files

_PUBLISH = ("ces_pipeline.publish.derived", "ces_pipeline.publish.step", "ces_pipeline.watch.figures")
_NOT_OF_EVERY_TABLE = (*PLUMBING, "ces_pipeline.land", "ces_pipeline.statistics")


@cache
def code_version(file: SqlFile) -> str:
    """Short fingerprint of a derived table's code: its query, macros, post-processor, columns and rule."""
    function = POST_PROCESSED_BY.get(file.table)
    parts = [
        file.code,
        [macro.code for macro in file.macros],
        code_fingerprint([function.partition(":")[0]]) if function else None,
        code_fingerprint(["ces_pipeline.publish.derived"], without=_NOT_OF_EVERY_TABLE) if function else None,
        PUBLISHED_TABLES[file.table].shape,
        rule.code if (rule := rules().get(file.table)) else None,
    ]
    return _digest(parts)[:12]


@dataclass(frozen=True)
class TableFingerprint:
    """Fingerprint of everything that a derived table is filled from, and of its code and small inputs only.

    While `code_and_registry` is the same, the rows of a table can only change where rows of other tables changed.
    """

    inputs: str
    code_and_registry: str


def table_fingerprints(
    day_files: Mapping[DayFile, FileMarker], small: Mapping[str, pa.Table]
) -> dict[str, TableFingerprint]:
    """Derived table -> fingerprint of its code and of the contents of the tables that it reads.

    small: full name -> rows of each table that is neither a day table nor derived.
    """
    days = {name: _digest(found) for name, found in _days_by_table(day_files).items()}
    columns = {
        name: {column: _rows_digest(rows.select([column])) for column in rows.column_names}
        for name, rows in small.items()
    }
    found: dict[str, TableFingerprint] = {}
    for file in derived_files():
        large: dict[str, str] = {}
        known: dict[str, object] = {}
        for name in sorted(file.reads):
            if name in columns:
                wanted = _columns_used(file, name)
                used = {key: value for key, value in columns[name].items() if wanted is None or key in wanted}
                known[name] = [small[name].num_rows, used]
            else:
                large[name] = found[name].inputs if name in found else days[name]
        code = code_version(file)
        found[file.table] = TableFingerprint(_digest([code, known, large]), _digest([code, known]))
    return found


@cache
def _columns_used(file: SqlFile, name: str) -> frozenset[str] | None:
    """The words of the query, with all columns that it uses; None if it may use all columns of table `name`."""
    text = " ".join([file.code, *(macro.code for macro in file.macros)])
    stars = set(re.findall(r"\b(\w+)\.\*", text))
    aliases = {name.partition(".")[2], *re.findall(rf"\b{re.escape(name)}\s+(?:as\s+)?(\w+)", text)}
    if stars & aliases or re.search(r"(?:\bselect|,)\s*\*", text, re.IGNORECASE):
        return None
    return frozenset(re.findall(r"\w+", text))


def state_fingerprint(registry: Registry, state: PublishInputs) -> str:
    """Fingerprint of everything that the published file depends on."""
    days = list(_days_by_table(state.day_files).values())
    small = {
        name: _rows_digest(rows)
        for name, rows in (
            *reference_tables(registry).items(),
            # Its rows may come in any order.
            ("audit.load_audit", _sorted_by_key(state.load_audit, LOAD_AUDIT)),
            ("audit.deliveries", state.deliveries),
            ("audit.delivery_days", state.delivery_days),
        )
    }
    # Logs only grow, so a new row always changes their number of rows; a message also changes its status.
    logs: dict[str, object] = {name: rows.num_rows for name, rows in state.logs.items()}
    logs[INCIDENT_EVENTS.name] = events_of_others(state.logs[INCIDENT_EVENTS.name])
    messages = state.logs[ALERT_DELIVERIES.name]
    # Those that tell of a publish are no reason for another one.
    messages = messages.filter(pc.invert(pc.is_in(messages["kind"], pa.array(EVENT_KINDS))))
    logs[ALERT_DELIVERIES.name] = _rows_digest(_sorted_by_key(messages, ALERT_DELIVERIES))
    return _digest([layout_fingerprint(), publish_code(), days, small, state.pending, logs, state.erased])


@cache
def publish_code() -> str:
    """Fingerprint of the code of publishing, of every derived table and of the checks."""
    tables = {file.table: code_version(file) for file in derived_files()}
    checks = {file.name: file.text for file in sql_files("checks")}
    return _digest([code_fingerprint(_PUBLISH, without=_NOT_OF_EVERY_TABLE), tables, checks])


@cache
def layout_fingerprint() -> str:
    """Fingerprint of tables, columns, comments and views; a change rebuilds the published file."""
    tables = {
        table.name: [
            table.grain,
            [(field.name, str(field.type), packing(table, field)) for field in table.arrow],
            [column.description for column in table.columns.values()],
        ]
        for table in PUBLISHED_TABLES.values()
    }
    views = [(view.view, view.text) for view in view_files()]
    views += [(file.table, file.code) for file in derived_files() if PUBLISHED_TABLES[file.table].is_view]
    return _digest([STORAGE_VERSION, tables, views])


def _days_by_table(day_files: Mapping[DayFile, FileMarker]) -> dict[str, list[list[str]]]:
    """Each of DAY_TABLES -> day and SHA-256 of its day files, ascending."""
    found: dict[str, list[list[str]]] = {name: [] for name in DAY_TABLES}
    for (table, day), marker in day_files.items():
        found[table].append([str(day), marker.sha256])
    return {name: sorted(days) for name, days in found.items()}


def _sorted_by_key(rows: pa.Table, table: Table) -> pa.Table:
    return rows.sort_by([(column, "ascending") for column in table.key])


def _rows_digest(rows: pa.Table) -> str:
    """Fingerprint of a table's rows, in their order."""
    sink = pa.BufferOutputStream()
    compact = rows.combine_chunks().replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, compact.schema) as stream:
        stream.write_table(compact)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

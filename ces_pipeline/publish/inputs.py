"""The inputs of a publish, read from the lake: day files by their commit markers, ledger, logs, pending days.

Reads only; `step.py` publishes them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs

from ces_pipeline.land.ledger import Ledger
from ces_pipeline.privacy.erased import erased_fingerprint
from ces_pipeline.schemas.audit import COMMIT_MARKERS, LOAD_AUDIT
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.day_rows import read_day_rows
from ces_pipeline.storage.journal import is_data_file, without_repeats
from ces_pipeline.storage.lake import Lake

DAY_TABLES = tuple(name for kind in KINDS.values() for name in kind.tables)
"""Tables that are published from the lake's day files."""

LOGS = (
    "audit.requests",
    "audit.pulls",
    "audit.pull_windows",
    "audit.delivery_columns",
    "audit.schema_changes",
    "audit.corrections",
    "audit.audits",
    "audit.audit_findings",
    "audit.verdict_changes",
    "audit.incident_events",
    "audit.alert_deliveries",
    "audit.probes",
)
"""Tables that are published from small lake files as they are."""

DayFile = tuple[str, date]
"""Table name and day."""


@dataclass(frozen=True)
class FileMarker:
    """Path, size in bytes and SHA-256 of a day file, from its day's commit marker."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PublishInputs:
    """The inputs of a publish.

    pending: (kind, day) of stale days; their rows need not reconcile yet. erased: fingerprint of the list of erased
    people. logs: the tables of LOGS by name; they only
    grow.
    """

    load_audit: pa.Table
    deliveries: pa.Table
    delivery_days: pa.Table
    pending: tuple[tuple[str, date], ...]
    logs: Mapping[str, pa.Table] = field(
        default_factory=lambda: {name: TABLES[name].arrow.empty_table() for name in LOGS}
    )
    erased: str = ""

    @cached_property
    def day_files(self) -> dict[DayFile, FileMarker]:
        """The day files that the current commit markers name."""
        found: dict[DayFile, FileMarker] = {}
        columns = self.load_audit.select(["day", "outputs", "is_current"]).to_pydict()
        for day, outputs, is_current in zip(*columns.values(), strict=True):
            if is_current:
                for table, output in json.loads(outputs).items():
                    if table in DAY_TABLES:
                        found[table, day] = FileMarker(output["path"], output["size"], output["sha256"])
        return found


def publish_inputs(
    lake: Lake, pending: Iterable[tuple[str, date]], today_began_at: datetime
) -> PublishInputs:
    """Read the inputs from the lake. pending: (kind, day) of stale days.

    today_began_at: probes since then are left out. They are published once the day is over, because a publish for each
    of them would be one an hour.
    """
    load_audit, ledger = read_load_audit(lake), Ledger.read(lake)
    logs = {name: stored_rows(lake, TABLES[name]) for name in LOGS}
    probes = logs["audit.probes"]
    logs["audit.probes"] = probes.filter(pc.less(probes["probed_at"], pa.scalar(today_began_at)))
    return PublishInputs(
        load_audit,
        ledger.deliveries_table,
        ledger.days_table,
        tuple(sorted(pending)),
        logs,
        erased_fingerprint(lake),
    )


def read_load_audit(lake: Lake) -> pa.Table:
    """Every cleaning of every day, as `audit.load_audit`, without the rows of damaged commit markers."""
    kinds = sorted(name for name in lake.names(COMMIT_MARKERS) if name.startswith("kind="))
    rows = [read_day_rows(lake, f"{COMMIT_MARKERS}/{kind}", LOAD_AUDIT.arrow).rows for kind in kinds]
    return without_repeats(pa.concat_tables([LOAD_AUDIT.arrow.empty_table(), *rows]), LOAD_AUDIT.key)


def disagreeing(lake: Lake, markers: Mapping[DayFile, FileMarker]) -> list[DayFile]:
    """The day files that are missing or differ from their commit markers."""

    def differs(marker: FileMarker) -> bool:
        if lake.size(marker.path) != marker.size:
            return True
        return hashlib.sha256(lake.read_bytes(marker.path)).hexdigest() != marker.sha256

    with ThreadPoolExecutor() as pool:
        wrong = pool.map(differs, markers.values())
        return sorted(key for key, is_wrong in zip(markers, wrong, strict=True) if is_wrong)


def stored_rows(lake: Lake, table: Table) -> pa.Table:
    """All rows of a table that is stored as many small files.

    Each key once: of rows with equal keys, the last counts. The rows of damaged files are missing: `history.py`
    restores them, and a damaged commit marker makes its day stale.
    """
    rows, _ = lake.read_tables(row_files(lake, table), table.arrow)
    return without_repeats(rows, table.key)


def row_files(lake: Lake, table: Table) -> list[str]:
    """The files of a table that is stored as many small files."""
    return sorted(
        info.path
        for info in lake.list(table.name.replace(".", "/"), recursive=True)
        if info.type == pa_fs.FileType.File and is_data_file(info.base_name)
    )

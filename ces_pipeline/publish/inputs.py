"""What the lake holds to be published: the day files by their commit marks, the ledger, the waiting days.

Read-only; what is made of it is in `warehouse.py`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.dataset as pa_dataset
import pyarrow.fs as pa_fs

from ces_pipeline.land import ledger
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.lake import Lake

DAY_TABLES = tuple(name for kind in KINDS.values() for name in kind.tables)
"""Tables that are published from the lake's day files."""

LOGS = ("audit.requests", "audit.pulls", "audit.pull_windows", "audit.delivery_columns")
"""Tables that are published from small files of the lake, each written once."""

DayFile = tuple[str, date]
"""Table name and day."""


@dataclass(frozen=True)
class FileMarker:
    """Path, size and SHA-256 of a day file, as its day's commit mark tells them."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PublishInputs:
    """What the lake holds to be published, by its commit marks.

    pending: (kind, day) that wait to be cleaned; their books need not balance yet.
    logs: the tables of LOGS by name: rows of them are only ever added.
    """

    load_audit: pa.Table
    deliveries: pa.Table
    delivery_days: pa.Table
    pending: tuple[tuple[str, date], ...]
    logs: Mapping[str, pa.Table] = field(
        default_factory=lambda: {name: TABLES[name].arrow.empty_table() for name in LOGS}
    )

    @cached_property
    def day_files(self) -> dict[DayFile, FileMarker]:
        """The day files that the current commit marks name."""
        found: dict[DayFile, FileMarker] = {}
        columns = self.load_audit.select(["day", "outputs", "is_current"]).to_pydict()
        for day, outputs, is_current in zip(*columns.values(), strict=True):
            if is_current:
                for table, mark in json.loads(outputs).items():
                    if table in DAY_TABLES:
                        found[table, day] = FileMarker(mark["path"], mark["size"], mark["sha256"])
        return found


def publish_inputs(lake: Lake, pending: Iterable[tuple[str, date]]) -> PublishInputs:
    """What the lake holds now. pending: (kind, day) that are stale."""
    return PublishInputs(
        read_load_audit(lake),
        ledger.deliveries(lake),
        ledger.delivery_days(lake),
        tuple(sorted(pending)),
        {name: stored_rows(lake, TABLES[name]) for name in LOGS},
    )


def read_load_audit(lake: Lake) -> pa.Table:
    """Every cleaning of every day, as `audit.load_audit`."""
    return stored_rows(lake, TABLES["audit.load_audit"])


def disagreeing(lake: Lake, marks: Mapping[DayFile, FileMarker]) -> list[DayFile]:
    """The day files that are missing or not those that their marks tell of."""

    def differs(mark: FileMarker) -> bool:
        if lake.size(mark.path) != mark.size:
            return True
        return hashlib.sha256(lake.read_bytes(mark.path)).hexdigest() != mark.sha256

    with ThreadPoolExecutor() as pool:
        wrong = pool.map(differs, marks.values())
        return sorted(key for key, is_wrong in zip(marks, wrong, strict=True) if is_wrong)


def stored_rows(lake: Lake, table: Table, without: str | None = None) -> pa.Table:
    """All rows of a table that is stored as many small files, but for one of them."""
    paths = sorted(
        info.path
        for info in lake.list(table.name.replace(".", "/"), recursive=True)
        if info.type == pa_fs.FileType.File
        and info.base_name.endswith(".parquet")
        and not info.base_name.startswith(".")
        and info.path != without
    )
    if not paths:
        return table.arrow.empty_table()
    found = pa_dataset.dataset(paths, filesystem=lake.files, format="parquet", schema=table.arrow)
    return found.to_table().cast(table.arrow)

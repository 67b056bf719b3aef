"""The delivery ledger: one small JSON file per delivery, with its time of receipt and its row counts by day.

A delivery's ledger entry is written last and is its commit marker: later steps ignore raw files and key files without
an entry. Nothing here reads exports or judges rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs

from ces_pipeline.formats.times import DateOrder
from ces_pipeline.land.paths import CROSS_DAY_SUFFIX, cross_day_file, index_file, raw_file
from ces_pipeline.schemas.audit import DELIVERIES, DELIVERY_DAYS
from ces_pipeline.storage.lake import Lake

Rank = tuple[int, datetime, str]
"""Place in the order of receipt, time of receipt, delivery id: each decides if those before it are equal."""

_FOLDER = "ledger"
_KEYS = {"landed_with": "reading"}
"""Attribute -> its key in ledger files, if that is another: lakes keep their keys."""


@dataclass(frozen=True)
class Delivery:
    """One landed delivery.

    delivery_id: SHA-256 of its bytes. received_at: when it first landed. as_of: the newest time in it; None if it has
    no times. landed_with: fingerprint of the source's entry and the landing code (`land/inputs.py`).
    mapping: our field -> the export's column. days: day -> (rows landed, rows redelivered).
    touches: days whose verdicts it may change: the days of its rows, and the old days of responses that it revises on
    another day.
    surveys: day -> folded hashes of the survey names in its rows; None if no column names the survey, and for
    deliveries that landed before this was recorded.
    received_order: its place in the order of receipt of its source's deliveries; 0 for all that were received before
    this was recorded.
    date_order: what comes first in its dates in numbers; None if it has none, or if the source's entry decides it.
    contents: how the fingerprints of its rows' contents are made (`CONTENTS` of landing_sql.py).
    """

    delivery_id: str
    source_id: str
    kind: str
    file_name: str
    size_bytes: int
    received_at: datetime
    as_of: datetime | None
    landed_with: str
    rows_read: int
    rows_unreadable: int
    columns: tuple[str, ...]
    mapping: dict[str, str] = field(default_factory=dict)
    days: dict[date, tuple[int, int]] = field(default_factory=dict)
    touches: tuple[date, ...] = ()
    surveys: dict[date, tuple[str, ...]] | None = None
    received_order: int = 0
    date_order: DateOrder | None = None
    contents: int = 1

    @property
    def rows_landed(self) -> int:
        return sum(landed for landed, _ in self.days.values())

    @property
    def rows_redelivered(self) -> int:
        return sum(again for _, again in self.days.values())

    @property
    def rank(self) -> "Rank":
        """The delivery with the greater rank was received later. The order of landing does not matter."""
        return (self.received_order, self.received_at, self.delivery_id)

    def to_json(self) -> bytes:
        entry = {
            **{_KEYS.get(name, name): getattr(self, name) for name in self.__dataclass_fields__},
            "received_at": self.received_at.isoformat(),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "days": {day.isoformat(): list(counts) for day, counts in sorted(self.days.items())},
            "touches": [day.isoformat() for day in sorted(self.touches)],
            "surveys": None
            if self.surveys is None
            else {day.isoformat(): list(names) for day, names in sorted(self.surveys.items())},
        }
        return json.dumps(entry, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Delivery":
        entry: dict[str, Any] = json.loads(data)
        for name, key in _KEYS.items():
            entry[name] = entry.pop(key)
        entry["received_at"] = datetime.fromisoformat(entry["received_at"])
        entry["as_of"] = datetime.fromisoformat(entry["as_of"]) if entry["as_of"] else None
        entry["columns"] = tuple(entry["columns"])
        entry["days"] = {
            date.fromisoformat(day): (counts[0], counts[1]) for day, counts in entry["days"].items()
        }
        entry["touches"] = tuple(date.fromisoformat(day) for day in entry["touches"])
        if entry.get("surveys") is not None:
            entry["surveys"] = {
                date.fromisoformat(day): tuple(names) for day, names in entry["surveys"].items()
            }
        return cls(**entry)


@dataclass(frozen=True)
class Ledger:
    """The deliveries of a lake at one moment."""

    deliveries: tuple[Delivery, ...]

    @classmethod
    def read(cls, lake: Lake) -> "Ledger":
        """Every committed delivery, by source and id."""
        found = []
        for info in lake.list(_FOLDER, recursive=True):
            if (
                info.type == pa_fs.FileType.File
                and info.path.endswith(".json")
                and not info.base_name.startswith(".")
            ):
                found.append(Delivery.from_json(lake.read_bytes(info.path)))
        return cls(tuple(sorted(found, key=lambda delivery: (delivery.source_id, delivery.delivery_id))))

    @cached_property
    def _by_source(self) -> dict[str, list[Delivery]]:
        grouped: dict[str, list[Delivery]] = {}
        for delivery in self.deliveries:
            grouped.setdefault(delivery.source_id, []).append(delivery)
        return grouped

    def of_source(self, source_id: str) -> list[Delivery]:
        return self._by_source.get(source_id, [])

    def touching(self, kind: str) -> dict[date, list[Delivery]]:
        """Day -> the deliveries of this kind that may change its verdicts."""
        found: dict[date, list[Delivery]] = {}
        for delivery in self.deliveries:
            if delivery.kind == kind:
                for day in delivery.touches:
                    found.setdefault(day, []).append(delivery)
        return found


def commit(lake: Lake, delivery: Delivery) -> None:
    """Write the delivery's ledger entry, which commits its rows."""
    lake.write_bytes(f"{_FOLDER}/{delivery.source_id}/{delivery.delivery_id}.json", delivery.to_json())


def forget(lake: Lake, deliveries: Sequence[Delivery]) -> None:
    """Remove deliveries, each with its ledger entry first: a killed call then leaves unused files, never gaps.

    Before that, their rows are removed from the cross-day revisions of other deliveries, because a removed row must
    not own a response.
    """
    own = {cross_day_file(delivery.source_id, delivery.delivery_id) for delivery in deliveries}
    for source_id in sorted({delivery.source_id for delivery in deliveries}):
        gone = [delivery.delivery_id for delivery in deliveries if delivery.source_id == source_id]
        for info in lake.list(f"index/{source_id}"):
            if info.base_name.endswith(CROSS_DAY_SUFFIX) and info.path not in own:
                _forget_cross_day_revisions(lake, info.path, gone)
    for delivery in deliveries:
        lake.delete(f"{_FOLDER}/{delivery.source_id}/{delivery.delivery_id}.json")
        lake.delete(index_file(delivery.source_id, delivery.delivery_id))
        lake.delete(cross_day_file(delivery.source_id, delivery.delivery_id))
        for day, (landed, _) in delivery.days.items():
            if landed:
                lake.delete(raw_file(delivery.source_id, delivery.delivery_id, day))


def _forget_cross_day_revisions(lake: Lake, path: str, gone: Sequence[str]) -> None:
    revisions = lake.read_table(path)
    delivery_ids = revisions["delivery_id"]
    kept = revisions.filter(pc.invert(pc.is_in(delivery_ids, pa.array(gone, delivery_ids.type))))
    if kept.num_rows < revisions.num_rows:
        lake.write_table(path, kept)


def deliveries(lake: Lake) -> pa.Table:
    """The ledger as `audit.deliveries`."""
    rows = []
    for delivery in Ledger.read(lake).deliveries:
        days = sorted(delivery.days)
        rows.append(
            {
                "delivery_id": delivery.delivery_id,
                "source_id": delivery.source_id,
                "kind": delivery.kind,
                "file_name": delivery.file_name,
                "size_bytes": delivery.size_bytes,
                "received_at": delivery.received_at,
                "as_of": delivery.as_of,
                "rows_read": delivery.rows_read,
                "rows_landed": delivery.rows_landed,
                "rows_redelivered": delivery.rows_redelivered,
                "rows_unreadable": delivery.rows_unreadable,
                "first_day": days[0] if days else None,
                "last_day": days[-1] if days else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=DELIVERIES.arrow)


def delivery_days(lake: Lake) -> pa.Table:
    """The ledger as `audit.delivery_days`."""
    rows = [
        {
            "delivery_id": delivery.delivery_id,
            "source_id": delivery.source_id,
            "kind": delivery.kind,
            "day": day,
            "rows_landed": landed,
            "rows_redelivered": again,
        }
        for delivery in Ledger.read(lake).deliveries
        for day, (landed, again) in sorted(delivery.days.items())
    ]
    return pa.Table.from_pylist(rows, schema=DELIVERY_DAYS.arrow)

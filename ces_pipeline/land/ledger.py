"""The delivery ledger: what was landed, when, how many rows on which days. One small JSON file per delivery.

A delivery's ledger entry is written last and is its commit mark: raw files and key indexes without one do not exist
for the rest of the pipeline. Nothing here reads exports or judges rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs

from ces_pipeline.land.paths import MOVES_SUFFIX, index_file, moves_file, raw_file
from ces_pipeline.schemas.audit import DELIVERIES, DELIVERY_DAYS
from ces_pipeline.storage.lake import Lake

_FOLDER = "ledger"


@dataclass(frozen=True)
class Delivery:
    """One landed delivery.

    mapping: our field -> the export's column, as it was read. days: day -> (rows landed, rows redelivered).
    touches: days whose verdicts it may change: those with landed rows, and the old days of responses that it revises
    on another day.
    surveys: day -> folded hashes of the names by which its rows name their survey, where a column does; None
    where no column does, and of deliveries landed before this was noted.
    """

    delivery_id: str
    source_id: str
    kind: str
    file_name: str
    size_bytes: int
    received_at: datetime
    as_of: datetime | None
    reading: str
    rows_read: int
    rows_unreadable: int
    columns: tuple[str, ...]
    mapping: dict[str, str] = field(default_factory=dict)
    days: dict[date, tuple[int, int]] = field(default_factory=dict)
    touches: tuple[date, ...] = ()
    surveys: dict[date, tuple[str, ...]] | None = None

    @property
    def rows_landed(self) -> int:
        return sum(landed for landed, _ in self.days.values())

    @property
    def rows_redelivered(self) -> int:
        return sum(again for _, again in self.days.values())

    @property
    def rank(self) -> tuple[datetime, str]:
        """What makes one delivery newer than another, whatever the order in which they were landed."""
        return (self.as_of or datetime.min.replace(tzinfo=UTC), self.delivery_id)

    def to_json(self) -> bytes:
        told = {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "received_at": self.received_at.isoformat(),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "days": {day.isoformat(): list(counts) for day, counts in sorted(self.days.items())},
            "touches": [day.isoformat() for day in sorted(self.touches)],
            "surveys": None
            if self.surveys is None
            else {day.isoformat(): list(names) for day, names in sorted(self.surveys.items())},
        }
        return json.dumps(told, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Delivery":
        told: dict[str, Any] = json.loads(data)
        told["received_at"] = datetime.fromisoformat(told["received_at"])
        told["as_of"] = datetime.fromisoformat(told["as_of"]) if told["as_of"] else None
        told["columns"] = tuple(told["columns"])
        told["days"] = {
            date.fromisoformat(day): (counts[0], counts[1]) for day, counts in told["days"].items()
        }
        told["touches"] = tuple(date.fromisoformat(day) for day in told["touches"])
        if told.get("surveys") is not None:
            told["surveys"] = {
                date.fromisoformat(day): tuple(names) for day, names in told["surveys"].items()
            }
        return cls(**told)


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
        return cls(tuple(sorted(found, key=lambda one: (one.source_id, one.delivery_id))))

    @cached_property
    def _by_source(self) -> dict[str, list[Delivery]]:
        grouped: dict[str, list[Delivery]] = {}
        for delivery in self.deliveries:
            grouped.setdefault(delivery.source_id, []).append(delivery)
        return grouped

    def of_source(self, source_id: str) -> list[Delivery]:
        return self._by_source.get(source_id, [])

    def touching(self, kind: str) -> dict[date, list[Delivery]]:
        """Day -> the deliveries that it depends on."""
        found: dict[date, list[Delivery]] = {}
        for delivery in self.deliveries:
            if delivery.kind == kind:
                for day in delivery.touches:
                    found.setdefault(day, []).append(delivery)
        return found


def commit(lake: Lake, delivery: Delivery) -> None:
    """Write the delivery's entry: from now on its rows exist."""
    lake.write_bytes(f"{_FOLDER}/{delivery.source_id}/{delivery.delivery_id}.json", delivery.to_json())


def forget(lake: Lake, deliveries: Sequence[Delivery]) -> None:
    """Take deliveries back, entry first, so that a killed call leaves files that nobody reads, never gaps.

    Before that, what other deliveries noted of their contents goes: a content that is no more must own no response.
    """
    own = {moves_file(one.source_id, one.delivery_id) for one in deliveries}
    for source_id in sorted({one.source_id for one in deliveries}):
        gone = [one.delivery_id for one in deliveries if one.source_id == source_id]
        for info in lake.list(f"index/{source_id}"):
            if info.base_name.endswith(MOVES_SUFFIX) and info.path not in own:
                _forget_moves(lake, info.path, gone)
    for delivery in deliveries:
        lake.delete(f"{_FOLDER}/{delivery.source_id}/{delivery.delivery_id}.json")
        lake.delete(index_file(delivery.source_id, delivery.delivery_id))
        lake.delete(moves_file(delivery.source_id, delivery.delivery_id))
        for day, (landed, _) in delivery.days.items():
            if landed:
                lake.delete(raw_file(delivery.source_id, delivery.delivery_id, day))


def _forget_moves(lake: Lake, path: str, gone: Sequence[str]) -> None:
    moves = lake.read_table(path)
    kept = moves.filter(pc.invert(pc.is_in(moves["delivery_id"], pa.array(gone, moves["delivery_id"].type))))
    if kept.num_rows < moves.num_rows:
        lake.write_table(path, kept)


def deliveries(lake: Lake) -> pa.Table:
    """The ledger as `audit.deliveries`."""
    rows = []
    for one in Ledger.read(lake).deliveries:
        held = sorted(one.days)
        rows.append(
            {
                "delivery_id": one.delivery_id,
                "source_id": one.source_id,
                "kind": one.kind,
                "file_name": one.file_name,
                "size_bytes": one.size_bytes,
                "received_at": one.received_at,
                "as_of": one.as_of,
                "rows_read": one.rows_read,
                "rows_landed": one.rows_landed,
                "rows_redelivered": one.rows_redelivered,
                "rows_unreadable": one.rows_unreadable,
                "first_day": held[0] if held else None,
                "last_day": held[-1] if held else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=DELIVERIES.arrow)


def delivery_days(lake: Lake) -> pa.Table:
    """The ledger as `audit.delivery_days`."""
    rows = [
        {
            "delivery_id": one.delivery_id,
            "source_id": one.source_id,
            "kind": one.kind,
            "day": day,
            "rows_landed": landed,
            "rows_redelivered": again,
        }
        for one in Ledger.read(lake).deliveries
        for day, (landed, again) in sorted(one.days.items())
    ]
    return pa.Table.from_pylist(rows, schema=DELIVERY_DAYS.arrow)

"""The delivery ledger: one small JSON file per delivery, with its time of receipt and its row counts by day.

A delivery's ledger entry is written last and is its commit marker: later steps ignore raw files and key files without
an entry. Every entry has a copy next to the keys of its delivery: an entry that is lost or damaged is read from there.
Nothing here reads exports or judges rows.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs

from ces_pipeline.errors import HomeError
from ces_pipeline.formats.times import DateOrder
from ces_pipeline.land.paths import (
    COPY_SUFFIX,
    CROSS_DAY_SUFFIX,
    cross_day_file,
    entry_copy_file,
    index_file,
    raw_file,
    repeats_file,
)
from ces_pipeline.schemas.audit import DELIVERIES, DELIVERY_DAYS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.small_files import SmallFileRows, small_file_rows

Rank = tuple[int, datetime, str]
"""Place in the order of receipt, time of receipt, delivery id: each decides if those before it are equal."""

_FOLDER = "ledger"
_SUFFIX = ".json"
_ENTRY = pa.schema([("entry", pa.binary())])
_MOST_PARSED = 10_000
"""Deliveries that a process holds: years of a home's."""
_MOST_READ = 200
"""Ledgers that a process holds, of a lake or of one of its sources."""
_KEYS = {"landed_with": "reading"}
"""Attribute -> its key in ledger files, if that is another: lakes keep their keys."""
KEYS = "keys"
"""The part of a delivery's checksums that is its key file."""
_CHECK = "check"
"""Key of an entry's digest. Earlier releases wrote none."""


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
    repeats: how many of its redelivered rows repeat a row of an earlier delivery that its repeats file names; None for
    deliveries that landed before this was recorded.
    checksums: part (a day of its raw files, or `keys`) -> (size in bytes, SHA-256) of its file; empty for deliveries
    that landed before this was recorded.
    unlanded_at: when a command took it back; None if it counts. unlanded: day -> rows that it had landed until then.
    erased: day -> rows of people who were erased: removed after they had landed, or left out when it landed.
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
    repeats: int | None = None
    checksums: dict[str, tuple[int, str]] = field(default_factory=dict)
    unlanded_at: datetime | None = None
    unlanded: dict[date, int] = field(default_factory=dict)
    erased: dict[date, int] = field(default_factory=dict)

    @property
    def rows_landed(self) -> int:
        return sum(landed for landed, _ in self.days.values())

    @property
    def rows_redelivered(self) -> int:
        return sum(again for _, again in self.days.values())

    def counts_on(self, day: date) -> "DayCounts":
        landed, again = self.days.get(day, (0, 0))
        return DayCounts(landed, again, self.unlanded.get(day, 0), self.erased.get(day, 0))

    @property
    def all_days(self) -> list[date]:
        """The days of its rows, also of those that were taken back or erased."""
        return sorted({*self.days, *self.unlanded, *self.erased})

    @property
    def raw_files(self) -> list[str]:
        """The files of its landed rows."""
        return [
            raw_file(self.source_id, self.delivery_id, day)
            for day, (landed, _) in sorted(self.days.items())
            if landed
        ]

    @property
    def stored_files(self) -> dict[str, tuple[int, str] | None]:
        """Path of each file that its rows need -> its size and SHA-256; None if they were not recorded."""
        found = {
            raw_file(self.source_id, self.delivery_id, day): self.checksums.get(day.isoformat())
            for day, (landed, _) in sorted(self.days.items())
            if landed
        }
        if found:
            found[index_file(self.source_id, self.delivery_id)] = self.checksums.get(KEYS)
        return found

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
            "unlanded_at": self.unlanded_at.isoformat() if self.unlanded_at else None,
            "unlanded": {day.isoformat(): rows for day, rows in sorted(self.unlanded.items())},
            "erased": {day.isoformat(): rows for day, rows in sorted(self.erased.items())},
            "surveys": None
            if self.surveys is None
            else {day.isoformat(): list(names) for day, names in sorted(self.surveys.items())},
        }
        text = json.dumps(entry, ensure_ascii=False)
        # Known for what it was written as: a flipped bit may leave valid JSON with other counts.
        return json.dumps({**entry, _CHECK: _digest(text)}, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Delivery":
        """Raises ValueError, KeyError or TypeError if the entry is damaged."""
        entry: dict[str, Any] = json.loads(data)
        check = entry.pop(_CHECK, None)
        if check is not None and check != _digest(json.dumps(entry, ensure_ascii=False)):
            raise ValueError("the entry is not as it was written")
        for name, key in _KEYS.items():
            entry[name] = entry.pop(key)
        entry["received_at"] = datetime.fromisoformat(entry["received_at"])
        entry["as_of"] = datetime.fromisoformat(entry["as_of"]) if entry["as_of"] else None
        entry["columns"] = tuple(entry["columns"])
        entry["days"] = {
            date.fromisoformat(day): (counts[0], counts[1]) for day, counts in entry["days"].items()
        }
        entry["touches"] = tuple(date.fromisoformat(day) for day in entry["touches"])
        if entry.get("unlanded_at"):
            entry["unlanded_at"] = datetime.fromisoformat(entry["unlanded_at"])
        entry["checksums"] = {
            part: (size, sha256) for part, (size, sha256) in entry.get("checksums", {}).items()
        }
        for name in ("unlanded", "erased"):
            entry[name] = {date.fromisoformat(day): rows for day, rows in entry.get(name, {}).items()}
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
    def read(cls, lake: Lake, source_id: str | None = None) -> "Ledger":
        """Every committed delivery, by source and id; with `source_id` those of one source.

        Returns the same object as the last time while no delivery changes.
        Raises HomeError, with the file's name, for an entry that cannot be read and has no readable copy.
        """
        found: list[Delivery] = []
        for name in _source_ids(lake, source_id):
            entries = _Entries.read(lake, name)
            found += entries.sound.values()
            found += filter(None, (_from_copy(lake, name, entry) for entry in entries.unsound))
        deliveries = tuple(sorted(found, key=lambda delivery: (delivery.source_id, delivery.delivery_id)))
        last = _last_read.get((lake.root, source_id))
        if last is None or last.deliveries != deliveries:
            if len(_last_read) >= _MOST_READ:
                _last_read.clear()
            last = _last_read[lake.root, source_id] = cls(deliveries)
        return last

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

    @cached_property
    def deliveries_table(self) -> pa.Table:
        """The ledger as `audit.deliveries`."""
        rows = []
        for delivery in self.deliveries:
            days = delivery.all_days
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
                    "rows_unlanded": sum(delivery.unlanded.values()),
                    "rows_erased": sum(delivery.erased.values()),
                    "unlanded_at": delivery.unlanded_at,
                    "first_day": days[0] if days else None,
                    "last_day": days[-1] if days else None,
                }
            )
        return pa.Table.from_pylist(rows, schema=DELIVERIES.arrow)

    @cached_property
    def days_table(self) -> pa.Table:
        """The ledger as `audit.delivery_days`."""
        rows = [
            {
                "delivery_id": delivery.delivery_id,
                "source_id": delivery.source_id,
                "kind": delivery.kind,
                "day": day,
                "rows_landed": delivery.counts_on(day).landed,
                "rows_redelivered": delivery.counts_on(day).redelivered,
                "rows_unlanded": delivery.counts_on(day).unlanded,
                "rows_erased": delivery.counts_on(day).erased,
            }
            for delivery in self.deliveries
            for day in delivery.all_days
        ]
        return pa.Table.from_pylist(rows, schema=DELIVERY_DAYS.arrow)


@dataclass(frozen=True)
class DayCounts:
    """Row counts of one or more deliveries on a day, by what became of the rows when they landed and since."""

    landed: int = 0
    redelivered: int = 0
    unlanded: int = 0
    erased: int = 0

    def __add__(self, other: "DayCounts") -> "DayCounts":
        return DayCounts(
            self.landed + other.landed,
            self.redelivered + other.redelivered,
            self.unlanded + other.unlanded,
            self.erased + other.erased,
        )

    @property
    def total(self) -> int:
        return self.landed + self.redelivered + self.unlanded + self.erased


_last_read: dict[tuple[str, str | None], Ledger] = {}
"""Root of a lake, source or all -> its ledger at the last reading. A run reads it several times."""


@dataclass(frozen=True)
class _Entries:
    """The ledger entries of one source, as file names, and their copies.

    sound: entry -> its delivery. unsound: entries that cannot be read, or are gone and have a copy. copied: entries
    that have a copy.
    """

    sound: dict[str, Delivery]
    unsound: list[str]
    copied: set[str]

    @classmethod
    def read(cls, lake: Lake, source_id: str) -> "_Entries":
        """Opens only entries that are new or changed: the others are read from the cache of `small_files.py`."""
        folder = f"{_FOLDER}/{source_id}"
        # The copies are listed first: what is committed meanwhile writes its entry before its copy.
        copied = {
            f"{name.removesuffix(COPY_SUFFIX)}{_SUFFIX}"
            for name in lake.names(f"index/{source_id}")
            if name.endswith(COPY_SUFFIX)
        }
        listed = [name for name in lake.names(folder) if name.endswith(_SUFFIX) and not name.startswith(".")]
        found = lake.states(folder, [f"{folder}/{name}" for name in listed])
        states = {path.removeprefix(f"{folder}/"): state for path, state in found.items()}
        sound = _deliveries_in(
            small_file_rows(
                lake, folder, states, _ENTRY, lambda name: _sound_entry(lake, f"{folder}/{name}")
            ),
            folder,
        )
        return cls(sound, sorted({*listed, *copied} - sound.keys()), copied)


_parsed_rows: WeakKeyDictionary[SmallFileRows, dict[str, Delivery]] = WeakKeyDictionary()


def _deliveries_in(read: SmallFileRows, folder: str) -> dict[str, Delivery]:
    """Entry -> its delivery, of the entries that can be read."""
    if read not in _parsed_rows:
        entries = zip(read.names, read.rows["entry"].to_pylist(), strict=True)
        _parsed_rows[read] = {
            name: delivery
            for name, data in entries
            if (delivery := _delivery(data, f"{folder}/{name}")) is not None
        }
    return _parsed_rows[read]


def _source_ids(lake: Lake, source_id: str | None) -> list[str]:
    return sorted({*lake.names(_FOLDER), *lake.names("index")}) if source_id is None else [source_id]


def _copy_of(source_id: str, entry: str) -> str:
    return entry_copy_file(source_id, entry.removesuffix(_SUFFIX))


def _from_copy(lake: Lake, source_id: str, entry: str) -> Delivery | None:
    """The delivery of an entry that is lost or damaged; None if it was taken back since the entries were listed."""
    path, copy = f"{_FOLDER}/{source_id}/{entry}", _copy_of(source_id, entry)
    for file in (path, copy):
        if (delivery := _delivery(_bytes(lake, file), file)) is not None:
            return delivery
    if all(info.type == pa_fs.FileType.NotFound for info in lake.files.get_file_info([path, copy])):
        return None
    raise HomeError(
        f"{lake.root}/{path} is damaged, so ces does not know which rows of that delivery have landed. Restore the "
        "file from a backup; or delete it, put its export back into the inbox and run `ces run`, which lands it again"
    )


def _sound_entry(lake: Lake, path: str) -> pa.Table:
    """The bytes of an entry as a row; no row if it is missing or damaged."""
    data = _bytes(lake, path)
    return pa.table([[] if _delivery(data, path) is None else [data]], schema=_ENTRY)


def _bytes(lake: Lake, path: str) -> bytes:
    """The bytes of a file; none if it cannot be read."""
    try:
        return lake.read_bytes(path)
    except OSError:
        return b""


def _delivery(data: bytes, path: str) -> Delivery | None:
    """The delivery of an entry or a copy at `path`; None if it is damaged."""
    try:
        delivery = _parsed(data)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return delivery if delivery.delivery_id in path and f"/{delivery.source_id}/" in path else None


@lru_cache(maxsize=_MOST_PARSED)
def _parsed(data: bytes) -> Delivery:
    """The delivery of an entry. A run reads the ledger several times; a delivery is never changed."""
    return Delivery.from_json(data)


def restore(lake: Lake, source_id: str | None = None) -> list[str]:
    """Write the entries that are lost or damaged from their copies, and the copies that are missing.

    With `source_id` only those of one source.

    Returns the paths of the restored entries. Call it with the landing lock.
    """
    restored = []
    for name in _source_ids(lake, source_id):
        entries = _Entries.read(lake, name)
        for entry, delivery in entries.sound.items():
            if entry not in entries.copied:
                lake.write_bytes(_copy_of(name, entry), delivery.to_json())
        for entry in entries.unsound:
            path, copy = f"{_FOLDER}/{name}/{entry}", _copy_of(name, entry)
            if entry in entries.copied and (kept := _delivery(_bytes(lake, copy), copy)) is not None:
                if lake.files.get_file_info(path).type == pa_fs.FileType.Directory:
                    lake.files.delete_dir(path)
                lake.write_bytes(path, kept.to_json())
                restored.append(path)
    return restored


def commit(lake: Lake, delivery: Delivery) -> None:
    """Write the delivery's ledger entry, which commits its rows, then its copy."""
    data = delivery.to_json()
    lake.write_bytes(_entry_file(delivery.source_id, delivery.delivery_id), data)
    lake.write_bytes(entry_copy_file(delivery.source_id, delivery.delivery_id), data)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entry_file(source_id: str, delivery_id: str) -> str:
    return f"{_FOLDER}/{source_id}/{delivery_id}{_SUFFIX}"


def forget(lake: Lake, deliveries: Sequence[Delivery]) -> None:
    """Remove deliveries, each with its ledger entry and copy first: a killed call leaves unused files, never gaps.

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
        lake.delete(entry_copy_file(delivery.source_id, delivery.delivery_id))
        lake.delete(_entry_file(delivery.source_id, delivery.delivery_id))
        lake.delete(repeats_file(delivery.source_id, delivery.delivery_id))
        lake.delete(index_file(delivery.source_id, delivery.delivery_id))
        lake.delete(cross_day_file(delivery.source_id, delivery.delivery_id))
        for path in delivery.raw_files:
            lake.delete(path)


def _forget_cross_day_revisions(lake: Lake, path: str, gone: Sequence[str]) -> None:
    revisions = lake.read_table(path)
    delivery_ids = revisions["delivery_id"]
    kept = revisions.filter(pc.invert(pc.is_in(delivery_ids, pa.array(gone, delivery_ids.type))))
    if kept.num_rows < revisions.num_rows:
        lake.write_table(path, kept)

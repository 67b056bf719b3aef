"""Which days are stale, and what a day is cleaned from. Reads the ledger and the marks; cleans nothing.

A day's inputs are fingerprinted: its deliveries, those of the days its rules look back on, the registry's judging
part and the rule version. A day is stale when its mark carries another fingerprint, or its files are not those that
the mark tells of. Staleness therefore spreads by itself to the days that look back on a changed one.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.fs as pa_fs

from ces_pipeline.clean.account_attributes import account_digests, account_names
from ces_pipeline.clean.context import columns_asked_for
from ces_pipeline.land.ledger import Delivery, Ledger, moves_file, raw_file
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake

RULE_VERSION = "1"


@dataclass(frozen=True)
class RawFile:
    """The landed rows of one delivery on one day, with what the ledger knows of that delivery."""

    path: str
    source_id: str
    delivery_id: str
    day: date
    received_at: datetime
    as_of: datetime | None
    mapping: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DayPlan:
    """All that cleaning one day needs to know; plain values, so that any worker can take it."""

    kind: str
    day: date
    inputs: str
    rule_version: str
    files: tuple[RawFile, ...]
    lookback: tuple[RawFile, ...]
    moves: tuple[tuple[str, str], ...]
    """(source, path) of the files that tell of rows on several days."""
    as_of: dict[tuple[str, str], datetime | None]
    """(source, delivery) -> the moment that the delivery shows; empty without moves."""
    asked: tuple[str, ...]
    account_files: tuple[str, ...]
    """Cleaned days of account versions, where a rule asks for an attribute of accounts."""
    books: dict[str, tuple[int, int]]
    """Source -> (rows landed, rows redelivered) of the day, as the ledger tells."""

    @property
    def rows(self) -> int:
        return sum(landed for landed, _ in self.books.values())


def commit_marker_file(kind: str, day: date) -> str:
    """Where a day's audit rows lie; the current ones are its commit mark."""
    return f"audit/load_audit/kind={kind}/day={day.isoformat()}/part-0.parquet"


@dataclass(frozen=True)
class CommitMarker:
    """How a day was last cleaned."""

    inputs: str
    outputs: dict[str, dict[str, Any]]
    written_at: datetime | None


def read_commit_markers(lake: Lake, kind: str) -> dict[date, CommitMarker]:
    """The current mark of every day of this kind."""
    found = {}
    for info in lake.list(f"audit/load_audit/kind={kind}"):
        day = date.fromisoformat(info.base_name.removeprefix("day="))
        path = commit_marker_file(kind, day)
        if not lake.exists(path):
            continue
        try:
            rows = lake.read_table(path, ["inputs", "outputs", "source_id", "is_current"]).to_pylist()
        except (pa.ArrowInvalid, OSError):
            # A damaged mark is no mark: the day is stale.
            continue
        current = [row for row in rows if row["is_current"]]
        if current:
            found[day] = CommitMarker(
                current[0]["inputs"],
                json.loads(current[0]["outputs"]),
                lake.files.get_file_info(path).mtime,
            )
    return found


def _kept_columns(kind: str) -> set[str]:
    """The fields that raw files keep under their own name: all but those that hold people."""
    return {one.name for one in field_table(kind) if one.stored_as == one.name}


class Planner:
    """Plans over one reading of the ledger."""

    def __init__(self, lake: Lake, registry: Registry, kind: str):
        self.lake, self.registry, self.kind = lake, registry, kind
        self.ledger = Ledger.read(lake)
        self.touching = self.ledger.touching(kind)
        self.asked = columns_asked_for(registry, _kept_columns(kind)) if kind == "survey" else ()
        self._digests: dict[date, str] = {}
        self._window = timedelta(
            hours=max((one.rules.duplicate_window_hours for one in registry.surveys.values()), default=0.0)
        )

    def stale_days(self) -> list[date]:
        """The days to be cleaned, ascending."""
        marks = read_commit_markers(self.lake, self.kind)
        stale = [day for day in self.touching if day not in marks or marks[day].inputs != self.inputs(day)]
        gone = [day for day, mark in marks.items() if day not in self.touching and mark.outputs]
        damaged = [day for day, mark in marks.items() if not self._intact(mark)]
        return sorted({*stale, *gone, *damaged})

    def _intact(self, mark: CommitMarker) -> bool:
        return all(self._is_as_written(told, mark.written_at) for told in mark.outputs.values())

    def _is_as_written(self, told: dict[str, Any], marked_at: datetime | None) -> bool:
        """Whether a day file is the one told of; its bytes are read only where it is younger than its day's mark."""
        info = self.lake.files.get_file_info(told["path"])
        if info.type != pa_fs.FileType.File or info.size != told["size"]:
            return False
        if info.mtime is None or marked_at is None or info.mtime <= marked_at:
            return True
        return bool(hashlib.sha256(self.lake.read_bytes(told["path"])).hexdigest() == told["sha256"])

    def inputs(self, day: date) -> str:
        """Fingerprint of everything that the day's result depends on."""
        # The answers looked back on are judged too, by the speed of the days before them.
        back = self.lookback(day) + self.registry.settings.speed_window_days if self.kind == "survey" else 0
        told = [
            RULE_VERSION,
            self.registry.judging,
            *(self._digest(day - timedelta(step)) for step in range(back + 1)),
            *self._accounts(day),
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def _accounts(self, day: date) -> tuple[str, ...]:
        """What the day depends on of its respondents' accounts; nothing where no rule asks for one."""
        if not account_names(self.asked):
            return ()
        return (self._account_digests.get(day, ""),)

    @cached_property
    def _account_files(self) -> tuple[tuple[str, str], ...]:
        """Path and SHA-256 of each cleaned day of account versions."""
        told = [
            mark.outputs.get(KINDS["accounts"].accepted)
            for mark in read_commit_markers(self.lake, "accounts").values()
        ]
        return tuple(sorted((one["path"], one["sha256"]) for one in told if one))

    @cached_property
    def _account_digests(self) -> dict[date, str]:
        raw = [(one.path, one.day) for one in self.files(self.touching)]
        return account_digests(self.lake, self.registry, self._account_files, account_names(self.asked), raw)

    def lookback(self, day: date) -> int:
        """How many days before this one the comparison with earlier answers reaches into."""
        if self.kind != "survey" or not self._window:
            return 0
        zone = ZoneInfo(self.registry.settings.business_time_zone)
        midnight = datetime.combine(day, time.min, zone).astimezone(UTC)
        return (day - (midnight - self._window).astimezone(zone).date()).days

    def _digest(self, day: date) -> str:
        if day not in self._digests:
            told = [
                [one.source_id, one.delivery_id, one.reading, one.days.get(day, (0, 0))[0]]
                for one in self.touching.get(day, ())
            ]
            self._digests[day] = hashlib.sha256(json.dumps(told).encode()).hexdigest() if told else ""
        return self._digests[day]

    def plan(self, day: date) -> DayPlan:
        back = [day - timedelta(step) for step in range(1, self.lookback(day) + 1)]
        touching = [one for near in (day, *back) for one in self.touching.get(near, ())]
        books: dict[str, tuple[int, int]] = {}
        for one in self.ledger.deliveries:
            if one.kind == self.kind and day in one.days:
                landed, again = books.get(one.source_id, (0, 0))
                books[one.source_id] = (landed + one.days[day][0], again + one.days[day][1])
        moves = {
            (one.source_id, moves_file(one.source_id, one.delivery_id))
            for one in touching
            if not KINDS[self.kind].is_versioned
            and self.lake.exists(moves_file(one.source_id, one.delivery_id))
        }
        return DayPlan(
            kind=self.kind,
            day=day,
            inputs=self.inputs(day),
            rule_version=RULE_VERSION,
            files=self.files([day]),
            lookback=self.files(back),
            moves=tuple(sorted(moves)),
            as_of={(one.source_id, one.delivery_id): one.as_of for one in self.ledger.deliveries}
            if moves
            else {},
            asked=self.asked,
            account_files=tuple(path for path, _ in self._account_files) if account_names(self.asked) else (),
            books=books,
        )

    def files(self, days: Iterable[date]) -> tuple[RawFile, ...]:
        """The raw files of these days."""
        return tuple(
            self._raw_file(one, day)
            for day in days
            for one in self.touching.get(day, ())
            if one.days.get(day, (0, 0))[0]
        )

    def _raw_file(self, one: Delivery, day: date) -> RawFile:
        kept = _kept_columns(self.kind)
        asked = {
            column: name for name, column in one.mapping.items() if column in self.asked and name in kept
        }
        return RawFile(
            raw_file(one.source_id, one.delivery_id, day),
            one.source_id,
            one.delivery_id,
            day,
            one.received_at,
            one.as_of,
            asked,
        )

"""Which days are stale, and what a day is cleaned from. Reads the ledger and the commit markers; cleans nothing.

The inputs of a day have a fingerprint: its deliveries, those of the days that its rules look back on, the part of the
registry that its rows are judged by, and the code. A day is stale when its commit marker holds another fingerprint, or
its files are not those of the marker. So staleness spreads by itself to the days that look back on a changed one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.fs as pa_fs

from ces_pipeline.clean.account_attributes import account_digests, account_names
from ces_pipeline.clean.context import columns_asked_for
from ces_pipeline.clean.judged_by import cleaning_code, judged_by, rule_version, survey_part
from ces_pipeline.clean.plan import DayPlan, RawFile
from ces_pipeline.folding import folded_hash
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import moves_file, raw_file
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake


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


def days_back(day: date, hours: float, business_time_zone: str) -> int:
    """How many days before this one the last `hours` before its midnight reach into."""
    zone = ZoneInfo(business_time_zone)
    midnight = datetime.combine(day, time.min, zone).astimezone(UTC)
    return (day - (midnight - timedelta(hours=hours)).astimezone(zone).date()).days


class Planner:
    """Plans over one reading of the ledger."""

    def __init__(self, lake: Lake, registry: Registry, kind: str):
        self.lake, self.registry, self.kind = lake, registry, kind
        self.ledger = Ledger.read(lake)
        self.touching = self.ledger.touching(kind)
        self.asked = columns_asked_for(registry, _kept_columns(kind)) if kind == "survey" else ()
        self._digests: dict[date, str] = {}

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

    @cached_property
    def _code(self) -> str:
        return cleaning_code(self.kind)

    @cached_property
    def _registry_part(self) -> str:
        return judged_by(self.registry, self.kind)

    def inputs(self, day: date) -> str:
        """Fingerprint of everything that the day's result depends on."""
        # The answers looked back on are judged too, by the speed of the days before them.
        back = self.lookback(day) + self.registry.settings.speed_window_days if self.kind == "survey" else 0
        parts = [
            self._code,
            self._registry_part,
            *(survey_part(self.registry, survey_id) for survey_id in self._surveys_on(day)),
            *(self._digest(day - timedelta(step)) for step in range(back + 1)),
            *self._accounts(day),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _surveys_on(self, day: date) -> list[str]:
        """The registered surveys that rows of this day may belong to, by id."""
        if self.kind != "survey":
            return []
        found: set[str] = set()
        for delivery in self.touching.get(day, ()):
            found.update(filter(None, self._surveys_of(delivery, day).values()))
        return sorted(found)

    def _surveys_of(self, delivery: Delivery, day: date) -> Mapping[str, str | None]:
        """How the rows of a delivery on a day name their survey (folded hashes) -> its id; None: not registered."""
        source = self.registry.sources.get(delivery.source_id)
        if source is not None and source.survey:
            return {"": source.survey}
        if delivery.surveys is None:
            return dict(self._survey_names)
        return {name: self._survey_names.get(name) for name in delivery.surveys.get(day, ())}

    @cached_property
    def _survey_names(self) -> dict[str, str]:
        return {folded_hash(name): survey_id for name, survey_id in self.registry.survey_names.items()}

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
        surveys = [self.registry.surveys[survey_id] for survey_id in self._surveys_on(day)]
        hours = max((survey.rules.duplicate_window_hours for survey in surveys), default=0.0)
        return days_back(day, hours, self.registry.settings.business_time_zone)

    def _digest(self, day: date) -> str:
        if day not in self._digests:
            rows = [
                [
                    delivery.source_id,
                    delivery.delivery_id,
                    delivery.reading,
                    delivery.days.get(day, (0, 0))[0],
                    sorted(self._surveys_of(delivery, day).items()) if KINDS[self.kind].has_survey else None,
                ]
                for delivery in self.touching.get(day, ())
            ]
            self._digests[day] = hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else ""
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
            rule_version=rule_version(self.kind),
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

    def speed_files(self, days: Iterable[date]) -> tuple[RawFile, ...]:
        """The raw files of the windows that end before these days, whose answers decide what is fast."""
        window = self.registry.settings.speed_window_days
        return self.files(sorted({day - timedelta(step) for day in days for step in range(1, window + 1)}))

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

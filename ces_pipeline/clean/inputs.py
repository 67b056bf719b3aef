"""Stale days, and the inputs of a day. Reads the ledger and the commit markers; cleans nothing.

The inputs of a day have a fingerprint. It covers the day's deliveries, the deliveries of the days that its rules look
back on, the part of the registry that judges its rows, and the code. A day is stale if its commit marker has another
fingerprint, or if its files differ from the marker. So a changed day also makes the days stale that look back on it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ces_pipeline.clean.account_attributes import account_digests, account_names
from ces_pipeline.clean.context import columns_asked_for
from ces_pipeline.clean.judged_by import cleaning_code, judged_by, rule_version, survey_part
from ces_pipeline.clean.plan import DayPlan, RawFile
from ces_pipeline.folding import folded_hash
from ces_pipeline.land.corrected_entry import Reread, corrected
from ces_pipeline.land.ledger import DayCounts, Delivery, Ledger
from ces_pipeline.land.paths import cross_day_file, raw_file
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.audit import COMMIT_MARKERS, LOAD_AUDIT
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.day_rows import day_rows_file, read_day_rows
from ces_pipeline.storage.lake import FileState, Lake

INCOMPLETE = ""
"""Stored instead of a day's fingerprint: the day stays stale until its missing files are restored."""


def commit_marker_file(kind: str, day: date) -> str:
    """Path of a day's audit rows; the current rows are its commit marker."""
    return day_rows_file(f"{COMMIT_MARKERS}/kind={kind}", day)


@dataclass(frozen=True)
class CommitMarker:
    """How a day was last cleaned: fingerprint of its inputs, and table -> path, size and SHA-256 of its files.

    written_at: time of the marker's file, in nanoseconds since 1970; None if the lake does not tell it.
    """

    inputs: str
    outputs: dict[str, dict[str, Any]]
    written_at: int | None


def read_commit_markers(lake: Lake, kind: str) -> dict[date, CommitMarker]:
    """The current commit marker of every day of this kind.

    A damaged file counts as missing, so its day is stale. That includes damage of its history: all of it is published.
    """
    read = read_day_rows(lake, f"{COMMIT_MARKERS}/kind={kind}", LOAD_AUDIT.arrow)
    columns = [read.rows[name].to_pylist() for name in ("is_current", "inputs", "outputs")]
    found: dict[date, CommitMarker] = {}
    for day, is_current, inputs, outputs in zip(read.days, *columns, strict=True):
        # The rows of a day's sources name the same inputs and outputs.
        if is_current and day not in found:
            found[day] = CommitMarker(inputs, json.loads(outputs), read.states[day].changed_at)
    return found


def _kept_columns(kind: str) -> set[str]:
    """The fields that raw files store under their own name: all except those of people."""
    return {field.name for field in field_table(kind) if field.stored_as == field.name}


def days_back(day: date, hours: float, business_time_zone: str) -> int:
    """How many earlier days the last `hours` before the day's midnight reach into."""
    zone = ZoneInfo(business_time_zone)
    midnight = datetime.combine(day, time.min, zone).astimezone(UTC)
    return (day - (midnight - timedelta(hours=hours)).astimezone(zone).date()).days


@dataclass(frozen=True)
class _Known:
    """Day and fingerprint of its accounts -> fingerprint of its inputs, with a ledger, a registry and code."""

    ledger: Ledger
    registry: Registry
    code: str
    inputs: dict[tuple[date, tuple[str, ...]], str]


_last_known: dict[str, _Known] = {}
"""Kind -> what the last planning found out. A run plans several times."""


class Planner:
    """Plans the cleaning of days of one kind, from one reading of the ledger."""

    def __init__(self, lake: Lake, registry: Registry, kind: str):
        self.lake, self.registry, self.kind = lake, registry, kind
        self.ledger = Ledger.read(lake)
        self.touching = self.ledger.touching(kind)
        self.asked = columns_asked_for(registry, _kept_columns(kind)) if kind == "survey" else ()
        self._digests: dict[date, str] = {}
        self._rereads: dict[tuple[Any, ...], Reread] = {}

    def stale_days(self) -> list[date]:
        """The days to be cleaned, ascending."""
        return sorted(self.waiting_days())

    def waiting_days(self) -> dict[date, str]:
        """The days to be cleaned -> why."""
        markers = read_commit_markers(self.lake, self.kind)
        states = self._states(markers.values())
        waiting = {}
        for day in sorted({*self.touching, *markers}):
            marker = markers.get(day)
            if marker is None:
                waiting[day] = "not cleaned yet"
            elif day in self.touching and marker.inputs == INCOMPLETE:
                waiting[day] = "a file that it is cleaned from was missing or damaged"
            elif day in self.touching and marker.inputs != self.inputs(day):
                waiting[day] = "a delivery, the registry or the code has changed since it was cleaned"
            elif day not in self.touching and marker.outputs:
                waiting[day] = "its deliveries are gone"
            elif not all(
                self._is_as_written(output, states.get(output["path"]), marker.written_at)
                for output in marker.outputs.values()
            ):
                waiting[day] = "its files are not as they were cleaned"
        return waiting

    def _states(self, markers: Iterable[CommitMarker]) -> dict[str, FileState]:
        """Path -> state of the day files that commit markers name."""
        paths: dict[str, list[str]] = {}
        for marker in markers:
            for table, output in marker.outputs.items():
                paths.setdefault(table.replace(".", "/"), []).append(output["path"])
        return {
            path: state
            for folder, named in paths.items()
            for path, state in self.lake.states(folder, named).items()
        }

    def _is_as_written(self, output: dict[str, Any], state: FileState | None, written_at: int | None) -> bool:
        """Whether a day file is the one in the commit marker; its bytes are read only if it is newer than that."""
        if state is None or state.size != output["size"]:
            return False
        if state.changed_at is None or written_at is None or state.changed_at <= written_at:
            return True
        return bool(hashlib.sha256(self.lake.read_bytes(output["path"])).hexdigest() == output["sha256"])

    @cached_property
    def _code(self) -> str:
        return cleaning_code(self.kind)

    @cached_property
    def _registry_part(self) -> str:
        return judged_by(self.registry, self.kind)

    @cached_property
    def _survey_parts(self) -> dict[str, str]:
        """Survey id -> the fingerprint of what judges its rows."""
        return {survey_id: survey_part(self.registry, survey_id) for survey_id in self.registry.surveys}

    def inputs(self, day: date) -> str:
        """Fingerprint of everything that the day's result depends on."""
        accounts = self._accounts(day)
        if (day, accounts) not in self._known:
            parts = [*self._parts(day), *accounts]
            self._known[day, accounts] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return self._known[day, accounts]

    @cached_property
    def _known(self) -> dict[tuple[date, tuple[str, ...]], str]:
        """What planners of the same ledger, registry and code have found out."""
        last = _last_known.get(self.kind)
        if (
            last is None
            or last.ledger is not self.ledger
            or last.code != self._code
            or last.registry != self.registry
        ):
            last = _last_known[self.kind] = _Known(self.ledger, self.registry, self._code, {})
        return last.inputs

    def _parts(self, day: date) -> list[str]:
        """The parts of a day's fingerprint that follow from the ledger, the registry and the code."""
        # Responses in the look-back days are judged too, by the speed limits from the days before them.
        back = self.lookback(day) + self.registry.settings.speed_window_days if self.kind == "survey" else 0
        return [
            self._code,
            self._registry_part,
            *(self._survey_parts[survey_id] for survey_id in self._surveys_on(day)),
            *(self._digest(day - timedelta(step)) for step in range(back + 1)),
        ]

    def _surveys_on(self, day: date) -> list[str]:
        """The registered surveys that rows of this day may belong to, by id."""
        if self.kind != "survey":
            return []
        found: set[str] = set()
        for delivery in self.touching.get(day, ()):
            found.update(filter(None, self._surveys_of(delivery, day).values()))
        return sorted(found)

    def _surveys_of(self, delivery: Delivery, day: date) -> Mapping[str, str | None]:
        """Folded hash of each survey name in a delivery's rows of a day -> survey id, None if it is not registered."""
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
        """Fingerprint of the account attributes of the day's respondents; empty if no rule uses accounts."""
        if not account_names(self.asked):
            return ()
        return (self._account_digests.get(day, ""),)

    @cached_property
    def _account_files(self) -> tuple[tuple[str, str], ...]:
        """Path and SHA-256 of each cleaned day of account versions."""
        outputs = [
            marker.outputs.get(KINDS["accounts"].accepted)
            for marker in read_commit_markers(self.lake, "accounts").values()
        ]
        return tuple(sorted((output["path"], output["sha256"]) for output in outputs if output))

    @cached_property
    def _account_digests(self) -> dict[date, str]:
        raw = [(file.path, file.day) for file in self.files(self.touching)]
        return account_digests(self.lake, self.registry, self._account_files, account_names(self.asked), raw)

    def lookback(self, day: date) -> int:
        """How many earlier days the comparison with earlier responses reaches into."""
        surveys = [self.registry.surveys[survey_id] for survey_id in self._surveys_on(day)]
        hours = max((survey.rules.duplicate_window_hours for survey in surveys), default=0.0)
        return days_back(day, hours, self.registry.settings.business_time_zone)

    def _digest(self, day: date) -> str:
        if day not in self._digests:
            rows = [
                [
                    delivery.source_id,
                    delivery.delivery_id,
                    delivery.landed_with,
                    delivery.days.get(day, (0, 0))[0],
                    sorted(self._surveys_of(delivery, day).items()) if KINDS[self.kind].has_survey else None,
                    *({self._first_id(delivery.source_id)} - {delivery.source_id}),
                    *([sorted(reread.items())] if (reread := self._reread(delivery)) else []),
                ]
                # In the order of receipt, which decides between versions of equal times.
                for delivery in sorted(
                    self.touching.get(day, ()), key=lambda delivery: (delivery.source_id, delivery.rank)
                )
            ]
            self._digests[day] = hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else ""
        return self._digests[day]

    def plan(self, day: date) -> DayPlan:
        back = [day - timedelta(step) for step in range(1, self.lookback(day) + 1)]
        touching = [delivery for near in (day, *back) for delivery in self.touching.get(near, ())]
        counts: dict[str, DayCounts] = {}
        for delivery in self.ledger.deliveries:
            if delivery.kind == self.kind and (found := delivery.counts_on(day)).total:
                counts[delivery.source_id] = counts.get(delivery.source_id, DayCounts()) + found
        cross_day_files = {
            (delivery.source_id, cross_day_file(delivery.source_id, delivery.delivery_id))
            for delivery in touching
            if not KINDS[self.kind].is_versioned
            and self.lake.exists(cross_day_file(delivery.source_id, delivery.delivery_id))
        }
        return DayPlan(
            kind=self.kind,
            day=day,
            inputs=self.inputs(day),
            rule_version=rule_version(self.kind),
            files=self.files([day]),
            lookback=self.files(back),
            cross_day_files=tuple(sorted(cross_day_files)),
            received={
                (delivery.source_id, delivery.delivery_id): (delivery.received_order, delivery.received_at)
                for delivery in self.ledger.deliveries
            }
            if cross_day_files
            else {},
            asked=self.asked,
            account_files=tuple(path for path, _ in self._account_files) if account_names(self.asked) else (),
            counts_by_source=counts,
        )

    def files(self, days: Iterable[date]) -> tuple[RawFile, ...]:
        """The raw files of these days."""
        return tuple(
            self._raw_file(delivery, day)
            for day in days
            for delivery in self.touching.get(day, ())
            if delivery.days.get(day, (0, 0))[0]
        )

    def speed_files(self, days: Iterable[date]) -> tuple[RawFile, ...]:
        """The raw files of the windows before these days; their responses decide which response is fast."""
        window = self.registry.settings.speed_window_days
        return self.files(sorted({day - timedelta(step) for day in days for step in range(1, window + 1)}))

    def _raw_file(self, delivery: Delivery, day: date) -> RawFile:
        kept = _kept_columns(self.kind)
        # The ledger has the columns' names without people.
        shown = {shown_name(column): column for column in self.asked}
        asked = {
            shown[column]: name
            for name, column in delivery.mapping.items()
            if column in shown and name in kept
        }
        return RawFile(
            raw_file(delivery.source_id, delivery.delivery_id, day),
            delivery.source_id,
            delivery.delivery_id,
            day,
            delivery.received_at,
            delivery.as_of,
            delivery.received_order,
            self._first_id(delivery.source_id),
            delivery.checksums.get(day.isoformat()),
            asked,
            self._reread(delivery),
        )

    def _reread(self, delivery: Delivery) -> Reread:
        """The fields of a delivery that the source's entry maps to other columns by now."""
        source = self.registry.sources.get(delivery.source_id)
        if source is None:
            return {}
        # Most deliveries of a source have the same columns.
        key = (source.id, delivery.columns, tuple(delivery.mapping.items()))
        if key not in self._rereads:
            self._rereads[key] = corrected(source, delivery).reread
        return self._rereads[key]

    def _first_id(self, source_id: str) -> str:
        source = self.registry.sources.get(source_id)
        return source.first_id if source else source_id

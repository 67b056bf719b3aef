"""The plan of a day: everything that cleaning it needs, as plain values that any worker process can receive."""

from dataclasses import dataclass, field
from datetime import date, datetime

from ces_pipeline.land.corrected_entry import Reread
from ces_pipeline.land.ledger import DayCounts


@dataclass(frozen=True)
class RawFile:
    """The landed rows of one delivery on one day, with facts of the delivery from the ledger."""

    path: str
    source_id: str
    delivery_id: str
    day: date
    received_at: datetime
    as_of: datetime | None
    received_order: int
    first_id: str
    """The id that the source had first: keys are made from it."""
    checksum: tuple[int, str] | None = None
    """Size in bytes and SHA-256 of the file; None if an earlier release wrote it."""
    mapping: dict[str, str] = field(default_factory=dict)
    reread: Reread = field(default_factory=dict)
    """Field -> where its value is read from, for fields that the source's entry maps to other columns by now."""


@dataclass(frozen=True)
class DayPlan:
    """Everything that cleaning one day needs."""

    kind: str
    day: date
    inputs: str
    rule_version: str
    """Short name of the code that cleans the day."""
    files: tuple[RawFile, ...]
    lookback: tuple[RawFile, ...]
    cross_day_files: tuple[tuple[str, str], ...]
    """(source, path) of the files with cross-day revisions."""
    received: dict[tuple[str, str], tuple[int, datetime]]
    """(source, delivery) -> its place in the order of receipt, and its time; empty without cross-day revisions."""
    asked: tuple[str, ...]
    account_files: tuple[str, ...]
    """Day files of account versions; empty if no rule uses account attributes."""
    counts_by_source: dict[str, DayCounts]
    """Source -> row counts of the day, by the ledger."""

    @property
    def raw_files(self) -> tuple[RawFile, ...]:
        """The raw files that the day is cleaned from."""
        return (*self.files, *self.lookback)

    @property
    def rows(self) -> int:
        return sum(counts.landed for counts in self.counts_by_source.values())

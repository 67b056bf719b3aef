"""What cleaning a day needs to know, as plain values, so that any worker can take it."""

from dataclasses import dataclass, field
from datetime import date, datetime


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
    """All that cleaning one day needs to know."""

    kind: str
    day: date
    inputs: str
    rule_version: str
    """Short name of the code that cleans the day."""
    files: tuple[RawFile, ...]
    lookback: tuple[RawFile, ...]
    moves: tuple[tuple[str, str], ...]
    """(source, path) of the files that name rows on several days."""
    as_of: dict[tuple[str, str], datetime | None]
    """(source, delivery) -> the moment that the delivery shows; empty without moves."""
    asked: tuple[str, ...]
    account_files: tuple[str, ...]
    """Cleaned days of account versions, where a rule asks for an attribute of accounts."""
    books: dict[str, tuple[int, int]]
    """Source -> (rows landed, rows redelivered) of the day, by the ledger."""

    @property
    def rows(self) -> int:
        return sum(landed for landed, _ in self.books.values())

"""The result of an inspection: plain values, ready to be shown."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import yaml

from ces_pipeline.formats.contract import Reader
from ces_pipeline.schemas.kinds import KindName

ZoneIs = Literal["stated in the file", "given", "of the source", "named in a column's name", "assumed"]


@dataclass(frozen=True)
class InspectedColumn:
    """A column: its field (None: kept as extra), the number of filled cells, and some values.

    holds: columns of `person` and `free text` show no values.
    """

    name: str
    field: str | None
    filled: int
    holds: Literal["values", "person", "free text"]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimeRange:
    """Earliest and latest time of a column, in the time zone of the inspection, and the number of unreadable cells."""

    field: str
    column: str
    earliest: str | None
    latest: str | None
    unreadable: int


@dataclass(frozen=True)
class Question:
    """A question that the file does not answer. answer_with: the option to use. blocks: entries need the answer.

    about: `rejected` if --accept-rejected answers it: the run would reject much of the file.
    """

    text: str
    answer_with: str
    blocks: bool = True
    about: Literal["mapping", "rejected"] = "mapping"


@dataclass(frozen=True)
class Proposal:
    """Registry entries, ready to be appended."""

    sources: tuple[dict[str, Any], ...] = ()
    surveys: tuple[dict[str, Any], ...] = ()

    @property
    def sources_yaml(self) -> str:
        return entries_yaml(self.sources)

    @property
    def surveys_yaml(self) -> str:
        return entries_yaml(self.surveys)


@dataclass(frozen=True)
class Rehearsal:
    """What the next run would do with the file: numbers of rows of this delivery.

    failure: why the run would land or clean nothing, if so; the numbers are 0 then. has_landed_before: whether it
    would land nothing because it has landed. unreadable: rows that do not fit the header. superseded: rows with an
    older or equal version elsewhere. reasons: reason -> rejected rows. marked: suspect or info reason -> accepted rows.
    days: the days of the rows. links: (answers that name or match a ticket, answers that link) with the tickets
    published now; None if none are. unknown_words: field -> word that no list knows -> rows of those days.
    """

    rows: int = 0
    unreadable: int = 0
    redelivered: int = 0
    superseded: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    marked: dict[str, int] = field(default_factory=dict)
    days: tuple[date, ...] = ()
    links: tuple[int, int] | None = None
    unknown_words: dict[str, dict[str, int]] = field(default_factory=dict)
    failure: str | None = None
    has_landed_before: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """Everything that `ces inspect` shows. counts: rule -> rows whose cells break it, if the columns allow it.

    kind_is: whether the columns or the arguments show what the rows are, or nothing does. rehearsal: None if a question
    is open that the run's result depends on.
    """

    file: str
    reader: Reader
    runners_up: tuple[tuple[str, int], ...]
    kind: KindName
    columns: tuple[InspectedColumn, ...]
    rows: int
    unreadable: int
    time_zone: str
    time_zone_is: ZoneIs
    times: tuple[TimeRange, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]
    proposal: Proposal
    questions: tuple[Question, ...]
    kind_is: Literal["known", "not known"] = "known"
    rehearsal: Rehearsal | None = None


def entries_yaml(entries: tuple[dict[str, Any], ...]) -> str:
    """Entries as YAML for a registry file; empty text without entries."""
    return yaml.safe_dump(list(entries), sort_keys=False, allow_unicode=True, width=110) if entries else ""

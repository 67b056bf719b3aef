"""The result of an inspection: plain values, ready to be shown."""

from dataclasses import dataclass
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
    """A question that the file does not answer. answer_with: the option to use. blocks: entries need the answer."""

    text: str
    answer_with: str
    blocks: bool = True


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
class Inspection:
    """Everything that `ces inspect` shows. counts: rule -> rows that it would flag, if the columns allow it."""

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


def entries_yaml(entries: tuple[dict[str, Any], ...]) -> str:
    """Entries as YAML for a registry file; empty text without entries."""
    return yaml.safe_dump(list(entries), sort_keys=False, allow_unicode=True, width=110) if entries else ""

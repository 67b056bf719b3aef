"""What an inspection tells: plain values, ready to be shown."""

from dataclasses import dataclass
from typing import Any, Literal

import yaml

from ces_pipeline.formats.contract import Reader
from ces_pipeline.schemas.kinds import KindName

ZoneIs = Literal["stated in the file", "given", "of the feed", "named in a column's name", "assumed"]


@dataclass(frozen=True)
class InspectedColumn:
    """A column: the field it is read as (None: kept as extra), how many cells are filled, and some values.

    holds: `person` and `free text` columns show no values.
    """

    name: str
    field: str | None
    filled: int
    holds: Literal["values", "person", "free text"]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimeRange:
    """Earliest and latest time of a column, in the inspection's time zone, and the cells that are no time."""

    field: str
    column: str
    earliest: str | None
    latest: str | None
    unreadable: int


@dataclass(frozen=True)
class Question:
    """Something the file does not settle, and what does. `blocks`: no valid entry can be proposed before."""

    text: str
    settled_by: str
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
    """Everything `ces inspect` shows. `counts`: rule -> rows it would flag, where the columns allow it."""

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
    """Entries as a registry file lists them; no text for none."""
    return yaml.safe_dump(list(entries), sort_keys=False, allow_unicode=True, width=110) if entries else ""

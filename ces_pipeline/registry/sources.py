"""`sources.yaml`: sources. An entry says where the deliveries of a system arrive and how their columns are read."""

import hashlib
import json
import re
from datetime import date
from fnmatch import fnmatchcase
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.api import Api
from ces_pipeline.registry.base import Entry, Options, Slug, TimeZone
from ces_pipeline.registry.receive import Receive
from ces_pipeline.schemas.fields import fields_of
from ces_pipeline.schemas.kinds import KINDS, KindName

_READS_NOTHING = frozenset(
    {"inbox", "survey", "csat_scale", "api", "receive", "write_back", "formerly", "ended_on"}
)
"""Keys of a source that do not change how its bytes become rows."""


_LONGEST_FILE_NAME = 255


def _inbox_pattern(pattern: str) -> str:
    """The pattern, if it names files below the source's own folder and can be read as a glob."""
    parts = re.split(r"[/\\]", pattern)
    if (
        not pattern.strip("./ ")
        or not pattern.isprintable()
        or PurePosixPath(pattern).is_absolute()
        or PureWindowsPath(pattern).drive
        or ".." in parts
        or max(map(len, parts)) > _LONGEST_FILE_NAME
    ):
        raise ValueError(
            f"{pattern!r} names no files below the source's own inbox folder: write a pattern such as *.csv or **/*"
        )
    if any("**" in part and part != "**" for part in parts):
        raise ValueError(f"{pattern!r} has ** next to other characters: write ** between two slashes only")
    return pattern


InboxPattern = Annotated[str, AfterValidator(_inbox_pattern)]


class WriteBack(Entry):
    """The ticket field that `ces export scores` writes the score of an answer to."""

    field: str = Field(
        pattern=r"^\w+$",
        description="Zendesk: the field's id; Freshdesk: its name (cf_...); ServiceNow: its column",
    )
    value: Literal["score", "effort_0_100", "ease_0_100", "effort_band"] = Field(
        "score", description="what is written"
    )


class Source(Entry):
    """A source: where the deliveries of one system arrive, and how their columns are read."""

    id: Slug = Field(description="name of the source and of its inbox folder: lower-case letters, digits, _")
    kind: KindName = Field(description="what its rows are")
    reader: str = Field(description="the format; see Readers below")
    inbox: InboxPattern = Field("**/*", description="which files below inbox/<id>/ belong to the source")
    time_zone: TimeZone = Field(
        "UTC", description="zone of times that name no zone (a zone in the file wins)"
    )
    time_formats: tuple[str, ...] = Field(
        (), description="strptime formats of times in no usual notation; added to the reader's own"
    )
    date_order: Literal["day", "month"] | None = Field(
        None, description="what comes first in dates such as 02/11/2026, if the files do not show it"
    )
    survey: str | None = Field(None, description="the survey of every answer of this source")
    survey_column: str | None = Field(
        None, description="column whose value names the survey; instead of `survey`"
    )
    columns: dict[str, str | Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        {},
        description="our field -> the export's column, or a list: the first of them that is filled; added to the "
        "reader's own",
    )
    day: date | Literal["received"] | None = Field(
        None,
        description="day of answers whose export has no time: a date, or `received` for the day on which they landed",
    )
    values: dict[str, dict[str, str]] = Field({}, description="our field -> export value -> our value")
    csat_scale: str | None = Field(
        None, description="scale of the satisfaction ratings of tickets; unset: good and bad, or a percentage"
    )
    people: tuple[str, ...] = Field((), description="further columns that hold people, to be pseudonymised")
    hashed: tuple[str, ...] = Field(
        (), description="our fields of people whose column already holds the keyed hash of this installation"
    )
    ignore: tuple[str, ...] = Field(
        (), description="columns that are not kept, such as the time of the export"
    )
    missing: tuple[str, ...] = Field(
        (), description="texts that mean: no value (an empty cell always means that)"
    )
    options: Options = Field(
        {}, description="further settings of the reader, such as delimiter or record_path"
    )
    api: Api | None = Field(None, description="the API that it is pulled from; its inbox is read as well")
    receive: Receive | None = Field(
        None, description="webhooks that `ces receive` accepts for it; its inbox is read as well"
    )
    write_back: WriteBack | None = Field(None, description="what `ces export scores` writes to its tickets")
    formerly: tuple[Slug, ...] = Field(
        (),
        description="ids that the source had before, the oldest first: what landed under them stays its own",
    )
    ended_on: date | None = Field(
        None,
        description="its last day: after it, its inbox and its API are not read; its rows stay published",
    )

    @model_validator(mode="after")
    def _survey_named_once(self) -> "Source":
        if self.kind == "survey" and (self.survey is None) == (self.survey_column is None):
            raise ValueError("a source of kind survey needs exactly one of survey and survey_column")
        if self.survey and self.survey_column:
            raise ValueError("set survey or survey_column, not both")
        if self.day and self.kind != "survey":
            raise ValueError(
                "day is for sources of kind survey: rows of other kinds need a time of their own"
            )
        if self.csat_scale and self.kind != "tickets":
            raise ValueError(
                "csat_scale is for sources of kind tickets: a survey has its own in surveys.yaml"
            )
        known = fields_of(self.kind)
        for name, columns in self.columns_of.items():
            if len(columns) > 1 and name in known and known[name].key_column:
                raise ValueError(f"columns.{name}: a person or a reference is read from one column: keep one")
        if not KINDS[self.kind].has_survey and (self.survey or self.survey_column):
            raise ValueError(f"a source of kind {self.kind} has no survey: remove survey and survey_column")
        for place, name in enumerate(self.formerly):
            if name == self.id or name in self.formerly[:place]:
                raise ValueError(
                    f"formerly: {name} is there twice, or is the id itself: name each earlier id once"
                )
        return self

    def takes(self, file_name: str) -> bool:
        """Whether a file of this name, straight in the source's inbox folder, belongs to the source."""
        pattern = self.inbox
        while pattern.startswith("**/"):
            pattern = pattern.removeprefix("**/")
        return fnmatchcase(file_name, pattern)

    @property
    def first_id(self) -> str:
        """The id that the source had first: the keys of its rows are made from it, so that a rename keeps them."""
        return self.formerly[0] if self.formerly else self.id

    def has_ended(self, today: date) -> bool:
        """Whether the source delivers no more. today: the day in the business time zone."""
        return self.ended_on is not None and today > self.ended_on

    @property
    def columns_of(self) -> dict[str, tuple[str, ...]]:
        """Our field -> the export's columns of it, in the order in which they are tried."""
        return {
            name: (columns,) if isinstance(columns, str) else columns
            for name, columns in self.columns.items()
        }

    @property
    def csat_is_percentage(self) -> bool:
        """Whether a small number in `csat` can be a percentage: connectors and `values` translate ratings to them."""
        return self.api is not None or "csat" in self.values

    @property
    def reading(self) -> str:
        """Fingerprint of every key that decides how the bytes of this source become rows."""
        return hashlib.sha256(json.dumps(self.read_keys, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def read_keys(self) -> dict[str, Any]:
        """Every key that decides how the bytes of this source become rows, as JSON values."""
        unset = {name for name in ("hashed", "day", "date_order") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude={*_READS_NOTHING, *unset}) | {"id": self.first_id}

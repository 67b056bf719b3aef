"""`sources.yaml`: sources, each the deliveries of one system and how their columns are read."""

import hashlib
import json
from typing import Any, Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.api import Api
from ces_pipeline.registry.base import Entry, Slug, TimeZone
from ces_pipeline.schemas.kinds import KINDS, KindName


class WriteBack(Entry):
    """That the score of a ticket's answer is written to the ticket, and where. Only `ces export scores` does it."""

    field: str = Field(
        pattern=r"^\w+$",
        description="Zendesk: the field's id; Freshdesk: its name (cf_...); ServiceNow: its column",
    )
    value: Literal["score", "effort_0_100", "ease_0_100", "effort_band"] = "score"


class Source(Entry):
    """A feed: where deliveries of one system arrive and how their columns are to be read."""

    id: Slug
    kind: KindName
    reader: str
    inbox: str = Field("**/*", description="which files below inbox/<id>/ belong to the source")
    time_zone: TimeZone = Field(
        "UTC", description="zone of times that carry none (one stated in the file wins)"
    )
    time_formats: tuple[str, ...] = Field((), description="strptime formats of times that are not ISO 8601")
    survey: str | None = Field(None, description="the survey of every answer of this source")
    survey_column: str | None = Field(None, description="or: the column whose value names it")
    columns: dict[str, str] = Field(
        {}, description="our field -> the export's column; added to the reader's own"
    )
    values: dict[str, dict[str, str]] = Field({}, description="our field -> export value -> our value")
    people: tuple[str, ...] = Field((), description="further columns that hold people, to be pseudonymised")
    hashed: tuple[str, ...] = Field(
        (), description="our fields of people whose column holds this installation's own keyed hash already"
    )
    ignore: tuple[str, ...] = Field((), description="columns never kept, such as the time of the export")
    missing: tuple[str, ...] = Field((), description="texts that mean: no value (the empty cell always does)")
    options: dict[str, Any] = Field(
        {}, description="further settings of the reader, such as delimiter or record_path"
    )
    api: Api | None = Field(None, description="where it is pulled from; its inbox is read as well")
    write_back: WriteBack | None = Field(None, description="what `ces export scores` writes to its tickets")

    @model_validator(mode="after")
    def _survey_named_once(self) -> "Source":
        if self.kind == "survey" and (self.survey is None) == (self.survey_column is None):
            raise ValueError("a survey feed names its touchpoint by exactly one of survey and survey_column")
        if self.survey and self.survey_column:
            raise ValueError("a feed names its touchpoint by survey or survey_column, not by both")
        if not KINDS[self.kind].has_survey and (self.survey or self.survey_column):
            raise ValueError(f"a feed of kind {self.kind} has no survey")
        return self

    @property
    def reading(self) -> str:
        """Fingerprint of everything that decides how this feed's bytes become rows."""
        unset = set() if self.hashed else {"hashed"}
        told = self.model_dump(mode="json", exclude={"inbox", "survey", "api", "write_back", *unset})
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

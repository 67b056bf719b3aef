"""`restatements.yaml`: days whose personas come from the accounts of another day."""

from datetime import date

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug


class Restatement(Entry):
    """Days whose personas and stages come from the accounts as they were on another day."""

    id: Slug = Field(description="name of the entry: lower-case letters, digits, _")
    first_day: date = Field(description="first day to restate")
    last_day: date = Field(description="last day to restate")
    as_of: date = Field(description="the day whose accounts are used")
    why: str = Field("", description="the reason, for the record")

    @model_validator(mode="after")
    def _in_order(self) -> "Restatement":
        if self.first_day > self.last_day:
            raise ValueError("first_day must not be after last_day")
        return self

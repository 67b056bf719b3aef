"""`restatements.yaml`: days whose personas are decided by the accounts of another day."""

from datetime import date

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug


class Restatement(Entry):
    """Days whose personas and stages are decided by the accounts as they were on another day."""

    id: Slug
    first_day: date
    last_day: date
    as_of: date = Field(description="the day whose accounts decide")
    why: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> "Restatement":
        if self.first_day > self.last_day:
            raise ValueError("first_day must not be after last_day")
        return self

"""`fixes.yaml`: what was done to lower effort."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug, Text

Lever = Literal["slow_api", "manual_step", "self_service_gap", "workflow_redesign", "bug"]


class Fix(Entry):
    """Something done to lower the effort of some categories of tickets, live from a day on."""

    id: Slug
    title: Text
    live_on: date
    categories: tuple[Text, ...] = Field(min_length=1)
    lever: Lever | None = Field(
        default=None, description="what kind of thing it is; left out: counted as untagged"
    )
    cost: float | None = Field(default=None, ge=0, description="in the unit of priorities.yaml")
    owner: str | None = None
    triggered_on: date | None = Field(
        None,
        description="first day of the figures because of which it was chosen: compared is the time before",
    )
    comparison_categories: tuple[Text, ...] = Field(
        (), description="categories that it does not touch; left out: those of like effort"
    )

    @model_validator(mode="after")
    def _compares_with_others(self) -> "Fix":
        for key in ("categories", "comparison_categories"):
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} names a category twice")
        if both := sorted(set(self.categories) & set(self.comparison_categories)):
            raise ValueError(f"{both[0]!r} cannot be a category of the fix and a comparison category")
        if self.triggered_on and self.triggered_on > self.live_on:
            raise ValueError("triggered_on must not be after live_on")
        return self

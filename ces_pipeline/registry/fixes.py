"""`fixes.yaml`: changes that were made to lower effort."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug, Text

Lever = Literal["slow_api", "manual_step", "self_service_gap", "workflow_redesign", "bug"]


class Fix(Entry):
    """A change that is meant to lower the effort of some categories of tickets, live from a day on."""

    id: Slug = Field(description="name of the fix: lower-case letters, digits, _")
    title: Text = Field(description="what was done, in a few words")
    live_on: date = Field(description="first day on which customers had it")
    categories: tuple[Text, ...] = Field(
        min_length=1, description="categories of tickets that the fix changes"
    )
    lever: Lever | None = Field(default=None, description="kind of change; without it, counted as untagged")
    cost: float | None = Field(default=None, ge=0, description="cost, in the unit of priorities.yaml")
    owner: str | None = Field(None, description="who is responsible for it")
    triggered_on: date | None = Field(
        None,
        description="first day of the figures that led to the fix; the comparison uses the time before it",
    )
    comparison_categories: tuple[Text, ...] = Field(
        (), description="categories that the fix does not change; unless set, those of similar effort"
    )

    @model_validator(mode="after")
    def _compares_with_others(self) -> "Fix":
        for key in ("categories", "comparison_categories"):
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} lists a category twice: delete the repetition")
        if both := sorted(set(self.categories) & set(self.comparison_categories)):
            raise ValueError(
                f"{both[0]!r} is in categories and in comparison_categories: remove it from one of them"
            )
        if self.triggered_on and self.triggered_on > self.live_on:
            raise ValueError("triggered_on must not be after live_on")
        return self

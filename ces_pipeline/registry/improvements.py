"""What was done about effort, and what an improvement is worth: fixes, releases, value weights and costs.

Categories and personas are those of tickets and answers. No figure is computed here.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug

Lever = Literal["slow_api", "manual_step", "self_service_gap", "workflow_redesign", "bug"]
Text = Annotated[str, Field(min_length=1)]


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


class Release(Entry):
    """A version that went live. Without products and touchpoints it concerns every answer."""

    id: Slug
    day: date
    title: Text
    products: tuple[Text, ...] = ()
    touchpoints: tuple[Slug, ...] = ()


Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Priorities(Entry):
    """What decides the rank of a category besides its volume and effort. What is left out is not known."""

    value_weights: dict[Text, Weight] = Field(
        default={}, description="persona: worth of one of its customers"
    )
    category_costs: dict[Text, Weight] = Field(
        default={}, description="category: estimated cost of fixing it"
    )
    quick_win_cost: float | None = Field(
        default=None, gt=0, description="a cost up to this makes a quick win"
    )

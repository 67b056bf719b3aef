"""`priorities.yaml`: what a category of tickets is worth and costs, for its rank."""

from typing import Annotated

from pydantic import Field

from ces_pipeline.registry.base import Entry, Text

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

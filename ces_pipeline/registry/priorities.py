"""`priorities.yaml`: values and costs that rank the categories of tickets."""

from typing import Annotated

from pydantic import Field

from ces_pipeline.registry.base import Entry, Text

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Priorities(Entry):
    """What ranks a category in addition to its volume and effort. A missing value means unknown."""

    value_weights: dict[Text, Weight] = Field(default={}, description="persona: value of a customer of it")
    category_costs: dict[Text, Weight] = Field(default={}, description="category: estimated cost to fix it")
    quick_win_cost: float | None = Field(
        default=None, gt=0, description="a fix that costs at most this is a quick win"
    )

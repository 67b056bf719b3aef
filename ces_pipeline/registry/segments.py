"""`segments.yaml`: rules that assign a persona, a journey stage or a kind of handling."""

from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug

ACCOUNT_PREFIX = "account."
"""Prefix of an account attribute in the conditions of a rule."""


TICKET_ATTRIBUTES = (
    "source_id",
    "status",
    "priority",
    "category",
    "channel",
    "product",
    "group_name",
    "replies",
    "handoffs",
    "reopens",
)
"""Columns of `core.tickets` that a rule about handling may use."""


class Segment(Entry):
    """A persona, journey-stage or handling rule. All conditions must be true; the first rule that matches wins.

    A condition is on an attribute of the answer, or on one of the respondent's account (`account.<attribute>`). In a
    rule about handling it is on one of TICKET_ATTRIBUTES.
    """

    id: Slug = Field(description="name of the rule: lower-case letters, digits, _")
    assigns: Literal["persona", "journey_stage", "handling"] = Field(
        "persona", description="what the rule decides"
    )
    value: str = Field(description="the value that it assigns")
    when: dict[str, str | float | int | tuple[str | float | int, ...]] = Field(
        min_length=1,
        description="attribute: the value, or list of values, that it must have; every line must match",
    )

    @model_validator(mode="after")
    def _asks_a_ticket(self) -> "Segment":
        if self.assigns == "handling" and (stray := sorted(set(self.when) - set(TICKET_ATTRIBUTES))):
            raise ValueError(
                f"a rule about handling can use attributes of tickets only, and {stray[0]!r} is not one "
                f"(known: {', '.join(TICKET_ATTRIBUTES)})"
            )
        return self

    def wanted(self, attribute: str) -> tuple[str | float | int, ...]:
        """The values of this attribute that the rule accepts."""
        values = self.when[attribute]
        return values if isinstance(values, tuple) else (values,)

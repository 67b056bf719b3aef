"""`segments.yaml`: rules that assign a persona, a journey stage or a kind of handling."""

from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug

ACCOUNT_PREFIX = "account."
"""What the name of an account's attribute begins with in the conditions of a rule."""


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
"""What a rule about the handling of tickets may ask for: columns of `core.tickets`."""


class Segment(Entry):
    """A persona, journey-stage or handling rule. All conditions must hold; the first rule that matches wins.

    A condition is on an attribute of the answer, or, as `account.<attribute>`, of the respondent's account; of a rule
    about handling, on one of TICKET_ATTRIBUTES.
    """

    id: Slug
    assigns: Literal["persona", "journey_stage", "handling"] = "persona"
    value: str
    when: dict[str, str | float | int | tuple[str | float | int, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _asks_a_ticket(self) -> "Segment":
        if self.assigns == "handling" and (stray := sorted(set(self.when) - set(TICKET_ATTRIBUTES))):
            raise ValueError(
                f"a rule about handling asks tickets, and {stray[0]!r} is no attribute of theirs "
                f"(known: {', '.join(TICKET_ATTRIBUTES)})"
            )
        return self

    def wanted(self, attribute: str) -> tuple[str | float | int, ...]:
        """The values that the rule accepts of an attribute that it asks for."""
        values = self.when[attribute]
        return values if isinstance(values, tuple) else (values,)

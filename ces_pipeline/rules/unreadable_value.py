"""the value of an event is not a number"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.events import EventFacts


def has_readable_value(facts: "EventFacts") -> Flags:
    """Whether the value is a finite number, or there is none."""
    return facts.value.notna().to_numpy() | facts.rows["value"].isna().to_numpy()


RULE = Rule(
    name="unreadable_value",
    position=114,
    severity="reject",
    evidence=has_readable_value,
    check=equals(True),
    poison=poison({"value": "many"}),
    kinds=("events",),
)

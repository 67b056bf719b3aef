"""an event has no type"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.events import EventFacts


def has_type(facts: "EventFacts") -> Flags:
    """Whether a type is named. A row that cannot be read is not also reported for this."""
    return facts.rows["event_type"].notna().to_numpy() | ~facts.is_readable


RULE = Rule(
    name="missing_type",
    position=112,
    severity="reject",
    evidence=has_type,
    check=equals(True),
    poison=poison({"event_type": None}),
    kinds=("events",),
)

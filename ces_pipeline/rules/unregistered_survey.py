"""no survey is registered for it"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_registered(facts: "ResponseFacts") -> Flags:
    """Whether the row's survey is registered. A row that cannot be read is not also reported for this."""
    return (facts.which >= 0) | ~facts.is_readable


RULE = Rule(
    name="unregistered_survey",
    position=20,
    severity="reject",
    evidence=is_registered,
    check=equals(True),
    poison=poison({"survey": "exit poll"}),
)

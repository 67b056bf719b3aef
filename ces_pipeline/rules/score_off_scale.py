"""a number outside the registered scale"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Counts, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def answers_off_scale(facts: "ResponseFacts") -> Counts:
    """How many required answers are numbers outside their scale."""
    return facts.required_off_scale


RULE = Rule(
    name="score_off_scale",
    position=50,
    severity="reject",
    evidence=answers_off_scale,
    check=equals(0),
    poison=poison({"score": "6"}),
)

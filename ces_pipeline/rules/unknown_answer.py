"""neither a number nor a label of the registered scale"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Counts, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def answers_unknown(facts: "ResponseFacts") -> Counts:
    """How many required answers are neither a number nor a label of their scale."""
    return facts.required_unknown


RULE = Rule(
    name="unknown_answer",
    position=60,
    severity="reject",
    evidence=answers_unknown,
    check=equals(0),
    poison=poison({"score": "easyish"}),
)

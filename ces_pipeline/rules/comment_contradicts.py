"""the comment says the opposite of the score"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_contradicted(facts: "ResponseFacts") -> Flags:
    return facts.is_contradicted


RULE = Rule(
    name="comment_contradicts",
    position=150,
    severity="suspect",
    evidence=is_contradicted,
    check=equals(False),
    poison=poison({"score": "5", "comment": "This was terrible, a waste of my time"}),
)

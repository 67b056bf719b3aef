"""a required answer is blank, or it is unfinished without one"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Counts, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def required_answers_blank(facts: "ResponseFacts") -> Counts:
    """How many required answers are blank; 1 for an unfinished row whose survey keeps no partial answers."""
    blank = facts.required_blank
    counts: Counts = blank + (facts.is_unfinished & ~facts.keeps_partial & (blank == 0))
    return counts


RULE = Rule(
    name="incomplete",
    position=40,
    severity="reject",
    evidence=required_answers_blank,
    check=equals(0),
    poison=poison({"score": None}),
    settings=("keep_partial",),
)

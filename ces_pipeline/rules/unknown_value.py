"""a flag or status is a word that no list knows, so what it means is not known"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def has_unknown_word(facts: "ResponseFacts") -> Flags:
    """Whether `finished` or `status` is such a word. `values` of the source says what a word means."""
    return facts.has_unknown_word


RULE = Rule(
    name="unknown_value",
    position=125,
    severity="suspect",
    evidence=has_unknown_word,
    check=equals(False),
    poison=poison({"status": "odd"}),
)

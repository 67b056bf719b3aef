"""an answer that the registry expects is not the expected one"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Counts, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def unexpected_answers(facts: "ResponseFacts") -> Counts:
    """How many answers are not what the survey's `expect` names. Quotes, final punctuation and case do not count."""
    return facts.count(
        rows & ~facts.says(column, expected)
        for survey, rows in facts.by_survey()
        for column, expected in survey.expected.items()
    )


RULE = Rule(
    name="failed_attention_check",
    position=70,
    severity="reject",
    evidence=unexpected_answers,
    check=equals(0),
    poison=poison({"colour": "red"}, expect={"colour": "blue"}),
)

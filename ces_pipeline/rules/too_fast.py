"""faster than the survey's floor"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Numbers, Rule, at_least, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def seconds_above_floor(facts: "ResponseFacts") -> Numbers:
    """Seconds more than the survey's least; missing without a duration."""
    return facts.duration_seconds - facts.per_survey(lambda survey: survey.rules.min_duration_seconds, 0)


RULE = Rule(
    name="too_fast",
    position=80,
    severity="reject",
    evidence=seconds_above_floor,
    check=at_least(0),
    poison=poison({"duration_seconds": "1.99"}, rules={"min_duration_seconds": 2}),
    settings=("min_duration_seconds",),
)

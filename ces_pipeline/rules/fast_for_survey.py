"""much faster than the survey's answers of the weeks before"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Numbers, Rule, at_least, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def seconds_above_usual(facts: "ResponseFacts") -> Numbers:
    """Seconds more than the speed limit of the survey on that day; missing without a duration."""
    return facts.duration_seconds - facts.speed_limits


RULE = Rule(
    name="fast_for_survey",
    position=140,
    severity="suspect",
    evidence=seconds_above_usual,
    check=at_least(0),
    poison=poison({"duration_seconds": "9.9"}, speed_limit_seconds=10.0),
    settings=("fast_sd", "fast_minimum_n"),
)

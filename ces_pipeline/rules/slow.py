"""slower than the survey's ceiling"""

from math import inf
from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Numbers, Rule, at_least, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def seconds_below_ceiling(facts: "ResponseFacts") -> Numbers:
    """Seconds less than the survey's most; missing without a duration."""
    return (
        facts.per_survey(lambda survey: survey.rules.max_duration_seconds or inf, inf)
        - facts.duration_seconds
    )


RULE = Rule(
    name="slow",
    position=170,
    severity="info",
    evidence=seconds_below_ceiling,
    check=at_least(0),
    poison=poison({"duration_seconds": "600.5"}, rules={"max_duration_seconds": 600}),
    settings=("max_duration_seconds",),
)

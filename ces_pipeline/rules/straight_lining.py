"""the answers to the matrix columns that the survey names are all, or nearly all, the same"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_straight_lined(facts: "ResponseFacts") -> Flags:
    """Whether the answers are as alike as `rules.straight_lining` of the survey says; False without this setting."""
    return facts.straight_lined


RULE = Rule(
    name="straight_lining",
    position=165,
    severity="suspect",
    evidence=is_straight_lined,
    check=equals(False),
    poison=poison(
        {"speed": "4", "tone": "4", "clarity": "4"},
        rules={"straight_lining": {"columns": ["speed", "tone", "clarity"]}},
    ),
    settings=("straight_lining",),
)

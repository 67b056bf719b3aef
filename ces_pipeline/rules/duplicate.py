"""same respondent, survey and ticket within the window, or a double submit"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_repeat(facts: "ResponseFacts", eligible: Flags) -> Flags:
    """Whether an eligible row shortly before is the same answer again."""
    return facts.repeats(eligible)


RULE = Rule(
    name="duplicate",
    position=120,
    severity="reject",
    evidence=is_repeat,
    check=equals(False),
    compares_rows=True,
    settings=("duplicate_window_hours", "double_submit_seconds"),
)

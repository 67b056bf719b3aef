"""same respondent, survey and ticket within the window, or a double submit"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

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
    poison=poison(
        {"respondent_key": "someone", "event_at": datetime(2026, 3, 2, 12, tzinfo=UTC)},
        {"respondent_key": "someone", "event_at": datetime(2026, 3, 2, 13, tzinfo=UTC)},
        rules={"duplicate_window_hours": 24},
    ),
    compares_rows=True,
    settings=("duplicate_window_hours", "double_submit_seconds"),
)

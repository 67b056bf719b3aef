"""preview, test, spam or staff answer by the platform's own status"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_test(facts: "ResponseFacts") -> Flags:
    return facts.is_test


RULE = Rule(
    name="test_response",
    position=30,
    severity="reject",
    evidence=is_test,
    check=equals(False),
    poison=poison({"status": "test"}),
)

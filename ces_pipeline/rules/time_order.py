"""submitted before started"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Condition, Numbers, Rule, above, at_least, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.accounts import AccountFacts
    from ces_pipeline.clean.response_facts import ResponseFacts

_EARLIER, _LATER = (datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC) for second in (0, 1))


def seconds_from_start_to_submit(facts: "ResponseFacts") -> Numbers:
    return (facts.rows["submitted_at"] - facts.rows["started_at"]).dt.total_seconds().to_numpy()


def seconds_valid(facts: "AccountFacts") -> Numbers:
    """Seconds from the version's beginning to its end; missing while it has no end."""
    return (facts.rows["valid_to"] - facts.began).dt.total_seconds().to_numpy()


# A ticket updated before it was created is kept: helpdesks round and import such times, and the ticket is no less real.
RULE = Rule(
    name="time_order",
    position=100,
    severity="reject",
    evidence=seconds_from_start_to_submit,
    check=at_least(0),
    poison=poison({"started_at": _LATER, "submitted_at": _EARLIER}),
    by_kind={
        "accounts": Condition(seconds_valid, above(0), poison({"valid_from": _LATER, "valid_to": _EARLIER}))
    },
)

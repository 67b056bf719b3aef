"""recorded after it was received"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Numbers, Rule, at_least, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.facts import Facts


# Clocks of two systems may differ a little; a row recorded later than this after its receipt is not skew.
CLOCK_SKEW_SECONDS = 300.0


def seconds_before_receipt(facts: "Facts") -> Numbers:
    """Seconds from the row's time to its receipt; missing without a time."""
    return (facts.rows["received_at"] - facts.rows["event_at"]).dt.total_seconds().to_numpy()


RULE = Rule(
    name="in_the_future",
    position=110,
    severity="reject",
    evidence=seconds_before_receipt,
    check=at_least(-CLOCK_SKEW_SECONDS),
    poison=poison({"event_at": datetime(2999, 1, 1, tzinfo=UTC)}),
    kinds=("survey", "tickets", "invitations", "events", "follow_ups"),
)

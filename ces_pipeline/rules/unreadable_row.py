"""the row does not fit the export's own header"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.facts import Facts


def is_readable(facts: "Facts") -> Flags:
    return facts.is_readable


RULE = Rule(
    name="unreadable_row",
    position=10,
    severity="reject",
    evidence=is_readable,
    check=equals(True),
    poison=poison({"problem": "7 cells, the header has 6"}),
    kinds=("survey", "tickets", "accounts", "invitations", "events", "follow_ups"),
)

"""a follow-up names neither a response nor a ticket"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.facts import Facts


def names_an_answer(facts: "Facts") -> Flags:
    """Whether a response or a ticket is named. A row that cannot be read is not also reported for this."""
    named = facts.rows["response_id"].notna() | facts.rows["ticket_id"].notna()
    return named.to_numpy() | ~facts.is_readable


RULE = Rule(
    name="missing_answer",
    position=116,
    severity="reject",
    evidence=names_an_answer,
    check=equals(True),
    poison=poison({"response_id": None, "ticket_id": None}),
    kinds=("follow_ups",),
)

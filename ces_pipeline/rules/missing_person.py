"""an account row names no person"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.accounts import AccountFacts


def has_person(facts: "AccountFacts") -> Flags:
    """Whether a person is named. A row that cannot be read is not also reported for this."""
    return facts.rows["person_key"].notna().to_numpy() | ~facts.is_readable


RULE = Rule(
    name="missing_person",
    position=85,
    severity="reject",
    evidence=has_person,
    check=equals(True),
    poison=poison({"person_key": None}),
    kinds=("accounts",),
)

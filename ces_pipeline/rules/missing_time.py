"""no usable time"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Condition, Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.accounts import AccountFacts
    from ces_pipeline.clean.facts import Facts


def has_usable_time(facts: "Facts") -> Flags:
    """Whether the row's time is known and not before the first day. An unreadable row is not also reported for this."""
    return facts.is_usable | ~facts.is_readable


def has_readable_times(facts: "AccountFacts") -> Flags:
    """Whether every time that the row states can be read. An account may begin on any day, or state none."""
    return facts.rows["times_as_written"].isna().to_numpy() | ~facts.is_readable


RULE = Rule(
    name="missing_time",
    position=90,
    severity="reject",
    evidence=has_usable_time,
    check=equals(True),
    poison=poison({"event_at": None}),
    kinds=("survey", "tickets", "invitations", "events", "follow_ups"),
    by_kind={
        "accounts": Condition(
            has_readable_times, equals(True), poison({"times_as_written": '{"valid_from": "soon"}'})
        )
    },
)

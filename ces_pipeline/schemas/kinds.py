"""The kinds of source: what identifies a row, which time decides its day, and the tables that it fills.

All differences between kinds in landing, staleness and storage are declared here. The fields of a kind are in
`fields.py`, its columns in the other modules of `schemas/`, and the judging of its rows in `ces_pipeline.clean`.
"""

from dataclasses import dataclass
from typing import Literal

KindName = Literal["survey", "tickets", "accounts", "invitations", "events", "follow_ups"]


@dataclass(frozen=True)
class Kind:
    """One kind of source.

    own_id: the field that identifies a row within its source. key: the key column in the tables.
    times: time fields in order of preference; the first with a value decides the day of a row.
    essential: fields whose mapped column must be in the export.
    is_versioned: True if every update is a separate row (own id and time). False if the same id with different
    content is a revision; then the newest revision is used, on any day.
    accepted, rejected: the tables of day files. has_survey: whether a source of this kind may name its survey.
    """

    name: KindName
    own_id: str
    key: str
    times: tuple[str, ...]
    essential: tuple[str, ...]
    is_versioned: bool
    accepted: str
    rejected: str
    has_survey: bool = False

    @property
    def tables(self) -> tuple[str, str]:
        return self.accepted, self.rejected


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="accounts",
            own_id="person",
            key="version_key",
            times=("valid_from",),
            essential=("person", "valid_from"),
            is_versioned=True,
            accepted="core.account_versions",
            rejected="core.rejected_accounts",
        ),
        Kind(
            name="invitations",
            own_id="invitation_id",
            key="invitation_key",
            times=("sent_at",),
            essential=("invitation_id", "survey", "sent_at"),
            is_versioned=False,
            accepted="core.invitations",
            rejected="core.rejected_invitations",
            has_survey=True,
        ),
        Kind(
            name="events",
            own_id="event_id",
            key="event_key",
            times=("occurred_at",),
            essential=("event_type", "occurred_at"),
            is_versioned=False,
            accepted="core.events",
            rejected="core.rejected_events",
            has_survey=True,
        ),
        Kind(
            name="follow_ups",
            own_id="follow_up_id",
            key="follow_up_key",
            times=("changed_at",),
            essential=("state", "changed_at"),
            is_versioned=True,
            accepted="core.follow_ups",
            rejected="core.rejected_follow_ups",
        ),
        Kind(
            name="tickets",
            own_id="ticket_id",
            key="ticket_key",
            times=("updated_at", "closed_at", "solved_at", "first_reply_at", "created_at"),
            essential=("ticket_id", "updated_at"),
            is_versioned=True,
            accepted="core.ticket_versions",
            rejected="core.rejected_tickets",
        ),
        Kind(
            name="survey",
            own_id="response_id",
            key="response_key",
            times=("recorded_at", "submitted_at"),
            essential=("score", "survey", "response_id", "recorded_at"),
            is_versioned=False,
            accepted="core.responses",
            rejected="core.rejected_responses",
            has_survey=True,
        ),
    )
}
"""Kind by name, in the order in which a run cleans them. Answers are last: their personas depend on the accounts."""

ALWAYS: tuple[str, ...] = ("tickets", "survey")
"""The kinds that every home has tables and steps for, even without sources of them."""

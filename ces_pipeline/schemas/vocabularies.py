"""Closed vocabularies of published columns."""

INVITATION_STATUSES = (
    "unknown", "sent", "delivered", "opened", "started", "completed", "bounced", "failed", "refused", "out_of_scope",
)  # fmt: skip
"""Statuses of an invitation. It only moves forward in this order, in whatever order exports arrive."""

FOLLOW_UP_STATES = ("unknown", "assigned", "contacted", "resolved")
"""States of a follow-up, the furthest last."""

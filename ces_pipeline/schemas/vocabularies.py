"""Closed vocabularies of published columns. The registry reads them too, so nothing here imports a library."""

INVITATION_STATUSES = (
    "unknown", "sent", "delivered", "opened", "started", "completed", "bounced", "failed", "refused", "out_of_scope",
)  # fmt: skip
"""Statuses of an invitation. It only moves forward in this order, in whatever order exports arrive."""

FOLLOW_UP_STATES = ("unknown", "assigned", "contacted", "resolved")
"""States of a follow-up, the furthest last."""

SERIES_KINDS = (
    "responses", "effort", "difficult_share", "tickets", "landed_rows", "rejected_share", "reason_share",
    "comment_share", "duration_seconds", "arrival_minutes", "known_share", "linked_share", "invitations",
    "response_rate",
)  # fmt: skip
"""The figures that are watched for anomalies; `arrival_minutes` is the time from answer to receipt."""

SERIES_DIMENSIONS = (
    "survey", "channel", "persona", "product", "journey_stage", "owner", "category", "source", "tag", "all",
)  # fmt: skip
"""What a watched figure is split by."""

SERIES_DIRECTIONS = ("harder", "easier", "more", "fewer", "higher", "lower", "longer", "shorter")
"""The directions of an incident of a watched figure."""

EVENT_KINDS = ("published", "report_ready")
"""Kinds of messages of `audit.alert_deliveries` that tell of a run, and of no incident."""

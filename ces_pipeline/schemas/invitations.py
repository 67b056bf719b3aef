"""Invitations: who was invited, when, and with which result; and the rejected rows."""

import pandera.pandas as pa

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, NUMBER, TEXT, Table, column
from ces_pipeline.schemas.vocabularies import INVITATION_STATUSES

INVITATIONS = Table(
    "core.invitations",
    "One row per invitation, in its newest state.",
    ("invitation_key",),
    {
        "invitation_key": column(TEXT, "Hash of source and invitation id; its key in every table."),
        "source_id": column(TEXT, "The source that delivered it."),
        "survey_id": column(
            TEXT, "The registered survey; null: no survey is registered for it.", nullable=True
        ),
        "invitation_id": column(
            TEXT, "The platform's id; for exports without ids `row-` and a hash of the row."
        ),
        "person_key": column(
            TEXT, "Keyed hash of the invited person, same as respondent_key; null: not known.", nullable=True
        ),
        "response_id": column(
            TEXT, "The answer to the invitation, as the platform reports; null: not given.", nullable=True
        ),
        "ticket_id": column(TEXT, "The ticket that it asks about; null: not given.", nullable=True),
        "event_id": column(TEXT, "The event that triggered it; null: not given.", nullable=True),
        "channel": column(TEXT, "How it was sent; `unknown` if not given."),
        "status": column(
            TEXT,
            "State, as the platform reports it: "
            + ", ".join(f"`{name}`" for name in INVITATION_STATUSES)
            + ".",
            checks=pa.Check.isin(list(INVITATION_STATUSES)),
        ),
        "sent_at": column(INSTANT, "When it was sent, UTC."),
        "revision": column(
            INTEGER, "1 for the first content seen, 2 for the next, ... (the newest is kept)."
        ),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "day": column(DAY, "Partition: business-zone date of sent_at."),
    },
    sort=("sent_at", "invitation_key"),
)

REJECTED_INVITATIONS = rejected_table(
    "core.rejected_invitations",
    "invitation",
    {
        "invitation_key": column(TEXT, "Hash of source and invitation id."),
        "source_id": column(TEXT, "The source that delivered it."),
        "invitation_id": column(
            TEXT, "The platform's id; for rows without one `row-` and a hash of the row."
        ),
    },
    "sent_at",
    "When it was sent",
)

RESPONSE_INVITATIONS = Table(
    "core.response_invitations",
    "One row per response to an invitation.",
    ("response_key",),
    {
        "response_key": column(TEXT, "The response."),
        "invitation_key": column(TEXT, "The invitation; an invitation has at most one response."),
        "method": column(TEXT, "`response_id`, `ticket_id` or `person_window`: how it was found."),
        "confidence": column(
            NUMBER,
            "1 for an id that both sides share, less for a match by person and time.",
            checks=pa.Check.in_range(0, 1),
        ),
        "day": column(DAY, "The response's day."),
    },
    sort=("response_key",),
)

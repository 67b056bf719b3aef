"""Follow-ups of answers: every step, the links to the answers, and the rejected rows."""

import pandera.pandas as pa

from ces_pipeline.clean.follow_ups import STATES
from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, TEXT, Table, column

FOLLOW_UPS = Table(
    "core.follow_ups",
    "One row per follow-up and step of it.",
    ("follow_up_key", "changed_at"),
    {
        "follow_up_key": column(TEXT, "Hash of source and follow-up id; the key of a follow-up everywhere."),
        "source_id": column(TEXT, "The feed it came by."),
        "follow_up_id": column(
            TEXT, "The system's id; for exports without ids `row-` and a hash of the row."
        ),
        "response_id": column(
            TEXT, "The answer that it follows up, by its platform's id; null: none said.", nullable=True
        ),
        "ticket_id": column(TEXT, "The ticket whose answer it follows up; null: none said.", nullable=True),
        "agent_key": column(TEXT, "Keyed hash of who took the step; null: not said.", nullable=True),
        "state": column(
            TEXT,
            "What was done: `assigned`, `contacted`, `resolved`, or `unknown` where the word is none of these.",
            checks=pa.Check.isin(list(STATES)),
        ),
        "changed_at": column(INSTANT, "When, UTC."),
        "delivery_id": column(TEXT, "The earliest delivery that holds this content."),
        "day": column(DAY, "Partition: business-zone date of changed_at."),
    },
    sort=("changed_at", "follow_up_key"),
)

REJECTED_FOLLOW_UPS = rejected_table(
    "core.rejected_follow_ups",
    "follow-up",
    {
        "follow_up_key": column(TEXT, "Hash of source and follow-up id."),
        "source_id": column(TEXT, "The feed it came by."),
        "follow_up_id": column(TEXT, "The system's id; for rows without one `row-` and a hash of the row."),
    },
    "changed_at",
    "When",
)

RESPONSE_FOLLOW_UPS = Table(
    "core.response_follow_ups",
    "One row per response and follow-up of it.",
    ("response_key", "follow_up_key"),
    {
        "response_key": column(TEXT, "The response."),
        "follow_up_key": column(TEXT, "The follow-up; one of a ticket may follow several responses up."),
        "method": column(TEXT, "`response_id` or `ticket_id`: by what it names the response."),
        "day": column(DAY, "The response's day."),
    },
    sort=("response_key", "follow_up_key"),
)

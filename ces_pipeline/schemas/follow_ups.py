"""Follow-ups of answers: every step, the links to the answers, and the rejected rows."""

import pandera.pandas as pa

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, TEXT, Table, column
from ces_pipeline.schemas.vocabularies import FOLLOW_UP_STATES

FOLLOW_UPS = Table(
    "core.follow_ups",
    "One row per follow-up and step.",
    ("follow_up_key", "changed_at"),
    {
        "follow_up_key": column(TEXT, "Hash of source and follow-up id; its key in every table."),
        "source_id": column(TEXT, "The source that delivered it."),
        "follow_up_id": column(
            TEXT, "The system's id; for exports without ids `row-` and a hash of the row."
        ),
        "response_id": column(
            TEXT, "The answer that is followed up: its id on the platform; null: not given.", nullable=True
        ),
        "ticket_id": column(TEXT, "The ticket whose answer is followed up; null: not given.", nullable=True),
        "agent_key": column(TEXT, "Keyed hash of who took the step; null: not given.", nullable=True),
        "state": column(
            TEXT,
            "What was done: `assigned`, `contacted`, `resolved`, or `unknown` for any other word.",
            checks=pa.Check.isin(list(FOLLOW_UP_STATES)),
        ),
        "changed_at": column(INSTANT, "When the step was done, UTC."),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "day": column(DAY, "Partition: business-zone date of changed_at."),
    },
    sort=("changed_at", "follow_up_key"),
)

REJECTED_FOLLOW_UPS = rejected_table(
    "core.rejected_follow_ups",
    "follow-up",
    {
        "follow_up_key": column(TEXT, "Hash of source and follow-up id."),
        "source_id": column(TEXT, "The source that delivered it."),
        "follow_up_id": column(TEXT, "The system's id; for rows without one `row-` and a hash of the row."),
    },
    "changed_at",
    "When the step was done",
)

RESPONSE_FOLLOW_UPS = Table(
    "core.response_follow_ups",
    "One row per response and its follow-up.",
    ("response_key", "follow_up_key"),
    {
        "response_key": column(TEXT, "The response."),
        "follow_up_key": column(
            TEXT, "The follow-up; a follow-up of a ticket may belong to several responses."
        ),
        "method": column(TEXT, "`response_id` or `ticket_id`: how the follow-up names the response."),
        "day": column(DAY, "The response's day."),
    },
    sort=("response_key", "follow_up_key"),
)

"""Events: triggers of surveys, views of surveys, backend measures; and the rejected rows."""

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, NUMBER, TEXT, Table, column

EVENTS = Table(
    "core.events",
    "One row per event.",
    ("event_key",),
    {
        "event_key": column(TEXT, "Hash of source and event id; its key in every table."),
        "source_id": column(TEXT, "The source that delivered it."),
        "event_id": column(TEXT, "The system's id; for exports without ids `row-` and a hash of the row."),
        "event_type": column(
            TEXT, "What happened, lower case; the same word as `trigger_event` of a survey."
        ),
        "survey_id": column(
            TEXT, "The survey that was viewed; null: the event is not a view of a survey.", nullable=True
        ),
        "person_key": column(
            TEXT, "Keyed hash of the person, same as respondent_key; null: not known.", nullable=True
        ),
        "ticket_id": column(TEXT, "The ticket that it is about; null: not given.", nullable=True),
        "category": column(TEXT, "A category of the event or measure; null: not given.", nullable=True),
        "value": column(NUMBER, "Number of the event, in the unit of its type; null: none.", nullable=True),
        "occurred_at": column(INSTANT, "When it happened, UTC."),
        "revision": column(
            INTEGER, "1 for the first content seen, 2 for the next, ... (the newest is kept)."
        ),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "day": column(DAY, "Partition: business-zone date of occurred_at."),
    },
    sort=("occurred_at", "event_key"),
)

REJECTED_EVENTS = rejected_table(
    "core.rejected_events",
    "event",
    {
        "event_key": column(TEXT, "Hash of source and event id."),
        "source_id": column(TEXT, "The source that delivered it."),
        "event_id": column(TEXT, "The system's id; for rows without one `row-` and a hash of the row."),
    },
    "occurred_at",
    "When it happened",
)

"""Tickets: every version, the latest version, and the rejected rows."""

from ces_pipeline.schemas.rejected import rejected_table
from ces_pipeline.schemas.table import DAY, FLAG_OR_NULL, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_COLUMNS = {
    "ticket_key": column(TEXT, "Hash of source and ticket id; its key in every table."),
    "source_id": column(TEXT, "The source that delivered it."),
    "ticket_id": column(TEXT, "Id in the ticket system."),
    "external_id": column(TEXT, "Another reference shared with the survey; null: none.", nullable=True),
    "external_key": column(
        TEXT, "Keyed hash of external_id, by which responses name it; null: none.", nullable=True
    ),
    "status": column(
        TEXT,
        "State, lower case, in the words of the system; `deleted` for a deleted ticket; null: not given.",
        nullable=True,
    ),
    "state": column(
        TEXT,
        "What the status means: `open`, `pending`, `solved`, `closed`, `merged`, `spam`, `deleted`, or `unknown` for a "
        "word that no list knows; null: no status is given.",
        nullable=True,
    ),
    "priority": column(
        TEXT, "Priority, lower case, in the words of the system; null: none set.", nullable=True
    ),
    "category": column(TEXT, "Issue category; null: none set.", nullable=True),
    "channel": column(TEXT, "How the ticket came in; `unknown` if not given."),
    "product": column(
        TEXT,
        "Product or service: id of a registered product, else the value of the export; `unknown` if not given.",
    ),
    "requester_key": column(TEXT, "Keyed hash of the requester; null: not known.", nullable=True),
    "group_name": column(TEXT, "The team that the ticket is assigned to; null: none.", nullable=True),
    "created_at": column(INSTANT, "When it was opened, UTC; null: not known.", nullable=True),
    "first_reply_at": column(
        INSTANT, "First public reply of an agent, UTC; null: none, or not reported.", nullable=True
    ),
    "solved_at": column(INSTANT, "Latest solve, UTC; null: not solved, or not reported.", nullable=True),
    "closed_at": column(
        INSTANT, "When it was closed, UTC; null: not closed, or not reported.", nullable=True
    ),
    "resolved_at": column(
        INSTANT,
        "The latest solve, else the close, of a ticket that is resolved by its status (by its times if no status is "
        "given), UTC; null: not resolved, or not reported.",
        nullable=True,
    ),
    "updated_at": column(INSTANT, "Time of the update in this row, UTC."),
    "first_reply_minutes": column(
        NUMBER,
        "Calendar minutes from opening to the first reply; null: no reply, or not known.",
        nullable=True,
    ),
    "resolution_minutes": column(
        NUMBER,
        "Calendar minutes from opening to the latest solve (else close) of a resolved ticket; null: not resolved, or "
        "not known.",
        nullable=True,
    ),
    "reopens": column(INTEGER, "Times reopened; null: the system does not report it.", nullable=True),
    "handoffs": column(
        INTEGER, "Times given to another agent or group; null: the system does not report it.", nullable=True
    ),
    "replies": column(
        INTEGER, "Public replies by agents; null: the system does not report it.", nullable=True
    ),
    "csat_0_100": column(
        NUMBER, "Satisfaction with the ticket, 0 to 100, higher is better; null: not rated.", nullable=True
    ),
    "is_deleted": column(
        FLAG_OR_NULL,
        "True if it is no case of its own: deleted, spam, or merged into another ticket (`state` says which); null: "
        "its word for that is not known.",
        nullable=True,
    ),
    "merged_into": column(
        TEXT, "Id of the ticket that it was merged into; null: not merged, or not reported.", nullable=True
    ),
    "flags": column(TEXTS, "`unknown_value` if a status, flag or rating is not known; empty: none."),
    "delivery_id": column(TEXT, "The earliest delivery with this content."),
    "day": column(DAY, "Partition: business-zone date of updated_at."),
}

TICKET_VERSIONS = Table(
    "core.ticket_versions",
    "One row per ticket and update.",
    ("ticket_key", "updated_at"),
    _COLUMNS,
    sort=("updated_at", "ticket_key"),
)

TICKETS = Table(
    "core.tickets", "One row per ticket: its latest version.", ("ticket_key",), _COLUMNS, sort=("ticket_key",)
)

REJECTED_TICKETS = rejected_table(
    "core.rejected_tickets",
    "ticket",
    {
        "ticket_key": column(TEXT, "Hash of source and ticket id."),
        "source_id": column(TEXT, "The source that delivered it."),
        "ticket_id": column(
            TEXT, "The ticket system's id; for rows without one `row-` and a hash of the row."
        ),
    },
    "updated_at",
    "Time of the update",
)

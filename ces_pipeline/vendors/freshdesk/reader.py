"""Reads Freshdesk tickets from JSON (API v2 and v1): lists, single tickets, search results."""

from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, map_columns, pick_columns
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import json_export, names_in_head
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "ticket_id": ("id",),
    "status": ("status",),
    "priority": ("priority",),
    "category": ("type",),
    "channel": ("source",),
    "product": ("product_id",),
    "requester": ("requester_email_or_id",),
    "group_name": ("group_id",),
    "created_at": ("created_at",),
    "first_reply_at": ("stats.first_responded_at",),
    "solved_at": ("stats.resolved_at",),
    "closed_at": ("stats.closed_at",),
    "updated_at": ("updated_at",),
    "is_deleted": ("deleted",),
    "is_spam": ("spam",),
    # A pull adds a ticket's rating, and a number that also grows when only the rating changed.
    "csat": ("csat",),
    "version": ("version",),
}
_VALUES = {
    "status": {"2": "open", "3": "pending", "4": "resolved", "5": "closed"},
    "priority": {"1": "low", "2": "medium", "3": "high", "4": "urgent"},
    "channel": {
        "1": "email",
        "2": "portal",
        "3": "phone",
        "7": "chat",
        "9": "web",
        "10": "email",
        "15": "chat",
    },
}
_PEOPLE = (
    "requester_id",
    "responder_id",
    "owner_id",
    "requester_name",
    "responder_name",
    "to_email",
    "to_emails",
    "cc_emails",
    "fwd_emails",
    "reply_cc_emails",
    "cc_email.cc_emails",
    "cc_email.fwd_emails",
    "cc_email.reply_cc",
    "cc_email.tkt_cc",
    "requester.id",
    "requester.name",
    "requester.email",
    "requester.mobile",
    "requester.phone",
    "support_email",
)
_OLD_NAMES = {
    "ticket_type": "type",
    "custom_field": "custom_fields",
    "isescalated": "is_escalated",
    "frDueBy": "fr_due_by",
}
_WRAPPERS = ("helpdesk_ticket", "ticket")
_OTHER_RECORDS = {
    "conversations": {"body_text", "incoming"},
    "agents": {"ticket_scope"},
    "contacts": {"job_title", "email"},
    "companies": {"domains"},
    "groups": {"auto_ticket_assign"},
    "time entries": {"time_spent"},
    "satisfaction ratings": {"ratings", "ticket_id"},
}


def read_freshdesk(file: DeliveredFile, _source: Source | None) -> Export:
    """A list of tickets, one ticket, a search result (`{"total": 2, "results": [...]}`), or JSON Lines.

    The first API wraps a ticket in `helpdesk_ticket` (or `ticket`), and calls the id that people see `display_id`.
    Raises UnreadableFileError if the records are not tickets.
    """

    def tickets(document: Any) -> list[Any]:
        found = document
        for name in ("results", "tickets"):
            if isinstance(found, dict) and isinstance(found.get(name), list):
                found = found[name]
        return [_ticket(record, file.name) for record in (found if isinstance(found, list) else [found])]

    export = json_export(file, lambda: tickets)
    export.mapping = map_columns(export.columns, _FIELDS)
    export.values = {name: codes for name, codes in _VALUES.items() if name in export.mapping}
    export.people = pick_columns(export.columns, _PEOPLE)
    export.time_zone = "UTC"
    return export


def _ticket(record: Any, name: str) -> Any:
    if not isinstance(record, dict):
        return record
    for wrapper in _WRAPPERS:
        if isinstance(record.get(wrapper), dict) and "status" not in record:
            record = record[wrapper]
    if not {"id", "status", "requester_id"} <= set(record):
        kinds = [kind for kind, keys in _OTHER_RECORDS.items() if keys <= set(record)]
        raise UnreadableFileError(
            f"{name}: Freshdesk {kinds[0] if kinds else 'records'}, not tickets: "
            "remove it from the inbox of this source of tickets"
        )
    ticket = {_OLD_NAMES.get(key, key): value for key, value in record.items()}
    requester = ticket.get("requester")
    email = requester.get("email") if isinstance(requester, dict) else None
    if ticket.get("display_id"):
        ticket["inner_id"], ticket["id"] = ticket["id"], ticket["display_id"]
    ticket["requester_email_or_id"] = email or ticket["requester_id"]
    return ticket


def _recognises(file: DeliveredFile) -> int:
    names = names_in_head(file)
    return 96 if {"requester_id", "responder_id", "status", "priority", "source"} <= names else 0


FRESHDESK_JSON = Reader(
    name="freshdesk_json",
    title="Freshdesk tickets",
    kind="tickets",
    read=read_freshdesk,
    recognises=_recognises,
    reads_json_lines=True,
)

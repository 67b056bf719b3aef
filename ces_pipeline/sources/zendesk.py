"""Zendesk tickets as JSON: pages of the incremental export, ticket lists, single tickets, recorded exchanges.

Side-loaded users, groups, metric sets and satisfaction ratings of a page are joined into its tickets here.
"""

from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import Export, Reader, map_columns, pick_columns
from ces_pipeline.sources.files import DeliveredFile
from ces_pipeline.sources.json_records import json_export, names_in_head

_FIELDS = {
    "ticket_id": ("id",),
    "external_id": ("external_id",),
    "status": ("status",),
    "priority": ("priority",),
    "category": ("type",),
    "channel": ("via.channel",),
    "requester": ("requester",),
    "group_name": ("group",),
    "created_at": ("created_at",),
    "solved_at": ("metric_set.solved_at",),
    "updated_at": ("updated_at",),
    "version": ("generated_timestamp",),
    "first_reply_minutes": ("metric_set.reply_time_in_minutes.calendar",),
    "resolution_minutes": ("metric_set.full_resolution_time_in_minutes.calendar",),
    "reopens": ("metric_set.reopens",),
    "handoffs": ("handoffs",),
    "replies": ("metric_set.replies",),
    "csat": ("csat",),
    "is_deleted": ("is_deleted",),
}
_PEOPLE = (
    "requester_id",
    "submitter_id",
    "assignee_id",
    "recipient",
    "collaborator_ids",
    "follower_ids",
    "email_cc_ids",
    "via.source.from.address",
    "via.source.from.name",
    "via.source.from.phone",
    "via.source.from.formatted_phone",
    "via.source.from.username",
    "via.source.from.profile_url",
    "via.source.from.original_recipients",
    "via.source.to.address",
    "via.source.to.name",
    "via.source.to.phone",
    "via.source.to.formatted_phone",
    "via.source.to.username",
    "via.source.to.profile_url",
    "via.source.to.email_ccs",
)
_OTHER_LISTS = (
    "audits",
    "users",
    "organizations",
    "ticket_metrics",
    "ticket_events",
    "ticket_fields",
    "comments",
)


def read_zendesk(file: DeliveredFile, _source: Source | None) -> Export:
    """Tickets of all pages, in order; overlapping pages repeat a ticket, which is left to landing.

    `version` is generated_timestamp, which also moves where updated_at does not (deletion, scrubbing).
    `handoffs` is stations less the first, of agents or groups, whichever is more. `csat` is `good` or `bad`,
    blank while unrated.
    Raises UnreadableFileError where the file holds other Zendesk records and no ticket.
    """
    pages = [_Pages(file.name)]

    def new_pass() -> Any:
        pages[0] = _Pages(file.name)
        return pages[0].tickets

    export = json_export(file, new_pass)
    pages[0].refuse_other_records()
    if pages[0].passed_over:
        export.notes.append(f"{pages[0].passed_over:,} records that are not tickets were passed over")
    export.mapping = map_columns(export.columns, _FIELDS)
    export.people = pick_columns(export.columns, _PEOPLE)
    export.time_zone = "UTC"
    return export


class _Pages:
    """One pass over a file's pages. Users and groups seen on a page serve the later ones too."""

    def __init__(self, name: str):
        self._name = name
        self._emails: dict[Any, str] = {}
        self._groups: dict[Any, str] = {}
        self._others: set[str] = set()
        self._saw_tickets = False
        self.passed_over = 0

    def tickets(self, document: Any) -> list[Any]:
        page = document
        if isinstance(page, dict) and "body" in page and "uri" in page:
            # A recorded exchange: the answer is its body.
            page = page["body"]
        if isinstance(page, list):
            self._saw_tickets = self._saw_tickets or not page
            found = page
        elif not isinstance(page, dict):
            found = []
        else:
            self._learn(page)
            found = self._listed(page)
        metrics = _by_ticket(page, "metric_sets")
        ratings = _by_ticket(page, "satisfaction_ratings")
        return [self._joined(ticket, metrics, ratings) for ticket in found if self._is_ticket(ticket)]

    def _listed(self, page: dict[str, Any]) -> list[Any]:
        for key in ("tickets", "results"):
            if isinstance(page.get(key), list):
                self._saw_tickets = self._saw_tickets or key == "tickets"
                return list(page[key])
        if isinstance(page.get("ticket"), dict):
            return [page["ticket"]]
        return [page]

    def _learn(self, page: dict[str, Any]) -> None:
        for user in _records(page, "users"):
            if user.get("email"):
                self._emails[user.get("id")] = user["email"]
        for group in _records(page, "groups"):
            if group.get("name"):
                self._groups[group.get("id")] = group["name"]
        self._others.update(key for key in _OTHER_LISTS if key in page)

    def _is_ticket(self, record: Any) -> bool:
        if not isinstance(record, dict):
            return True  # set aside as unreadable by the caller
        if "id" in record and "status" in record and "requester_id" in record:
            self._saw_tickets = True
            return True
        self.passed_over += 1
        return False

    def _joined(self, ticket: Any, metrics: dict[Any, Any], ratings: dict[Any, Any]) -> Any:
        if not isinstance(ticket, dict):
            return ticket
        ticket = {key: value for key, value in ticket.items() if key != "fields"}  # a copy of custom_fields
        if isinstance(ticket.get("custom_fields"), list):
            ticket["custom_fields"] = {
                str(item.get("id")): item.get("value")
                for item in ticket["custom_fields"]
                if isinstance(item, dict)
            }
        metric = ticket.get("metric_set") or metrics.get(ticket["id"])
        if isinstance(metric, dict):
            ticket["metric_set"] = metric
            ticket["handoffs"] = _handoffs(metric)
        rating = ratings.get(ticket["id"]) or ticket.get("satisfaction_rating")
        ticket["csat"] = _csat(rating)
        ticket["requester"] = self._emails.get(ticket["requester_id"], ticket["requester_id"])
        ticket["group"] = self._groups.get(ticket.get("group_id"), ticket.get("group_id"))
        ticket["is_deleted"] = ticket["status"] == "deleted"
        return ticket

    def refuse_other_records(self) -> None:
        if not self._saw_tickets:
            held = ", ".join(sorted(self._others)) or "other records"
            raise UnreadableFileError(
                f"{self._name}: no Zendesk tickets in it (it holds {held}): deliver ticket exports"
            )


def _records(page: Any, key: str) -> list[dict[str, Any]]:
    listed = page.get(key) if isinstance(page, dict) else None
    return [record for record in listed if isinstance(record, dict)] if isinstance(listed, list) else []


def _by_ticket(page: Any, key: str) -> dict[Any, dict[str, Any]]:
    return {record["ticket_id"]: record for record in _records(page, key) if "ticket_id" in record}


def _handoffs(metric: dict[str, Any]) -> int | None:
    stations = [metric.get("assignee_stations"), metric.get("group_stations")]
    counted = [count for count in stations if isinstance(count, int)]
    return max(0, max(counted) - 1) if counted else None


def _csat(rating: Any) -> str | None:
    """`good` or `bad`. Scores also tell of a comment (`good_with_comment`) or of no answer (`offered`)."""
    score = rating.get("score") if isinstance(rating, dict) else None
    word = str(score or "").partition("_")[0]
    return word if word in ("good", "bad") else None


def _recognises(file: DeliveredFile) -> int:
    names = names_in_head(file)
    if not {"status", "requester_id", "via"} <= names:
        return 0
    return 97 if {"tickets", "generated_timestamp", "brand_id", "custom_status_id"} & names else 70


ZENDESK_JSON = Reader(
    name="zendesk_json", title="Zendesk tickets", kind="tickets", read=read_zendesk, recognises=_recognises
)

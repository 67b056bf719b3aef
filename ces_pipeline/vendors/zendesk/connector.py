"""Pulls Zendesk tickets by the cursor-based incremental export, and effort scores that are kept in a ticket field.

The export is ordered by `generated_timestamp`, which also changes when `updated_at` does not (deletion, scrubbing): so
no ticket is left out because its `updated_at` is old. Satisfaction surveys are in `surveys_connector.py`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.formats.json_records import as_document
from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.registry.api import Api
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_EXPORT = "/api/v2/incremental/tickets/cursor"
_SIDE_LOADS = "users,groups,metric_sets"
_MOST_TICKETS = 1000
_LAG = timedelta(hours=1)
"""A start less than a minute ago is refused (400 StartTimeTooRecent), by the vendor's clock, which may be behind."""
_REPEATS = 5
_SCORE_TYPES = ("integer", "decimal", "text", "regexp", "tagger")
_SHAPE = json.dumps(
    {"tickets": [{"status": "VARCHAR"}], "end_of_stream": "VARCHAR", "after_cursor": "VARCHAR"}
)
# In a lambda, since DuckDB would otherwise parse the page again for each value.
_HEAD = f"""
    SELECT list_transform(
        [from_json(doc, {quote_text(_SHAPE)})],
        lambda page: {{
            'tickets': len(page.tickets),
            'end': page.end_of_stream,
            'after': page.after_cursor,
            'has_closed': list_contains(list_transform(page.tickets, lambda ticket: ticket.status), 'closed')
        }}
    )[1]
    FROM page
"""
_ENDS = {"true": True, "false": False}
# Published: 10 exports a minute, 30 with the High Volume add-on; Team accounts 200 requests of any kind.
_RATE_LIMITS = (RateLimit(10, 60.0, "/incremental/"), RateLimit(200, 60.0))


class ZendeskTickets(Connector):
    """Tickets, in every version that a pull receives, with their people, groups and metrics."""

    name = "zendesk"
    readers = ("zendesk_json",)
    options = {  # noqa: RUF012 - a ClassVar of the base
        "archived_metrics": "false: metrics that are not side-loaded are not requested for each closed ticket"
    }
    rate_limits = _RATE_LIMITS
    basic_user_suffix = "/token"
    counts = "tickets that are not deleted"
    counted_how = "count"
    counts_deleted = False

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages of the export. A ticket that changes during the pull comes again; landing keeps both versions."""
        for response, after in export_pages(http, api, state, now):
            added = self._archived_metrics(http, api, response)
            if added:
                page = response.data
                body = json_lines({**page, "metric_sets": [*(page.get("metric_sets") or []), *added]})
            else:
                # JSON has no line breaks inside strings, so the vendor's bytes without them are one line.
                body = response.body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
            tickets = response.head.tickets
            yield Page(body if tickets else b"", tickets, after)

    def _archived_metrics(self, http: Http, api: Api, export: HttpResponse) -> list[Any]:
        """Metrics of closed tickets that have none in the page: side-loads leave out archived tickets."""
        if api.options.get("archived_metrics") is False or not export.head.has_closed:
            return []
        page = export.data
        side_loaded = {
            metric.get("ticket_id") for metric in page.get("metric_sets") or [] if isinstance(metric, dict)
        }
        found = []
        for ticket in page["tickets"]:
            # Metrics of a deleted ticket no longer exist (404), so they are not requested.
            if (
                ticket.get("status") != "closed"
                or ticket.get("metric_set")
                or ticket.get("id") in side_loaded
            ):
                continue
            response = http.get(f"/api/v2/tickets/{ticket['id']}/metrics", accept=(404,))
            metric = response.data.get("ticket_metric") if isinstance(response.data, dict) else None
            # Documented as a list, sent as an object.
            metric = metric[0] if isinstance(metric, list) and metric else metric
            if isinstance(metric, dict):
                found.append({**metric, "ticket_id": ticket["id"]})
        return found

    def counted_by(self, api: Api) -> str:
        return "updated_at"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """The search's count of each window: it includes archived tickets and no deleted ones."""
        return [_search_count(http, window) for window in windows]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the export may be read (administrators only)."""
        yield from probe_export(http)


class ZendeskField(Connector):
    """Tickets whose custom field holds an effort score, as survey answers: one record per ticket with a value."""

    name = "zendesk_field"
    readers = ("json",)
    options = {"field_id": "id of the ticket field that holds the score"}  # noqa: RUF012 - a ClassVar of the base
    rate_limits = _RATE_LIMITS
    basic_user_suffix = "/token"

    def ticket_field(self, api: Api) -> str | None:
        return str(api.options["field_id"]) if api.options.get("field_id") else None

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Records `id, ticket_id, score, requester, channel, answered_at, updated_at`.

        answered_at is when the ticket was last solved, else last updated: Zendesk does not report when a field was set.
        The answer in a deleted ticket keeps its last value.
        """
        field_id = _field_id(api)
        for response, after in export_pages(http, api, state, now):
            page = response.data
            metrics = {metric.get("ticket_id"): metric for metric in page.get("metric_sets") or []}
            emails = {user.get("id"): user.get("email") for user in page.get("users") or []}
            records = [
                {
                    "id": f"{ticket['id']}",
                    "ticket_id": f"{ticket['id']}",
                    "score": score,
                    "requester": emails.get(ticket.get("requester_id")) or ticket.get("requester_id"),
                    "channel": (ticket.get("via") or {}).get("channel"),
                    "answered_at": _solved_at(ticket, metrics) or ticket.get("updated_at"),
                    "updated_at": ticket.get("updated_at"),
                }
                for ticket in page["tickets"]
                if ticket.get("status") != "deleted"
                and (score := _field_value(ticket, field_id)) not in (None, "")
            ]
            yield Page(json_lines(*records), len(records), after)

    def check(self, api: Api) -> None:
        if "field_id" not in api.options:
            raise ValueError("options.field_id: this key is required")

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the export may be read, and whether the field exists, is active, and can hold a score."""
        yield from probe_export(http)
        field_id = _field_id(api)
        field = _ticket_field(http, field_id)
        if field is None:
            yield Finding(False, f"there is no ticket field {field_id}: correct api.options.field_id")
        elif not field.get("active", True):
            yield Finding(False, f"ticket field {field_id} is inactive: activate it")
        elif field.get("type", "text") not in _SCORE_TYPES:
            yield Finding(
                False,
                f"ticket field {field_id} has type {field['type']}, which cannot hold a score: name a number, text or "
                "drop-down field in api.options.field_id",
            )
        else:
            yield Finding(True, f"ticket field {field_id} exists")

    def answers(self, http: Http, api: Api) -> Sequence[str]:
        """The options of a drop-down field, as the values that tickets hold."""
        options = (_ticket_field(http, _field_id(api)) or {}).get("custom_field_options")
        return [
            str(option["value"])
            for option in options or []
            if isinstance(option, dict) and option.get("value")
        ]


def _ticket_field(http: Http, field_id: str) -> dict[str, Any] | None:
    response = http.get(f"/api/v2/ticket_fields/{field_id}", accept=(404,))
    field = response.data.get("ticket_field") if isinstance(response.data, dict) else None
    return field if response.status != 404 and isinstance(field, dict) else None


@dataclass(frozen=True)
class Head:
    """What the export reports about a page; None if it does not.

    tickets: their number. is_end: whether the page is the last. after: the cursor of the next page. has_closed: whether
    any ticket is closed.
    """

    tickets: int | None
    is_end: bool | None
    after: str | None
    has_closed: bool


def export_pages(http: Http, api: Api, state: State, now: datetime) -> Iterator[tuple[HttpResponse, State]]:
    """(Response with its Head, the state after it) for each page of the export, until `end_of_stream` is true.

    A page that is empty, or holds only old tickets, is not the end. The next pull starts at the cursor after the last
    page. Raises UnavailableError if the same page comes again and again.
    """
    cursor, repeats = state.get("cursor"), 0
    since = min(datetime.combine(api.since, time.min, UTC), now - _LAG)
    while True:
        start = {"cursor": cursor} if cursor else {"start_time": int(since.timestamp())}
        size = min(api.page_size or _MOST_TICKETS, _MOST_TICKETS)
        response = http.get(_EXPORT, {**start, "per_page": size, "include": _SIDE_LOADS}, head=_head)
        head: Head = response.head
        if head.tickets is None:
            raise BadResponseError("the ticket export's response has no `tickets`: check api.base_url")
        if head.is_end is None:
            raise BadResponseError(
                "the ticket export's response has no `end_of_stream`, so its end is unknown: check api.base_url"
            )
        if not head.is_end and (not head.after or head.after == cursor):
            repeats += 1
            if repeats > _REPEATS:
                raise UnavailableError(
                    "the ticket export gives the same page again and again: try again later"
                )
            continue
        repeats = 0
        cursor = head.after or cursor
        yield response, {"cursor": cursor} if cursor else {}
        if head.is_end:
            return


def _head(page: bytes) -> Head:
    """Raises ValueError if the page is not JSON.

    DuckDB reads it, since building Python objects for every ticket takes longer than the rest of landing. A page that
    only Python can read (with half an emoji in it) is rewritten first.
    """
    try:
        return _read_head(page)
    except (pa.ArrowInvalid, duckdb.Error):
        return _read_head(json_lines(json.loads(page)))


def _read_head(page: bytes) -> Head:
    with scratch() as connection:
        connection.register("page", as_document(page))
        [(head,)] = connection.execute(_HEAD).fetchall()
    return Head(head["tickets"], _ENDS.get(head["end"]), head["after"], bool(head["has_closed"]))


def _search_count(http: Http, window: Window) -> int | None:
    since, until = (at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (window.since, window.until))
    query = f"type:ticket updated>={since} updated<{until}"
    found = http.get("/api/v2/search", {"query": query, "per_page": 1}).data
    count = found.get("count") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def probe_export(http: Http) -> Iterator[Finding]:
    """Whether the export may be read. Tries its small sample, which has a rate limit of its own."""
    day_ago = int((http.now() - timedelta(days=1)).timestamp())
    try:
        http.get("/api/v2/incremental/tickets/sample", {"start_time": day_ago})
    except RefusedError as problem:
        advice = " (only administrators may export tickets)" if problem.status == 403 else ""
        yield Finding(False, f"{problem}{advice}")
        return
    yield Finding(True, "the ticket export may be read")


def _field_id(api: Api) -> str:
    return str(api.options["field_id"])


def _field_value(ticket: dict[str, Any], field_id: str) -> Any:
    for field in ticket.get("custom_fields") or []:
        if isinstance(field, dict) and str(field.get("id")) == field_id:
            value = field.get("value")
            return json.dumps(value) if isinstance(value, list | dict) else value
    return None


def _solved_at(ticket: dict[str, Any], metrics: dict[Any, dict[str, Any]]) -> str | None:
    metric = ticket.get("metric_set") or metrics.get(ticket.get("id")) or {}
    return metric.get("solved_at")

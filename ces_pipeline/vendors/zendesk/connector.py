"""Zendesk tickets by the cursor flavour of the incremental export, and an effort score kept in a ticket field.

The export runs on `generated_timestamp`, which also moves where `updated_at` does not (deletion, scrubbing): nothing is
ever left out for an old `updated_at`. Satisfaction surveys are in `zendesk_surveys.py`.
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
"""A start younger than a minute is refused (400 StartTimeTooRecent), by the vendor's clock, which may be behind."""
_REPEATS = 5
_SCORE_TYPES = ("integer", "decimal", "text", "regexp", "tagger")
_SHAPE = json.dumps(
    {"tickets": [{"status": "VARCHAR"}], "end_of_stream": "VARCHAR", "after_cursor": "VARCHAR"}
)
# In a lambda, since DuckDB would otherwise parse the page anew for each of them.
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
    """Every ticket in every version that a pull meets, with its people, group and metrics."""

    name = "zendesk"
    readers = ("zendesk_json",)
    options = {  # noqa: RUF012 - a ClassVar of the base
        "archived_metrics": "false: closed tickets without side-loaded metrics are not asked for one by one"
    }
    rate_limits = _RATE_LIMITS
    basic_user_suffix = "/token"
    counts = "tickets that are not deleted"
    counted_how = "count"
    counts_deleted = False

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages of the export. A ticket that changes during the pull comes again; landing keeps both versions."""
        for answer, after in export_pages(http, api, state, now):
            added = self._archived_metrics(http, api, answer)
            if added:
                page = answer.data
                body = json_lines({**page, "metric_sets": [*(page.get("metric_sets") or []), *added]})
            else:
                # A line break cannot stand inside a JSON text, so the vendor's own bytes make a line.
                body = answer.body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
            tickets = answer.head.tickets
            yield Page(body if tickets else b"", tickets, after)

    def _archived_metrics(self, http: Http, api: Api, export: HttpResponse) -> list[Any]:
        """Metrics of closed tickets that came without: side-loads and the metrics list leave out archived ones."""
        if api.options.get("archived_metrics") is False or not export.head.has_closed:
            return []
        page = export.data
        told = {one.get("ticket_id") for one in page.get("metric_sets") or [] if isinstance(one, dict)}
        found = []
        for ticket in page["tickets"]:
            # A deleted ticket has no metrics any more (404), and is never asked for.
            if ticket.get("status") != "closed" or ticket.get("metric_set") or ticket.get("id") in told:
                continue
            answer = http.get(f"/api/v2/tickets/{ticket['id']}/metrics", accept=(404,))
            metric = answer.data.get("ticket_metric") if isinstance(answer.data, dict) else None
            # Documented as a list, answered as an object.
            metric = metric[0] if isinstance(metric, list) and metric else metric
            if isinstance(metric, dict):
                found.append({**metric, "ticket_id": ticket["id"]})
        return found

    def counted_by(self, api: Api) -> str:
        return "updated_at"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """The search's count of each window: it knows archived tickets and no deleted ones."""
        return [_searched(http, window) for window in windows]

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

        answered_at is the ticket's latest solve, else its latest update: Zendesk does not tell when a field was set.
        A deleted ticket's answer stays as it was.
        """
        field_id = _field_id(api)
        for answer, after in export_pages(http, api, state, now):
            page = answer.data
            metrics = {one.get("ticket_id"): one for one in page.get("metric_sets") or []}
            emails = {one.get("id"): one.get("email") for one in page.get("users") or []}
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
        """As for tickets, and whether the field exists, is active, and can hold a score."""
        yield from probe_export(http)
        field_id = _field_id(api)
        field = _asked_field(http, field_id)
        if field is None:
            yield Finding(False, f"there is no ticket field {field_id}: mend api.options.field_id")
        elif not field.get("active", True):
            yield Finding(False, f"ticket field {field_id} is inactive: activate it")
        elif field.get("type", "text") not in _SCORE_TYPES:
            yield Finding(
                False,
                f"ticket field {field_id} is of type {field['type']}, which holds no score: name a number, text or "
                "drop-down field in api.options.field_id",
            )
        else:
            yield Finding(True, f"ticket field {field_id} exists")

    def answers(self, http: Http, api: Api) -> Sequence[str]:
        """The options of a drop-down field, by the values that tickets carry."""
        options = (_asked_field(http, _field_id(api)) or {}).get("custom_field_options")
        return [str(one["value"]) for one in options or [] if isinstance(one, dict) and one.get("value")]


def _asked_field(http: Http, field_id: str) -> dict[str, Any] | None:
    answer = http.get(f"/api/v2/ticket_fields/{field_id}", accept=(404,))
    field = answer.data.get("ticket_field") if isinstance(answer.data, dict) else None
    return field if answer.status != 404 and isinstance(field, dict) else None


@dataclass(frozen=True)
class Head:
    """What the export says of a page; None for what it does not say.

    tickets: how many there are. is_end: whether it is the last. after: the cursor behind it. has_closed: whether any
    of them is closed.
    """

    tickets: int | None
    is_end: bool | None
    after: str | None
    has_closed: bool


def export_pages(http: Http, api: Api, state: State, now: datetime) -> Iterator[tuple[HttpResponse, State]]:
    """(HttpResponse with its Head, the state behind it) of the export, until the vendor says `end_of_stream`.

    An empty page, or one whose tickets are old, is no end. The cursor behind the last page is tomorrow's beginning.
    Raises UnavailableError where the same page comes again and again.
    """
    cursor, repeats = state.get("cursor"), 0
    since = min(datetime.combine(api.since, time.min, UTC), now - _LAG)
    while True:
        place = {"cursor": cursor} if cursor else {"start_time": int(since.timestamp())}
        size = min(api.page_size or _MOST_TICKETS, _MOST_TICKETS)
        answer = http.get(_EXPORT, {**place, "per_page": size, "include": _SIDE_LOADS}, head=_head)
        head: Head = answer.head
        if head.tickets is None:
            raise BadResponseError("the ticket export answered without `tickets`: check api.base_url")
        if head.is_end is None:
            raise BadResponseError(
                "the ticket export answered without `end_of_stream`, so its end cannot be told"
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
        yield answer, {"cursor": cursor} if cursor else {}
        if head.is_end:
            return


def _head(page: bytes) -> Head:
    """Raises ValueError where it is not JSON.

    Read by DuckDB, since to build every ticket as objects takes longer than all the rest of landing it; but for a
    page that only Python can read (one with half an emoji in it).
    """
    try:
        return _told(page)
    except (pa.ArrowInvalid, duckdb.Error):
        return _told(json_lines(json.loads(page)))


def _told(page: bytes) -> Head:
    with scratch() as connection:
        connection.register("page", as_document(page))
        [(told,)] = connection.execute(_HEAD).fetchall()
    return Head(told["tickets"], _ENDS.get(told["end"]), told["after"], bool(told["has_closed"]))


def _searched(http: Http, window: Window) -> int | None:
    since, until = (at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (window.since, window.until))
    query = f"type:ticket updated>={since} updated<{until}"
    found = http.get("/api/v2/search", {"query": query, "per_page": 1}).data
    count = found.get("count") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def probe_export(http: Http) -> Iterator[Finding]:
    """Whether the export may be read, told by its small sample, which has a limit of its own."""
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
    for one in ticket.get("custom_fields") or []:
        if isinstance(one, dict) and str(one.get("id")) == field_id:
            value = one.get("value")
            return json.dumps(value) if isinstance(value, list | dict) else value
    return None


def _solved_at(ticket: dict[str, Any], metrics: dict[Any, dict[str, Any]]) -> str | None:
    metric = ticket.get("metric_set") or metrics.get(ticket.get("id")) or {}
    return metric.get("solved_at")

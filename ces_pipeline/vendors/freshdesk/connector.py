"""Pulls Freshdesk tickets, also deleted and spam tickets, in the order of their changes, with their ratings.

Pages are JSON Lines for the reader `freshdesk_json`. They hold the names of the account's own statuses instead of their
codes, and four keys that the ticket list does not have: `deleted` on every ticket, `csat` (0 to 100),
`satisfaction_rating`, and `version`, which grows with a rating, since a rating does not change `updated_at`. People's
ids, comments of ratings, and conversations are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_LISTS = {"tickets": None, "deleted": "deleted", "spam": "spam"}
"""Key of the state -> the list's `filter`: deleted and spam tickets are in no other list."""
_TICKETS = "/api/v2/tickets"
_RATINGS = "/api/v2/surveys/satisfaction_ratings"
_LARGEST_PAGE = 100
_LAST_OWN_STATUS = 5
_LAST_PAGE = 300
"""The page after it is refused with 400."""
_ATTEMPTS = 6
_OVERLAP = timedelta(minutes=10)
"""A change may take so long to show in a list: the next pull reads the newest minutes again."""
_RATED_WITHIN = timedelta(days=30)
"""Ratings of older tickets are requested ticket by ticket; ratings of newer tickets are in the list of ratings."""
_ONLY_IN_SINGLE = (
    "description",
    "description_text",
    "structured_description",
    "attachments",
    "conversations",
)
"""Keys that only a single ticket has, not the list: a person's own words, which no figure needs."""
_CSAT_BY_CODE = {
    code: round(100 * place / 6, 2) for place, code in enumerate((-103, -102, -101, 100, 101, 102, 103))
}
"""Extremely unhappy to extremely happy; surveys with fewer answers use some of these codes."""


class Freshdesk(Connector):
    """Tickets changed since the last pull, in the order of their changes.

    Every request starts at the newest change seen. So a ticket that changes during the pull hides no other ticket, and
    the limit of 300 pages per list is not reached.
    """

    name = "freshdesk"
    readers = ("freshdesk_json",)
    counts = "tickets that are neither deleted nor spam"
    counted_how = "count"
    counts_deleted = False
    options = {  # noqa: RUF012 - a ClassVar of the base
        "requester": "false: leave out the requesters' addresses, which costs fewer API credits; then no answer "
        "matches a ticket by respondent",
        "ratings": "false: leave out the satisfaction ratings; else map columns csat: csat and version: version",
    }

    def check(self, api: Api) -> None:
        for name, value in api.options.items():
            if not isinstance(value, bool):
                raise ValueError(f"options.{name}: must be true or false")

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Tickets of the three lists; then tickets with a new rating and no other change.

        If the ratings are refused (no right, or no survey in the plan), all tickets still come first; RefusedError is
        raised at the end.
        """
        first = datetime.combine(api.since, time.min, UTC)
        statuses = _Statuses(http)
        ratings = _Ratings(http, api, statuses, _instant(state.get("ratings")) or first)
        if api.options.get("ratings", True):
            ratings.load(max(first, ratings.since - _RATED_WITHIN))
        for name, chosen in _LISTS.items():
            walk = _Walk.of(state.get(name), first)
            saved = walk.since
            for tickets in _changed(http, api, chosen, walk):
                state = {**state, name: walk.state(max(saved, now - _OVERLAP))}
                records = [_record(ticket, ratings, statuses, chosen) for ticket in tickets]
                yield Page(json_lines(*records), len(records), state)
        for records, until in ratings.of_unchanged_tickets():
            state = {**state, "ratings": _text(max(ratings.since, min(until, now - _OVERLAP)))}
            yield Page(json_lines(*records), len(records), state)
        if ratings.refused:
            raise ratings.refused

    def counted_by(self, api: Api) -> str:
        return "updated_at"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """The search's total for each full day of UTC: the search takes dates, not times."""
        return [
            _search_total(http, window.since) if window.until - window.since == timedelta(days=1) else None
            for window in windows
        ]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether tickets and ratings may be read."""
        http.get(_TICKETS, {"per_page": 1})
        yield Finding(True, "tickets may be read")
        if not api.options.get("ratings", True):
            return
        try:
            http.get(_RATINGS, {"per_page": 1})
        except RefusedError as problem:
            yield Finding(False, f"{problem}; or set api.options.ratings to false")
        else:
            yield Finding(True, "satisfaction ratings may be read")


def _search_total(http: Http, day: datetime) -> int | None:
    found = http.get("/api/v2/search/tickets", {"query": f"\"updated_at:'{day.date()}'\""}).data
    total = found.get("total") if isinstance(found, dict) else None
    return total if isinstance(total, int) else None


@dataclass
class _Walk:
    """The position in a list: page `page` of the changes from `since` on."""

    since: datetime
    page: int = 1

    @classmethod
    def of(cls, state: Any, first: datetime) -> "_Walk":
        return cls(_instant(state["since"]) or first, state["page"]) if state else cls(first)

    def state(self, latest: datetime) -> dict[str, Any]:
        """The position to save, at most `latest`: some changes after that time may not be listed yet."""
        if self.since > latest:
            return {"since": _text(latest), "page": 1}
        return {"since": _text(self.since), "page": self.page}


def _changed(http: Http, api: Api, chosen: str | None, walk: _Walk) -> Iterator[list[dict[str, Any]]]:
    """Tickets of a list from the walk's position on, each version of a ticket once; the walk moves on with them.

    A second page is requested only if more tickets changed within one second than a page holds. A ticket of that second
    may change meanwhile and move the others to an earlier page: such a second is read again until nothing new comes.
    """
    seen: set[tuple[Any, datetime]] = set()
    is_complete, is_repeated = walk.page == 1, False
    before: list[Any] = []
    while True:
        found, more = _page(http, api, chosen, walk, before if walk.page > 1 else [])
        before = found
        stamped = [(ticket, _changed_at(ticket)) for ticket in found]
        fresh = [(ticket, at) for ticket, at in stamped if (ticket["id"], at) not in seen]
        seen |= {(ticket["id"], at) for ticket, at in fresh}
        newest = max((at for _, at in stamped), default=walk.since)
        is_new = any(at == walk.since for _, at in fresh)
        is_complete = is_complete and not (is_new and (walk.page > 1 or is_repeated))
        is_end = False
        if more and newest == walk.since:
            walk.page += 1
        elif not is_complete:
            walk.page, is_complete, is_repeated = 1, True, True
        else:
            is_end = not more
            walk.since, walk.page, is_repeated = newest, 1, False
            seen = {key for key in seen if key[1] >= newest}
        yield [ticket for ticket, _ in fresh]
        if is_end:
            return


def _page(
    http: Http, api: Api, chosen: str | None, walk: _Walk, before: list[Any]
) -> tuple[list[dict[str, Any]], bool]:
    """(Tickets, whether there are more) of the walk's page. before: the tickets of the previous page.

    A response that cannot be this page (the previous page again, or empty but not the last) is requested again. Raises
    BadResponseError if Freshdesk ignores the filter or the order, or if more tickets changed in a second than it lists.
    """
    params = {
        "updated_since": _text(walk.since),
        "order_by": "updated_at",
        "order_type": "asc",
        "include": "requester,stats" if api.options.get("requester", True) else "stats",
        "filter": chosen,
        "per_page": _size(api),
        "page": walk.page,
    }
    is_filtered = True
    for _ in range(_ATTEMPTS):
        try:
            response = http.get(_TICKETS, params)
        except RefusedError as problem:
            if problem.status != 400 or walk.page == 1:
                raise
            raise BadResponseError(
                f"more tickets than {walk.page - 1} pages hold changed at {_text(walk.since)}, and Freshdesk lists "
                "no more pages: raise api.page_size to 100, or deliver these tickets as a file and set api.since "
                "after that time"
            ) from None
        tickets, more = _listed(response, "tickets", ("id", "updated_at", "status", "requester_id"))
        times = [_changed_at(ticket) for ticket in tickets]
        is_filtered = times == sorted(times) and (not times or times[0] >= walk.since)
        is_filtered = is_filtered and all(ticket.get(chosen, True) for ticket in tickets if chosen)
        if is_filtered and (tickets or not more) and (not tickets or tickets != before):
            return tickets, more
    if not is_filtered:
        raise BadResponseError(
            "the ticket list ignores updated_since, order_by or filter, so changes cannot be followed: "
            "check api.base_url"
        )
    raise UnavailableError("the ticket list gives the same or an empty page again and again: try again later")


@dataclass
class _Statuses:
    """Names of the statuses that an account added. Requested when the first such status comes."""

    http: Http
    _names: dict[str, str] | None = None

    def name(self, code: Any) -> Any:
        """The status's name; the code itself for the vendor's own statuses, or if there is no name."""
        if not isinstance(code, int) or code <= _LAST_OWN_STATUS:
            return code
        if self._names is None:
            # If the user may not read the fields, the codes remain.
            response = self.http.get("/api/v2/ticket_fields", accept=(403, 404))
            self._names = _status_names(response.data) if response.status == 200 else {}
        return self._names.get(str(code), code)


def _status_names(fields: Any) -> dict[str, str]:
    """Code -> name that agents see, from the field `status`: its choices are listed by code, or have id and label."""
    found: dict[str, str] = {}
    for field_ in fields if isinstance(fields, list) else ():
        is_status = isinstance(field_, dict) and field_.get("name") == "status"
        choices = field_.get("choices") if is_status else None
        if isinstance(choices, dict):
            for code, named in choices.items():
                label = named[0] if isinstance(named, list) and named else named
                found |= {str(code): label} if isinstance(label, str) else {}
        elif isinstance(choices, list):
            found |= {
                str(choice.get("id", choice.get("value"))): choice["label"]
                for choice in choices
                if isinstance(choice, dict) and isinstance(choice.get("label"), str)
            }
    return found


@dataclass
class _Ratings:
    """The satisfaction ratings: recent ones from the list, those of older tickets ticket by ticket.

    since: ratings from then on have not been landed yet. refused: why they cannot be read, once that is known.
    """

    http: Http
    api: Api
    statuses: "_Statuses"
    since: datetime
    refused: RefusedError | None = None
    _from: datetime | None = None
    _by_ticket: dict[Any, dict[str, Any]] = field(default_factory=dict)
    _joined: set[Any] = field(default_factory=set)

    def load(self, start: datetime) -> None:
        """Read the list of ratings from `start` on. (Without created_since it holds the last 30 days.)"""
        try:
            for rating in self._list(start):
                self._keep(rating)
        except RefusedError as problem:
            if problem.status not in (403, 404):
                raise
            self.refused = problem
        else:
            self._from = start

    def join(self, ticket: dict[str, Any]) -> None:
        """Add the newest rating to the ticket: `csat`, `satisfaction_rating`, `version`."""
        if self._from is None:
            return
        created = _instant(ticket.get("created_at"))
        is_older = created is None or created < self._from
        if is_older and not ticket["deleted"] and ticket["id"] not in self._by_ticket:
            response = self.http.get(f"{_TICKETS}/{ticket['id']}/satisfaction_ratings", accept=(404,))
            for older in _rated(response)[0] if response.status == 200 else ():
                self._keep(older)
        rating = self._by_ticket.get(ticket["id"])
        code = rating["ratings"].get("default_question") if rating else None
        ticket["csat"] = None if code is None else _CSAT_BY_CODE.get(code)
        ticket["version"] = int(_rated_at(rating).timestamp()) if rating else 0
        ticket["satisfaction_rating"] = rating and {
            name: rating.get(name) for name in ("id", "survey_id", "ratings", "created_at", "updated_at")
        }
        if rating:
            self._joined.add(ticket["id"])

    def of_unchanged_tickets(self) -> Iterator[tuple[list[dict[str, Any]], datetime]]:
        """(Tickets, the time up to which all ratings have come) for ratings since `since` that no ticket has yet."""
        if self._from is None:
            return
        left = sorted(
            (at, ticket_id)
            for ticket_id, rating in self._by_ticket.items()
            if (at := _instant(rating["created_at"]) or self.since) >= self.since
        )
        size = _size(self.api)
        for start in range(0, len(left), size):
            part = left[start : start + size]
            responses = [self._ticket(ticket_id) for _, ticket_id in part if ticket_id not in self._joined]
            tickets = [response.data for response in responses if response.status == 200]
            yield [_record(ticket, self, self.statuses) for ticket in tickets], part[-1][0]

    def _ticket(self, ticket_id: Any) -> HttpResponse:
        include = "requester,stats" if self.api.options.get("requester", True) else "stats"
        return self.http.get(f"{_TICKETS}/{ticket_id}", {"include": include}, accept=(404,))

    def _keep(self, rating: dict[str, Any]) -> None:
        known = self._by_ticket.get(rating["ticket_id"])
        if known is None or (_rated_at(known), known["id"]) <= (_rated_at(rating), rating["id"]):
            self._by_ticket[rating["ticket_id"]] = rating

    def _list(self, start: datetime) -> Iterator[dict[str, Any]]:
        page, repeats = 1, 0
        before: list[dict[str, Any]] = []
        while True:
            params = {"created_since": _text(start), "per_page": _size(self.api), "page": page}
            found, more = _rated(self.http.get(_RATINGS, params))
            if more and (not found or found == before):
                repeats += 1
                if repeats == _ATTEMPTS:
                    raise UnavailableError(
                        "the list of satisfaction ratings gives the same or an empty page again and again: "
                        "try again later"
                    )
                continue
            repeats = 0
            yield from found
            if not more:
                return
            if page == _LAST_PAGE:
                raise BadResponseError(
                    f"there are more satisfaction ratings since {_text(start)} than Freshdesk lists: set api.since "
                    "to a later day, or api.options.ratings to false"
                )
            page, before = page + 1, found


def _rated(response: HttpResponse) -> tuple[list[dict[str, Any]], bool]:
    """(Ratings, whether there are more) of a response."""
    ratings, more = _listed(response, "satisfaction ratings", ("id", "ticket_id", "ratings", "created_at"))
    if not all(isinstance(rating["ratings"], dict) for rating in ratings):
        raise BadResponseError(
            "satisfaction ratings have no codes by question under `ratings`: check api.base_url, "
            "or set api.options.ratings to false"
        )
    return ratings, more


def _listed(response: HttpResponse, what: str, needed: tuple[str, ...]) -> tuple[list[dict[str, Any]], bool]:
    """(Records, whether the response names a next page) of a JSON list."""
    records = response.data
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise BadResponseError(f"expected a JSON list of {what}: check api.base_url")
    for key in needed:
        if any(key not in record for record in records):
            raise BadResponseError(f"{what} came without `{key}`: check api.base_url")
    return records, 'rel="next"' in response.headers.get("link", "")


def _record(
    ticket: dict[str, Any], ratings: _Ratings, statuses: "_Statuses", chosen: str | None = None
) -> dict[str, Any]:
    """The record to land for a ticket. chosen: the filter of the list that it comes from.

    Spam counts as deleted, since it would stay open for ever otherwise; `spam` still shows it.
    """
    is_gone = bool(chosen or ticket.get("deleted") or ticket.get("spam"))
    record = {name: value for name, value in ticket.items() if name not in _ONLY_IN_SINGLE}
    record["deleted"] = is_gone
    record["status"] = statuses.name(record["status"])
    ratings.join(record)
    return record


def _changed_at(ticket: dict[str, Any]) -> datetime:
    at = _instant(ticket["updated_at"])
    if at is None:
        raise BadResponseError("a ticket's `updated_at` is not a time: check api.base_url")
    return at


def _rated_at(rating: dict[str, Any]) -> datetime:
    return (
        _instant(rating.get("updated_at"))
        or _instant(rating["created_at"])
        or datetime.min.replace(tzinfo=UTC)
    )


def _size(api: Api) -> int:
    return min(api.page_size or _LARGEST_PAGE, _LARGEST_PAGE)


def _instant(text: Any) -> datetime | None:
    """A time of the vendor, to the second, as its filters take it; None if it is not a time."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except (TypeError, ValueError):
        return None


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

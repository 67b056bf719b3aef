"""Pulls Medallia feedback by its GraphQL query API, with keyset paging on (date field, id field).

The API has no cursor: each page requests the records after the last record's date and id. Every company has its own
field ids, so the source's options name them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_PATH = "/data/v0/query"
_PAGE_SIZE = 1000
_EPOCH = "epoch"
_TRIES = 6
_FIRST_WAIT_SECONDS = 2.0
# It is used as a GraphQL alias, so that columns have the names of their fields.
_FIELD_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INVALID_FIELD = re.compile(r"Invalid field id:?\s*[\"'`]?([A-Za-z0-9_]+)?", re.IGNORECASE)

Key = tuple[str, str]
"""(Value of the date field, value of the id field), as the vendor writes them."""


class Medallia(Connector):
    """Feedback records with the fields that the source's options name."""

    name = "medallia"
    readers = ("medallia_json",)
    counts = "feedback records"
    counted_how = "count"
    rate_limits = (RateLimit(requests=10, seconds=1.0),)
    options: ClassVar[dict[str, str]] = {
        "fields": "ids of the fields to pull; required",
        "date_field": "the date field by which records are ordered; k_initialfinishdate_epoch_int by default",
        "date_format": "its format: `epoch` (seconds, by default) or a strftime format such as %Y-%m-%d",
        "id_field": "the field that orders records with the same date; a_surveyid by default",
        "overlap_minutes": "how far before the newest record seen a pull starts, for late records; 10 by default",
    }

    def check(self, api: Api) -> None:
        _Query.of(api)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages in order of date and id.

        state: `until`, the end of the requested span; `seen`, the newest date of a record; and, during a pull, `after`,
        the key of its last record. If the state has `after`, a pull first completes that earlier pull.
        """
        query = _Query.of(api)
        seen = state.get("seen")
        if "after" in state:
            date, id_ = state["after"]
            for page in _pages(http, query, query.after((date, id_)), state["until"], seen):
                seen = page.state["seen"]
                yield page
        # The date of a late record may be earlier than those already seen.
        since = query.earlier(seen) if seen else query.date(datetime.combine(api.since, time.min, UTC))
        yield from _pages(http, query, query.at_or_after(since), query.date(now), seen)

    def counted_by(self, api: Api) -> str:
        return _Query.of(api).date_field

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """The API's own count of each window."""
        query = _Query.of(api)
        return [
            _query(
                http,
                query.text(query.at_or_after(query.date(window.since)), query.date(window.until), first=1),
                query.key_fields,
            )[1]
            for window in windows
        ]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        query = _Query.of(api)
        since = query.date(datetime.combine(api.since, time.min, UTC))
        data = _post(http, query.text(query.at_or_after(since), None, first=1))
        yield Finding(True, "the credentials are accepted and feedback can be read")
        unknown = _unknown_fields(data)
        yield Finding(
            not unknown,
            f"these fields do not exist or may not be read: {', '.join(unknown)}: correct api.options"
            if unknown
            else f"all {len(query.fields)} fields are known",
        )


@dataclass(frozen=True)
class _Query:
    """The options of a source, and its queries as GraphQL text."""

    fields: tuple[str, ...]
    date_field: str
    id_field: str
    date_format: str
    overlap: timedelta
    page_size: int

    @classmethod
    def of(cls, api: Api) -> "_Query":
        options = api.options
        named = options.get("fields")
        if not isinstance(named, list) or not named:
            raise ValueError("options.fields must list the ids of the fields to pull")
        date_field = str(options.get("date_field", "k_initialfinishdate_epoch_int"))
        id_field = str(options.get("id_field", "a_surveyid"))
        fields = tuple(dict.fromkeys([id_field, date_field, *map(str, named)]))
        if stray := [field for field in fields if not _FIELD_ID.fullmatch(field)]:
            raise ValueError(f"options: {stray[0]!r} is not a valid field id of Medallia")
        minutes = options.get("overlap_minutes", 10)
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
            raise ValueError("options.overlap_minutes must be a number of minutes")
        return cls(
            fields=fields,
            date_field=date_field,
            id_field=id_field,
            date_format=str(options.get("date_format", _EPOCH)),
            overlap=timedelta(minutes=minutes),
            page_size=min(api.page_size or _PAGE_SIZE, _PAGE_SIZE),
        )

    @property
    def key_fields(self) -> tuple[str, str]:
        return self.date_field, self.id_field

    def date(self, instant: datetime) -> str:
        """An instant as the date field writes it, in UTC."""
        if self.date_format == _EPOCH:
            return str(int(instant.timestamp()))
        return instant.astimezone(UTC).strftime(self.date_format)

    def instant(self, date: str) -> datetime:
        try:
            if self.date_format == _EPOCH:
                return datetime.fromtimestamp(float(date), UTC)
            return datetime.strptime(date, self.date_format).replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise BadResponseError(
                f"a value of {self.date_field} does not have the format {self.date_format!r}: "
                "correct api.options.date_format"
            ) from None

    def earlier(self, date: str) -> str:
        return self.date(self.instant(date) - self.overlap)

    def is_earlier(self, key: Key, other: Key) -> bool:
        return self.instant(key[0]) < self.instant(other[0])

    def newest(self, *dates: str | None) -> str:
        return max((date for date in dates if date is not None), key=self.instant)

    def at_or_after(self, date: str) -> str:
        return _condition(self.date_field, "gte", date)

    def after(self, key: Key) -> str:
        """Condition: a later date, or the same date with a greater id, since many records may have the same date."""
        date, id_ = key
        tied = (
            f"{{and: [{_condition(self.date_field, 'gte', date)}, {_condition(self.id_field, 'gt', id_)}]}}"
        )
        return f"{{or: [{_condition(self.date_field, 'gt', date)}, {tied}]}}"

    def text(self, condition: str, until: str | None, first: int) -> str:
        bounds = [_condition(self.date_field, "lt", until)] if until else []
        wanted = " ".join(
            f"{field}: fieldData(fieldId: {json.dumps(field)}) {{ values }}" for field in self.fields
        )
        order = ", ".join(f"{{fieldId: {json.dumps(field)}, direction: ASC}}" for field in self.key_fields)
        return (
            f"query {{ feedback(first: {first}, filter: {{and: [{', '.join([*bounds, condition])}]}}, "
            f"orderBy: [{order}]) {{ totalCount nodes {{ id {wanted} }} }} }}"
        )

    def key(self, node: dict[str, Any]) -> Key:
        """Raises BadResponseError if a record has no date or id, since the next page cannot be requested then."""
        found = []
        for field in self.key_fields:
            values = (node.get(field) or {}).get("values")
            if not isinstance(values, list) or not values or values[0] in (None, ""):
                raise BadResponseError(
                    f"a record has no value of {field}, which paging needs: name another field in api.options"
                )
            found.append(str(values[0]))
        return found[0], found[1]


def _condition(field: str, operator: str, value: str) -> str:
    return f"{{fieldIds: [{json.dumps(field)}], {operator}: {json.dumps(value)}}}"


def _pages(http: Http, query: _Query, condition: str, until: str, seen: str | None) -> Iterator[Page]:
    """Pages of the records that meet the condition, before `until`. The last page's state has no `after`."""
    after: Key | None = None
    page_before: frozenset[Key] = frozenset()
    stuck = 0
    while True:
        nodes, total = _query(http, query.text(condition, until, query.page_size), query.key_fields)
        keys = [query.key(node) for node in nodes]
        key = keys[-1] if keys else after
        # A short page is the last, unless the vendor's own count shows that there are more records.
        is_last = len(nodes) < query.page_size and (total is None or total <= len(nodes))
        is_old = not page_before.isdisjoint(keys) or (after and key and query.is_earlier(key, after))
        if is_old or (not is_last and not keys):
            stuck += 1
            if stuck == _TRIES:
                raise UnavailableError(
                    "Medallia gives the same or an empty page again and again: the next pull tries again"
                )
            http.wait(_FIRST_WAIT_SECONDS * 2**stuck)
            continue
        stuck, after, page_before = 0, key, frozenset(keys)
        if key is not None:
            seen = query.newest(seen, key[0])
        state: State = {"until": until}
        if seen is not None:
            state["seen"] = seen
        if not is_last and key is not None:
            state["after"] = list(key)
            condition = query.after(key)
        yield Page(json_lines(*nodes), len(nodes), state)
        if is_last:
            return


def _query(http: Http, text: str, needed: tuple[str, str]) -> tuple[list[dict[str, Any]], int | None]:
    """(The records of a response; the number of all that match, if the response has it).

    For an unknown field the vendor sends the data without it and an error; the pull stops only if paging needs the
    field. Raises RefusedError for every other GraphQL error, which comes with status 200 too.
    """
    data = _post(http, text)
    if fatal := [field for field in _unknown_fields(data) if field in needed]:
        raise RefusedError(f"Medallia has no field {fatal[0]}, which paging needs: correct api.options", 200)
    feedback = (data.get("data") or {}).get("feedback")
    if not isinstance(feedback, dict) or not isinstance(feedback.get("nodes"), list):
        raise BadResponseError("Medallia's response has no data.feedback.nodes: check api.base_url")
    total = feedback.get("totalCount")
    return feedback["nodes"], total if isinstance(total, int) else None


def _post(http: Http, text: str) -> dict[str, Any]:
    data = http.request("POST", _PATH, json_body={"query": text, "variables": {}}, repeatable=True).data
    if not isinstance(data, dict):
        raise BadResponseError("Medallia's response is not a GraphQL response: check api.base_url")
    # Of the vendor's messages only field ids are shown: the rest may quote a record.
    others = [error for error in data.get("errors") or [] if not _INVALID_FIELD.search(_message(error))]
    if others:
        raise RefusedError(
            f"Medallia responded to the query with {len(others)} errors: if the query costs too much, set a smaller "
            "api.page_size or fewer api.options.fields; else check that the user may read feedback",
            200,
        )
    return data


def _unknown_fields(data: dict[str, Any]) -> list[str]:
    found = (_INVALID_FIELD.search(_message(error)) for error in data.get("errors") or [])
    return [match.group(1) or "(not named)" for match in found if match]


def _message(error: Any) -> str:
    return str(error.get("message", "")) if isinstance(error, dict) else ""

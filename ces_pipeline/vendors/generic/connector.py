"""Pulls from any HTTP API that lists JSON records in pages, by configuration only.

For systems without a connector of their own. An API that needs more than a list in pages needs a connector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_PAGING = ("none", "cursor", "next_url", "link", "page", "offset")
_SINCE_FORMATS = ("iso", "date", "unix_s", "unix_ms")
_DEFAULT_SIZE = 100
_REPEATS = 5
_NEXT_MARK = 'rel="next"'


class Rest(Connector):
    """Lists of records under one path."""

    name = "rest"
    readers = ("json",)
    counted_how = "count"
    options = {  # noqa: RUF012 - a ClassVar of the base
        "path": "the list's path below api.base_url",
        "record_path": "keys that lead to the list in a response, such as data.items; none if the response is the list",
        "params": "more query parameters, the same in every request",
        "paging": f"one of {', '.join(_PAGING)}",
        "size_param": "the parameter that takes api.page_size",
        "cursor_param": "paging cursor: the parameter that takes the cursor",
        "next_path": "paging cursor or next_url: keys that lead to the next cursor or URL",
        "page_param": "paging page or offset: the parameter (page or offset by default)",
        "first_page": "paging page: the number of the first page (1 by default)",
        "since_param": "the parameter that takes the time from which records are requested",
        "since_format": f"one of {', '.join(_SINCE_FORMATS)} (iso by default)",
        "time_field": "keys that lead to a record's time of change, at which the next pull continues",
        "total_path": "keys that lead to the number of all records from `since_param` on, to check that a pull is "
        "complete",
        "ascending": "true: the list is in ascending order of time_field, so that an interrupted pull by page or "
        "offset continues at the newest time it saw",
        "overlap_minutes": "how far before the newest time seen the next pull starts (10 by default)",
    }

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages of the list.

        With cursor, next URL or link, an interrupted pull continues at the next page. By page or offset it cannot, as
        the pages may have moved meanwhile: it starts again, or, in an ascending list, at the newest time that it saw.
        Without `since_param` every pull reads the full list.
        """
        yield from _Pull(http, api, _Settings.of(api), state).pages()

    def check(self, api: Api) -> None:
        _Settings.of(api)

    def counted_by(self, api: Api) -> str | None:
        settings = _Settings.of(api)
        return settings.time_field if settings.total_path and settings.since_param else None

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """The list's own total from a window's start on, minus the total from its end on."""
        settings = _Settings.of(api)
        edges = sorted({edge for window in windows for edge in (window.since, window.until)})
        totals = {edge: _total(http, settings, edge) for edge in edges}
        return [
            None
            if (here := totals[window.since]) is None or (later := totals[window.until]) is None
            else here - later
            for window in windows
        ]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the list and its records are as the registry describes them."""
        settings = _Settings.of(api)
        response = http.get(settings.path, settings.params)
        records = _records(response, settings)
        yield Finding(True, f"the list can be read: {len(records):,} records on the first page")
        field = settings.time_field
        if field and records and _at(records[0], field) is None:
            yield Finding(False, f"records have no {field!r}: correct api.options.time_field")


@dataclass(frozen=True)
class _Settings:
    """api.options, checked."""

    path: str
    record_path: str
    params: dict[str, Any]
    paging: str
    size_param: str | None
    cursor_param: str
    next_path: str
    page_param: str
    first_page: int
    since_param: str | None
    since_format: str
    time_field: str | None
    total_path: str | None
    ascending: bool
    overlap: timedelta

    @classmethod
    def of(cls, api: Api) -> "_Settings":
        options = api.options
        paging = str(options.get("paging", "none"))
        for name, value, known in (
            ("paging", paging, _PAGING),
            ("since_format", str(options.get("since_format", "iso")), _SINCE_FORMATS),
        ):
            if value not in known:
                raise ValueError(f"options.{name}: {value!r} is not one of {', '.join(known)}")
        needed = {"cursor": ("path", "cursor_param", "next_path"), "next_url": ("path", "next_path")}
        for name in needed.get(paging, ("path",)):
            if not options.get(name):
                raise ValueError(f"options.{name}: paging {paging} needs it")
        if options.get("ascending") and not (options.get("time_field") and options.get("since_param")):
            raise ValueError("options.ascending: needs time_field and since_param")
        return cls(
            path=str(options["path"]),
            record_path=str(options.get("record_path", "")),
            params=dict(options.get("params") or {}),
            paging=paging,
            size_param=options.get("size_param"),
            cursor_param=str(options.get("cursor_param", "")),
            next_path=str(options.get("next_path", "")),
            page_param=str(options.get("page_param", "offset" if paging == "offset" else "page")),
            first_page=int(options.get("first_page", 1)),
            since_param=options.get("since_param"),
            since_format=str(options.get("since_format", "iso")),
            time_field=options.get("time_field"),
            total_path=options.get("total_path"),
            ascending=bool(options.get("ascending", False)),
            overlap=timedelta(minutes=float(options.get("overlap_minutes", 10))),
        )


class _Pull:
    """One pull of the list.

    The state holds `newest` (the newest time seen) and, during a listing that can be continued, `since` (its start) and
    `next` (cursor or URL).
    """

    def __init__(self, http: Http, api: Api, settings: _Settings, state: State):
        self._http = http
        self._settings = settings
        self._size = api.page_size or _DEFAULT_SIZE
        self._next: str | None = state.get("next")
        self._newest: str | None = state.get("newest")
        self._seen: str | None = None
        self._since = self._start(api, state)

    def pages(self) -> Iterator[Page]:
        number, rows, repeats = self._settings.first_page, 0, 0
        before: list[Any] | None = None
        while True:
            response = self._http.get(*self._request(number, rows))
            records = _records(response, self._settings)
            following = self._following(response)
            is_same = following is not None and following == self._next
            if is_same or (records and records == before):
                repeats += 1
                if repeats > _REPEATS:
                    raise UnavailableError("the list gives the same page again and again: try again later")
                continue
            repeats, before = 0, records
            number, rows, self._next = number + 1, rows + len(records), following
            self._learn(records)
            is_end = following is None if self._has_next_link else self._is_last(records)
            # One line with the list, so that a record which itself holds lists is not mistaken for an envelope.
            body = json_lines(records) if records else b""
            yield Page(body, len(records), self._state(is_end))
            if is_end:
                return

    @property
    def _has_next_link(self) -> bool:
        """Whether a response itself names the next page."""
        return self._settings.paging in ("cursor", "next_url", "link")

    def _is_last(self, records: list[Any]) -> bool:
        # A page may be shorter than requested, if the vendor's own maximum is lower: only an empty page is the end.
        return self._settings.paging == "none" or not records

    def _request(self, number: int, rows: int) -> tuple[str, dict[str, Any] | None]:
        settings = self._settings
        if self._next is not None and settings.paging in ("next_url", "link"):
            return self._next, None
        params = dict(settings.params)
        if settings.size_param:
            params[settings.size_param] = self._size
        if settings.since_param:
            params[settings.since_param] = _since_text(self._since, settings)
        if settings.paging == "cursor" and self._next is not None:
            params[settings.cursor_param] = self._next
        elif settings.paging == "page":
            params[settings.page_param] = number
        elif settings.paging == "offset":
            params[settings.page_param] = rows
        return settings.path, params

    def _following(self, response: HttpResponse) -> str | None:
        if self._settings.paging == "link":
            return _link_next(response.headers.get("link", ""))
        if self._settings.paging in ("cursor", "next_url"):
            found = _at(response.data, self._settings.next_path)
            return str(found) if found not in (None, "", False) else None
        return None

    def _learn(self, records: list[Any]) -> None:
        if self._settings.time_field:
            times = [
                str(found)
                for record in records
                if (found := _at(record, self._settings.time_field)) is not None
            ]
            moments = [_moment(text) for text in ([self._seen] if self._seen else []) + times]
            if self._settings.ascending and moments != sorted(moments):
                raise BadResponseError(
                    f"the list is not in ascending order of {self._settings.time_field}: correct "
                    "api.options.ascending, or request that order in api.options.params"
                )
            self._seen = times[-1] if times else self._seen
            self._newest = max([self._newest or "", *times], key=_moment) or None

    def _state(self, is_end: bool) -> State:
        is_safe = is_end or self._has_next_link or self._settings.ascending
        state: dict[str, Any] = {"newest": self._newest} if is_safe else {}
        if not is_end and self._has_next_link:
            state |= {"next": self._next, "since": self._since.isoformat()}
        return {key: value for key, value in state.items() if value is not None}

    def _start(self, api: Api, state: State) -> datetime:
        first = datetime.combine(api.since, time.min, UTC)
        if state.get("since"):
            return datetime.fromisoformat(state["since"])
        return max(first, _moment(self._newest) - self._settings.overlap) if self._newest else first


def _since_text(moment: datetime, settings: _Settings) -> str:
    return {
        "iso": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "date": moment.date().isoformat(),
        "unix_s": f"{moment.timestamp():.0f}",
        "unix_ms": f"{moment.timestamp() * 1000:.0f}",
    }[settings.since_format]


def _total(http: Http, settings: _Settings, since: datetime) -> int | None:
    assert settings.since_param
    assert settings.total_path
    params = {**settings.params, settings.since_param: _since_text(since, settings)}
    if settings.size_param:
        params[settings.size_param] = 1
    total = _at(http.get(settings.path, params).data, settings.total_path)
    return total if isinstance(total, int) else None


def _records(response: HttpResponse, settings: _Settings) -> list[Any]:
    found = _at(response.data, settings.record_path)
    if not isinstance(found, list):
        problem = (
            f"there is no list of records under {settings.record_path!r}"
            if settings.record_path
            else "the response is not a list of records"
        )
        raise BadResponseError(f"{problem}: correct api.options.record_path")
    return found


def _at(document: Any, path: str) -> Any:
    """The value under dotted keys; None if a key is missing."""
    for key in path.split(".") if path else ():
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _moment(text: str | None) -> datetime:
    """A record's time (ISO, unix seconds or milliseconds) for comparison; a text that is no time comes first."""
    try:
        number = float(text or "")
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _link_next(header: str) -> str | None:
    """The URL of `<...>; rel="next"` in a Link header."""
    for part in header.split(","):
        if _NEXT_MARK in part or "rel=next" in part:
            return part.partition("<")[2].partition(">")[0] or None
    return None

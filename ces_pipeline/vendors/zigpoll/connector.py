"""Zigpoll: answers to slides, listed newest first, delivered so that a participant's answers lie together.

The reader makes one response of all answers of a participant to a poll in one file, and a response that comes again
with fewer answers would count as its newest content. So each span of time is fetched whole, from well before its
start, and of the answers before that start only those of responses that cannot have begun earlier are delivered.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.registry.api import Api, HeaderKey
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_PAGE_SIZE = 5000
_TAIL_DAYS = 7
_WINDOW_DAYS = 28
_TRIES = 6
_FIRST_WAIT_SECONDS = 2.0
_SCOPES = {"account": "accountId", "poll": "pollId", "slide": "slideId"}
_NEEDED = ("_id", "slideId", "createdAt")

Answers = dict[str, dict[str, Any]]
"""Answer's id -> the answer."""


class Zigpoll(Connector):
    """Answers of one account, poll or slide."""

    name = "zigpoll"
    readers = ("zigpoll_json",)
    joinable = False
    counts = "responses"
    counted_how = "second_read"
    options: ClassVar[dict[str, str]] = {
        "account": "id of the account whose answers are pulled; one of account, poll and slide is needed",
        "poll": "or: id of the poll",
        "slide": "or: id of the slide",
        "tail_days": "how many days are read again for edited answers, which the vendor does not tell; 7 unless "
        "set. Answers of one participant to one poll may lie as far apart",
        "window_days": "days of answers that are fetched at once; 28 unless set",
    }

    def check(self, api: Api) -> None:
        _scope(api)
        _days_ms(api, "tail_days", _TAIL_DAYS)
        _days_ms(api, "window_days", _WINDOW_DAYS)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """One page per window. state: `until_ms`, the end of the last window in epoch milliseconds."""
        tail, window = _days_ms(api, "tail_days", _TAIL_DAYS), _days_ms(api, "window_days", _WINDOW_DAYS)
        answers = _Listing(http, api, _scope(api))
        first = _epoch_ms(datetime.combine(api.since, time.min, UTC))
        begin, end = state.get("until_ms", first), _epoch_ms(now)
        while begin < end:
            until = min(begin + window, end)
            # What lies before the first day is never asked for, so nothing has to be told from it.
            read_from = max(begin - 2 * tail, first)
            fetched = answers.between(read_from, until)
            responses = _whole_responses(fetched, max(begin - tail, first))
            told = [answer for response in responses for answer in response]
            yield Page(json_lines(*told), len(responses), {"until_ms": until})
            begin = until

    def counted_by(self, api: Api) -> str:
        return "createdAt"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """Responses by their newest answer, listed once more: of spans, the vendor tells no number."""
        starts = [_epoch_ms(window.since) for window in windows]
        first = _epoch_ms(datetime.combine(api.since, time.min, UTC))
        read_from = max(starts[0] - 2 * _days_ms(api, "tail_days", _TAIL_DAYS), first)
        listed = _Listing(http, api, _scope(api)).between(read_from, _epoch_ms(now))
        counts = [0] * len(windows)
        for response in _whole_responses(listed, starts[0]):
            newest = _created_ms(response[-1])
            place = bisect_right(starts, newest) - 1
            if newest < _epoch_ms(windows[place].until):
                counts[place] += 1
        return counts

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        scope = _scope(api)
        zigpoll_get(http, api, "/me")
        yield Finding(True, "the key is accepted")
        data = zigpoll_get(http, api, "/responses", {**scope, "limit": 1}).data
        has_any = isinstance(data, dict) and bool(data.get("data"))
        yield Finding(
            has_any,
            f"{next(iter(scope))} has answers"
            if has_any
            else f"no answer yet for {next(iter(scope))}: check the id in api.options",
        )


def _whole_responses(answers: Answers, since_ms: int) -> list[list[dict[str, Any]]]:
    """Responses with an answer at or after `since_ms`, each with its answers in order, oldest response first.

    Ids break ties, so that the same answers always make the same bytes, in whatever order they were listed.
    """
    in_order = sorted(answers.values(), key=lambda answer: (_created_ms(answer), answer["_id"]))
    by_response: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for answer in in_order:
        who = answer.get("participantId")
        key = (str(who), str(answer.get("pollId") or "")) if who else ("", str(answer["_id"]))
        by_response.setdefault(key, []).append(answer)
    return [response for response in by_response.values() if _created_ms(response[-1]) >= since_ms]


@dataclass(frozen=True)
class _Listing:
    """The answers of a scope, as the vendor lists them."""

    http: Http
    api: Api
    scope: dict[str, str]

    def between(self, since_ms: int, until_ms: int) -> Answers:
        """All answers created from `since_ms` until before `until_ms`.

        Whether the vendor's own bounds belong to the span is not documented: it is asked for from one millisecond
        earlier on, and the answers' times decide. A cursor that comes again, which would list the same pages
        for ever, is left: the listing begins anew at the oldest answer seen.
        """
        found: Answers = {}
        before_ms, cursor, stuck = until_ms, None, 0
        used: set[str] = set()
        while True:
            data = self._page(since_ms - 1, before_ms, cursor)
            known = len(found)
            found |= {answer["_id"]: answer for answer in data["data"]}
            if not data["hasNextPage"]:
                break
            following = data.get("endCursor")
            if following and following not in used:
                cursor = following
                used.add(following)
                continue
            stuck = 0 if len(found) > known else stuck + 1
            if stuck == _TRIES:
                raise UnavailableError(
                    "Zigpoll's list does not move on (endCursor stays the same): the next pull asks again"
                )
            self.http.wait(_FIRST_WAIT_SECONDS * 2**stuck)
            used.clear()
            cursor, before_ms = None, 1 + min(map(_created_ms, found.values()), default=until_ms)
        return {name: answer for name, answer in found.items() if since_ms <= _created_ms(answer) < until_ms}

    def _page(self, after_ms: int, before_ms: int, cursor: str | None) -> dict[str, Any]:
        data = zigpoll_get(
            self.http,
            self.api,
            "/responses",
            {
                **self.scope,
                "limit": min(self.api.page_size or _PAGE_SIZE, _PAGE_SIZE),
                "createdAfter": after_ms,
                "createdBefore": before_ms,
                "startCursor": cursor,
            },
        ).data
        if not isinstance(data, dict) or not isinstance(data.get("data"), list) or "hasNextPage" not in data:
            raise BadResponseError("Zigpoll's answer has no data and hasNextPage: check api.base_url")
        for answer in data["data"]:
            absent = [name for name in _NEEDED if not isinstance(answer, dict) or not answer.get(name)]
            if absent:
                raise BadResponseError(f"a Zigpoll answer has no {absent[0]}: the vendor changed its list")
        return data


def zigpoll_get(http: Http, api: Api, path: str, params: dict[str, Any] | None = None) -> HttpResponse:
    """An answer of Zigpoll's API. Raises RefusedError naming the key's variable for 422, which tells a wrong key."""
    try:
        return http.get(path, params)
    except RefusedError as problem:
        if problem.status != 422:
            raise
        named = api.auth.key if isinstance(api.auth, HeaderKey) else "api.auth of the feed"
        raise RefusedError(
            f"Zigpoll refused GET {path} with 422, which is how it tells a wrong key: check {named}; "
            "the key is sent as it is in the header Authorization, without Bearer",
            422,
        ) from None


def _scope(api: Api) -> dict[str, str]:
    given = {
        parameter: str(api.options[name]) for name, parameter in _SCOPES.items() if api.options.get(name)
    }
    if len(given) != 1:
        raise ValueError("options: name exactly one of account, poll and slide")
    return given


def _days_ms(api: Api, name: str, default: float) -> int:
    days = api.options.get(name, default)
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3660:
        raise ValueError(f"options.{name} must be a number of days above 0")
    return int(timedelta(days=days) / timedelta(milliseconds=1))


def _created_ms(answer: dict[str, Any]) -> int:
    try:
        created = datetime.fromisoformat(answer["createdAt"])
    except (TypeError, ValueError):
        raise BadResponseError(
            "a Zigpoll answer's createdAt is no ISO time: the vendor changed its list"
        ) from None
    return _epoch_ms(created if created.tzinfo else created.replace(tzinfo=UTC))


def _epoch_ms(instant: datetime) -> int:
    return (instant - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)

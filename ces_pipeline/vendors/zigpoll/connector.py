"""Pulls Zigpoll's answers to slides, so that all answers of a participant are in the same page.

The reader combines all answers of a participant to a poll in one file into one response. If a response came again with
fewer answers, that would count as its newest content. So a pull fetches a full span of time and the days before it, and
of the earlier answers it keeps only those of responses whose answers are all in what was fetched. Zigpoll lists answers
newest first.
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
        "account": "id of the account whose answers are pulled; one of account, poll and slide is required",
        "poll": "or: id of the poll",
        "slide": "or: id of the slide",
        "tail_days": "how many days are read again for edited answers, since the vendor does not report edits; 7 by "
        "default. A participant's answers to a poll may be so many days apart",
        "window_days": "days of answers that are fetched at once; 28 by default",
    }

    def check(self, api: Api) -> None:
        _scope(api)
        _days_ms(api, "tail_days", _TAIL_DAYS)
        _days_ms(api, "window_days", _WINDOW_DAYS)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """One page per window. state: `until_ms`, the end of the last window in epoch milliseconds."""
        tail, window = _days_ms(api, "tail_days", _TAIL_DAYS), _days_ms(api, "window_days", _WINDOW_DAYS)
        listing = _Listing(http, api, _scope(api))
        first = _epoch_ms(datetime.combine(api.since, time.min, UTC))
        begin, end = state.get("until_ms", first), _epoch_ms(now)
        while begin < end:
            until = min(begin + window, end)
            # No answer before the first day is ever pulled, so the span needs no earlier answers there.
            read_from = max(begin - 2 * tail, first)
            fetched = listing.between(read_from, until)
            responses = _complete_responses(fetched, max(begin - tail, first))
            answers = [answer for response in responses for answer in response]
            yield Page(json_lines(*answers), len(responses), {"until_ms": until})
            begin = until

    def counted_by(self, api: Api) -> str:
        return "createdAt"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """Responses by their newest answer. They are listed a second time: the vendor has no count of a span."""
        starts = [_epoch_ms(window.since) for window in windows]
        first = _epoch_ms(datetime.combine(api.since, time.min, UTC))
        read_from = max(starts[0] - 2 * _days_ms(api, "tail_days", _TAIL_DAYS), first)
        listed = _Listing(http, api, _scope(api)).between(read_from, _epoch_ms(now))
        counts = [0] * len(windows)
        for response in _complete_responses(listed, starts[0]):
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


def _complete_responses(answers: Answers, since_ms: int) -> list[list[dict[str, Any]]]:
    """Responses with an answer at or after `since_ms`, each with its answers in order, oldest response first.

    Answers of the same time are ordered by id, so that the same answers always give the same bytes.
    """
    in_order = sorted(answers.values(), key=lambda answer: (_created_ms(answer), answer["_id"]))
    by_response: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for answer in in_order:
        participant = answer.get("participantId")
        key = (str(participant), str(answer.get("pollId") or "")) if participant else ("", str(answer["_id"]))
        by_response.setdefault(key, []).append(answer)
    return [response for response in by_response.values() if _created_ms(response[-1]) >= since_ms]


@dataclass(frozen=True)
class _Listing:
    """The vendor's list of the answers in a scope (account, poll or slide)."""

    http: Http
    api: Api
    scope: dict[str, str]

    def between(self, since_ms: int, until_ms: int) -> Answers:
        """All answers created from `since_ms` until before `until_ms`.

        It is not documented whether the vendor includes the bounds of the span: it is requested from one millisecond
        earlier, and the answers' times decide. A cursor that comes again would list the same pages for ever, so the
        listing starts again at the oldest answer seen.
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
                    "Zigpoll's list always gives the same endCursor, so it has no next page: the next pull tries again"
                )
            self.http.wait(_FIRST_WAIT_SECONDS * 2**stuck)
            used.clear()
            cursor, before_ms = None, 1 + min(map(_created_ms, found.values()), default=until_ms)
        return {id_: answer for id_, answer in found.items() if since_ms <= _created_ms(answer) < until_ms}

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
            raise BadResponseError("Zigpoll's response has no data and hasNextPage: check api.base_url")
        for answer in data["data"]:
            absent = [key for key in _NEEDED if not isinstance(answer, dict) or not answer.get(key)]
            if absent:
                raise BadResponseError(
                    f"an answer in Zigpoll's list has no {absent[0]}, so the vendor changed its list: report it to us"
                )
        return data


def zigpoll_get(http: Http, api: Api, path: str, params: dict[str, Any] | None = None) -> HttpResponse:
    """A response of Zigpoll's API. Raises RefusedError, naming the key's variable, for 422: Zigpoll's wrong key."""
    try:
        return http.get(path, params)
    except RefusedError as problem:
        if problem.status != 422:
            raise
        named = api.auth.key if isinstance(api.auth, HeaderKey) else "api.auth of the source"
        raise RefusedError(
            f"Zigpoll refused GET {path} with 422, which means a wrong key: check {named}; "
            "the header Authorization must hold the key alone, without Bearer",
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
            "an answer in Zigpoll's list has a createdAt that is not an ISO time, so the vendor changed its list: "
            "report it to us"
        ) from None
    return _epoch_ms(created if created.tzinfo else created.replace(tzinfo=UTC))


def _epoch_ms(instant: datetime) -> int:
    return (instant - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)

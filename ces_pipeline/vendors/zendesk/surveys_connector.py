"""Zendesk's own satisfaction surveys as survey feeds: the legacy ratings, and the survey responses that follow them.

Only one of the two is active per account. Both are lists in cursor pages of at most 100 (`page[size]`: `per_page` would
switch to offset pages, which end at 10,000 rows).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_MOST = 100
_REPEATS = 5
_OVERLAP = timedelta(minutes=10)
_EDITABLE = timedelta(days=28)
"""Survey responses are found by creation, yet may be answered and edited for weeks after it."""


class ZendeskRatings(Connector):
    """Legacy satisfaction ratings: one record per rating that a customer gave.

    Records are as the vendor gives them: id, ticket_id, requester_id, score (`good` or `bad`), comment, reason,
    created_at, updated_at.
    """

    name = "zendesk_ratings"
    readers = ("json",)
    counts = "ratings given"
    counted_how = "count"
    rate_limits = (RateLimit(200, 60.0),)
    basic_user_suffix = "/token"

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Ratings changed since the newest one seen, less ten minutes."""
        return _walk(http, api, state, _RATINGS, _since(api, state, _OVERLAP))

    def counted_by(self, api: Api) -> str:
        return "updated_at"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """`count` of the list in offset pages, which the cursor pages do not tell."""
        return [_counted(http, window) for window in windows]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether ratings may be listed (administrators only)."""
        http.get("/api/v2/satisfaction_ratings", {"page[size]": 1})
        yield Finding(True, "satisfaction ratings may be read")


class ZendeskSurveyResponses(Connector):
    """Survey responses: one record per answered survey, its answers told apart by type.

    Records: id, survey_id, survey_version, ticket_id, responder_id, rating, rating_category, comment, options (ids of
    chosen options), created_at, updated_at (of the latest answer).
    """

    name = "zendesk_survey_responses"
    readers = ("json",)
    rate_limits = (RateLimit(200, 60.0),)
    basic_user_suffix = "/token"

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Responses created since the newest one seen, less the 28 days in which an answer may still change."""
        return _walk(http, api, state, _RESPONSES, _since(api, state, _EDITABLE))

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether survey responses may be listed."""
        http.get("/api/v2/guide/survey_responses", {"page[size]": 1})
        yield Finding(True, "survey responses may be read")


@dataclass(frozen=True)
class _List:
    """One of the two lists: where it is, how it is narrowed, and what becomes of an item of it (None: no record)."""

    path: str
    key: str
    time_key: str
    filters: Callable[[datetime], dict[str, Any]]
    record: Callable[[Any], dict[str, Any] | None]


def _since(api: Api, state: State, overlap: timedelta) -> datetime:
    """The start of the list under way; of a new one, the newest time seen less the overlap."""
    first = datetime.combine(api.since, time.min, UTC)
    told = state.get("since") or state.get("newest")
    if not told:
        return first
    at = datetime.fromisoformat(told)
    return at if state.get("since") else max(first, at - overlap)


def _walk(
    http: Http,
    api: Api,
    state: State,
    asked: _List,
    since: datetime,
) -> Iterator[Page]:
    """Pages of a list; one under way goes on where it stood."""
    newest, after, repeats = str(state.get("newest") or ""), state.get("after"), 0
    while True:
        size = min(api.page_size or _MOST, _MOST)
        page = http.get(asked.path, {**asked.filters(since), "page[size]": size, "page[after]": after}).data
        meta = page.get("meta") if isinstance(page, dict) else None
        if not isinstance(meta, dict) or not isinstance(page.get(asked.key), list):
            raise BadResponseError(
                f"{asked.path} answered without `{asked.key}` and `meta`: check api.base_url"
            )
        more, following = bool(meta.get("has_more")), meta.get("after_cursor")
        if more and (not following or following == after):
            repeats += 1
            if repeats > _REPEATS:
                raise UnavailableError(f"{asked.path} gives the same page again and again: try again later")
            continue
        repeats = 0
        records = [record for one in page[asked.key] if (record := asked.record(one)) is not None]
        newest = max([newest, *(str(one.get(asked.time_key) or "") for one in records)])
        told = {"newest": newest}
        if more:
            told |= {"after": str(following), "since": since.isoformat()}
        yield Page(json_lines(*records), len(records), {name: text for name, text in told.items() if text})
        if not more:
            return
        after = following


def _counted(http: Http, window: Window) -> int | None:
    # The list's own end belongs to it.
    span = {"start_time": int(window.since.timestamp()), "end_time": int(window.until.timestamp()) - 1}
    found = http.get(_RATINGS.path, {"score": "received", **span, "per_page": 1, "page": 1}).data
    count = found.get("count") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def _answered(response: Any) -> dict[str, Any] | None:
    """One record of a response; None where nothing was answered yet."""
    if not isinstance(response, dict):
        return None
    answers = [one for one in response.get("answers") or [] if isinstance(one, dict)]
    given = [one for one in answers if one.get("type") != "skipped"]
    if not given:
        return None
    rated: dict[str, Any] = next((one for one in given if one.get("type") == "rating_scale"), {})
    texts = [str(one["value"]) for one in given if one.get("type") == "open_ended" and one.get("value")]
    chosen = [
        str(selection.get("option_id"))
        for one in given
        if one.get("type") == "closed_ended"
        for selection in one.get("selections") or []
    ]
    tickets = [
        one.get("id") for one in response.get("subjects") or [] if str(one.get("type")).endswith("ticket")
    ]
    return {
        "id": response.get("id"),
        "survey_id": response.get("survey_id"),
        "survey_version": response.get("survey_version"),
        "ticket_id": str(tickets[0]) if tickets else None,
        "responder_id": response.get("responder_id"),
        "rating": rated.get("rating"),
        "rating_category": rated.get("rating_category"),
        "comment": "\n".join(texts) or None,
        "options": ",".join(chosen) or None,
        "created_at": min((str(one["created_at"]) for one in given if one.get("created_at")), default=None),
        "updated_at": max((str(one["updated_at"]) for one in given if one.get("updated_at")), default=None),
    }


_RATINGS = _List(
    path="/api/v2/satisfaction_ratings",
    key="satisfaction_ratings",
    time_key="updated_at",
    filters=lambda since: {"score": "received", "start_time": int(since.timestamp())},
    record=lambda one: one if isinstance(one, dict) else None,
)
_RESPONSES = _List(
    path="/api/v2/guide/survey_responses",
    key="survey_responses",
    time_key="created_at",
    # This list wants milliseconds, where the ratings want seconds.
    filters=lambda since: {"filter[created_at_start]": int(since.timestamp() * 1000)},
    record=_answered,
)

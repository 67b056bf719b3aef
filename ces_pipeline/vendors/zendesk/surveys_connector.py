"""Pulls Zendesk's own satisfaction surveys: the legacy ratings, and the survey responses that replaced them.

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
"""Survey responses are listed by creation time, but may be answered and edited for weeks afterwards."""


class ZendeskRatings(Connector):
    """Legacy satisfaction ratings: one record per rating that a customer gave.

    The vendor's records are kept unchanged: id, ticket_id, requester_id, score (`good` or `bad`), comment, reason,
    created_at, updated_at.
    """

    name = "zendesk_ratings"
    readers = ("json",)
    counts = "ratings given"
    counted_how = "count"
    rate_limits = (RateLimit(200, 60.0),)
    basic_user_suffix = "/token"

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Ratings changed since ten minutes before the newest one seen."""
        return _walk(http, api, state, _RATINGS, _since(api, state, _OVERLAP))

    def counted_by(self, api: Api) -> str:
        return "updated_at"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """`count` of the list in offset pages; cursor pages have no count."""
        return [_counted(http, window) for window in windows]

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether ratings may be listed (administrators only)."""
        http.get("/api/v2/satisfaction_ratings", {"page[size]": 1})
        yield Finding(True, "satisfaction ratings may be read")


class ZendeskSurveyResponses(Connector):
    """Survey responses: one record per answered survey, with its answers by type.

    Records: id, survey_id, survey_version, ticket_id, responder_id, rating, rating_category, comment, options (ids of
    chosen options), created_at, updated_at (of the latest answer).
    """

    name = "zendesk_survey_responses"
    readers = ("json",)
    rate_limits = (RateLimit(200, 60.0),)
    basic_user_suffix = "/token"

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Responses created since 28 days before the newest one seen: for so long an answer may still change."""
        return _walk(http, api, state, _RESPONSES, _since(api, state, _EDITABLE))

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether survey responses may be listed."""
        http.get("/api/v2/guide/survey_responses", {"page[size]": 1})
        yield Finding(True, "survey responses may be read")


@dataclass(frozen=True)
class _List:
    """One of the two lists: its path, its filters, and the record that an item becomes (None: no record)."""

    path: str
    key: str
    time_key: str
    filters: Callable[[datetime], dict[str, Any]]
    record: Callable[[Any], dict[str, Any] | None]


def _since(api: Api, state: State, overlap: timedelta) -> datetime:
    """The start of the listing in progress; of a new listing, the newest time seen minus the overlap."""
    first = datetime.combine(api.since, time.min, UTC)
    saved = state.get("since") or state.get("newest")
    if not saved:
        return first
    at = datetime.fromisoformat(saved)
    return at if state.get("since") else max(first, at - overlap)


def _walk(
    http: Http,
    api: Api,
    state: State,
    listing: _List,
    since: datetime,
) -> Iterator[Page]:
    """Pages of a list; a listing in progress continues at its saved state."""
    newest, after, repeats = str(state.get("newest") or ""), state.get("after"), 0
    while True:
        size = min(api.page_size or _MOST, _MOST)
        params = {**listing.filters(since), "page[size]": size, "page[after]": after}
        page = http.get(listing.path, params).data
        meta = page.get("meta") if isinstance(page, dict) else None
        if not isinstance(meta, dict) or not isinstance(page.get(listing.key), list):
            raise BadResponseError(
                f"the response of {listing.path} has no `{listing.key}` and `meta`: check api.base_url"
            )
        more, following = bool(meta.get("has_more")), meta.get("after_cursor")
        if more and (not following or following == after):
            repeats += 1
            if repeats > _REPEATS:
                raise UnavailableError(f"{listing.path} gives the same page again and again: try again later")
            continue
        repeats = 0
        records = [record for item in page[listing.key] if (record := listing.record(item)) is not None]
        newest = max([newest, *(str(record.get(listing.time_key) or "") for record in records)])
        saved = {"newest": newest}
        if more:
            saved |= {"after": str(following), "since": since.isoformat()}
        yield Page(json_lines(*records), len(records), {key: text for key, text in saved.items() if text})
        if not more:
            return
        after = following


def _counted(http: Http, window: Window) -> int | None:
    # The vendor includes the end of the span.
    span = {"start_time": int(window.since.timestamp()), "end_time": int(window.until.timestamp()) - 1}
    found = http.get(_RATINGS.path, {"score": "received", **span, "per_page": 1, "page": 1}).data
    count = found.get("count") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def _answered(response: Any) -> dict[str, Any] | None:
    """The record of a survey response; None if nothing has been answered yet."""
    if not isinstance(response, dict):
        return None
    answers = [
        answer
        for answer in response.get("answers") or []
        if isinstance(answer, dict) and answer.get("type") != "skipped"
    ]
    if not answers:
        return None
    rated: dict[str, Any] = next((answer for answer in answers if answer.get("type") == "rating_scale"), {})
    texts = [
        str(answer["value"])
        for answer in answers
        if answer.get("type") == "open_ended" and answer.get("value")
    ]
    chosen = [
        str(selection.get("option_id"))
        for answer in answers
        if answer.get("type") == "closed_ended"
        for selection in answer.get("selections") or []
    ]
    tickets = [
        subject.get("id")
        for subject in response.get("subjects") or []
        if str(subject.get("type")).endswith("ticket")
    ]
    created, updated = (
        [str(answer[key]) for answer in answers if answer.get(key)] for key in ("created_at", "updated_at")
    )
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
        "created_at": min(created, default=None),
        "updated_at": max(updated, default=None),
    }


_RATINGS = _List(
    path="/api/v2/satisfaction_ratings",
    key="satisfaction_ratings",
    time_key="updated_at",
    filters=lambda since: {"score": "received", "start_time": int(since.timestamp())},
    record=lambda rating: rating if isinstance(rating, dict) else None,
)
_RESPONSES = _List(
    path="/api/v2/guide/survey_responses",
    key="survey_responses",
    time_key="created_at",
    # This list takes milliseconds, the ratings take seconds.
    filters=lambda since: {"filter[created_at_start]": int(since.timestamp() * 1000)},
    record=_answered,
)

"""Pulls Freshdesk's newer customer satisfaction surveys: the responses of every survey of the account.

Lists come in pages; the URL of the next page holds a token. They can be filtered only by creation time, but answers may
change later, so every pull starts weeks before the newest response seen. The older ratings are part of the tickets
(`connector.py`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, json_lines

_SURVEYS = "/api/v2/customer-satisfaction/surveys"
_LARGEST_PAGE = 100
_REPEATS = 5
_EDITABLE = timedelta(days=28)


class FreshdeskCsat(Connector):
    """Answered surveys: one record per response, with its answers by question.

    Records: id, survey_id, ticket_id, user_id, answers (question's id -> answer), created_at, updated_at.
    """

    name = "freshdesk_csat"
    readers = ("json",)
    counts = "responses"

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Responses created since 28 days before the newest one seen of their survey; survey by survey.

        state: `newest`, survey's id -> the newest creation time of a response. It is saved with the survey's last page.
        """
        first = datetime.combine(api.since, time.min, UTC)
        for survey in _surveys(http):
            seen = (state.get("newest") or {}).get(survey)
            since = max(first, _instant(seen) - _EDITABLE) if seen else first
            newest = seen or ""
            params = {"created_after": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "per_page": _size(api)}
            path = f"{_SURVEYS}/{survey}/responses?{urlencode(params)}"
            for responses, is_last in _listed(http, path):
                records = [
                    record for response in responses if (record := _record(response, survey)) is not None
                ]
                newest = max([newest, *(str(record["created_at"]) for record in records)])
                if is_last and newest:
                    state = {"newest": {**(state.get("newest") or {}), survey: newest}}
                yield Page(json_lines(*records), len(records), state)

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether surveys may be listed, and whether there is one."""
        surveys = _surveys(http)
        yield Finding(
            bool(surveys),
            f"{len(surveys)} customer satisfaction surveys may be read"
            if surveys
            else "the account has no customer satisfaction survey of the newer kind: create one, or end this source",
        )


def _surveys(http: Http) -> list[str]:
    """Ids of all surveys, also of ended ones."""
    pages = _listed(http, f"{_SURVEYS}?per_page={_LARGEST_PAGE}")
    surveys = [survey for page, _ in pages for survey in page]
    if any("id" not in survey for survey in surveys):
        raise BadResponseError("a customer satisfaction survey came without `id`: check api.base_url")
    return sorted({str(survey["id"]) for survey in surveys})


def _listed(http: Http, path: str) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """(Entries of a page, whether it is the last). A survey without answers responds with 404."""
    repeats, before = 0, None
    while True:
        response = http.get(path, accept=(404,))
        if response.status == 404:
            yield [], True
            return
        data = response.data
        entries = data.get("data") if isinstance(data, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadResponseError(
                f"the response of {path.partition('?')[0]} has no list under `data`: check api.base_url"
            )
        following = (data.get("paging") or {}).get("next")
        if following and (following == path or (entries and entries == before)):
            repeats += 1
            if repeats > _REPEATS:
                raise UnavailableError(
                    f"{path.partition('?')[0]} gives the same page again and again: try again later"
                )
            continue
        repeats, before = 0, entries
        yield entries, not following
        if not following:
            return
        path = str(following)


def _record(response: dict[str, Any], survey: str) -> dict[str, Any] | None:
    """The record of a survey response; None if nothing has been answered yet."""
    if "id" not in response or not response.get("created_at"):
        raise BadResponseError("a survey response came without `id` or `created_at`: check api.base_url")
    answers = {
        str(answer.get("question_id")): answer.get("value")
        for answer in response.get("answers") or []
        if isinstance(answer, dict) and answer.get("value") not in (None, "")
    }
    if not answers:
        return None
    kept = {name: response.get(name) for name in ("ticket_id", "user_id", "created_at", "updated_at")}
    return {
        "id": response["id"],
        "survey_id": str(response.get("survey_id") or survey),
        **kept,
        "answers": answers,
    }


def _size(api: Api) -> int:
    return min(api.page_size or _LARGEST_PAGE, _LARGEST_PAGE)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

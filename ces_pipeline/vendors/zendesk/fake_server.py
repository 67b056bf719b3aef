"""A fake Zendesk: the cursor export with its side-loads, metrics, both kinds of satisfaction surveys, OAuth."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

EMAIL, TOKEN = "admin@example.org", "zd-canary-token-7f3a9c"
_EXPORT = "/api/v2/incremental/tickets/cursor"
_MOST_TICKETS, _MOST_LISTED = 1000, 100
_FIRST = 1_772_323_200  # 2026-03-01
_LAG_SECONDS = 60


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ticket(number: int, *, generated: int | None = None, **values: Any) -> dict[str, Any]:
    """A ticket of the export, generated in the `number`th minute of March 2026 by default."""
    at = _FIRST + 60 * number if generated is None else generated
    return {
        "id": number,
        "url": f"https://example.zendesk.com/api/v2/tickets/{number}.json",
        "external_id": None,
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": iso(_FIRST),
        "updated_at": iso(at),
        "generated_timestamp": at,
        "type": "question",
        "subject": f"Question {number}",
        "priority": "normal",
        "status": "solved",
        "requester_id": 9000 + number % 3,
        "group_id": 70,
        "custom_fields": [{"id": 4711, "value": None}],
        "fields": [{"id": 4711, "value": None}],
        "satisfaction_rating": None,
        **values,
    }


class FakeZendesk(FakeVendor):
    """One account. metrics: ticket id -> metric set. archived: ids whose metrics are not side-loaded.

    limited: whether the eleventh export within a minute is refused.
    """

    def __init__(
        self,
        tickets: Sequence[dict[str, Any]],
        *,
        clock: Clock | None = None,
        plan: FaultPlan | None = None,
        limited: bool = False,
    ):
        super().__init__(clock, plan)
        self.tickets = list(tickets)
        self.metrics: dict[int, dict[str, Any]] = {}
        self.archived: set[int] = set()
        self.ratings: list[dict[str, Any]] = []
        self.survey_responses: list[dict[str, Any]] = []
        self.fields: dict[int, dict[str, Any]] = {}
        self.users = {
            9000 + number: {"id": 9000 + number, "email": f"person{number}@example.org"}
            for number in range(3)
        }
        self.served: list[tuple[int, int]] = []
        self.limited = limited
        self.forbidden: set[str] = set()
        self.refresh_token = "first-refresh-canary"
        self.access_tokens: list[str] = []
        self._before: FakeResponse | None = None
        self._nonce = 0
        self._exports: list[float] = []

    def answer(self, asked: FakeRequest) -> FakeResponse:
        path = asked.path.removesuffix(".json")
        if path == "/oauth/tokens":
            return self._oauth(asked)
        if asked.basic != (f"{EMAIL}/token", TOKEN) and asked.bearer not in self.access_tokens[-1:]:
            return FakeResponse(401, {"error": "Couldn't authenticate you"})
        if path in self.forbidden:
            return FakeResponse(403, {"error": {"title": "Forbidden", "message": "You do not have access"}})
        if path == _EXPORT:
            return self._export(asked)
        if path == "/api/v2/incremental/tickets/sample":
            return FakeResponse(data={"tickets": self.tickets[:50]})
        if path == "/api/v2/search":
            return self._search(asked)
        if asked.fault == "changed" and path != _EXPORT:
            self._change_lists()
        if path == "/api/v2/satisfaction_ratings":
            return self._ratings(asked)
        if path == "/api/v2/guide/survey_responses":
            since = int(asked.query.get("filter[created_at_start]", 0)) / 1000
            kept = [
                response for response in self.survey_responses if _seconds(response["created_at"]) >= since
            ]
            return self._listed(asked, "survey_responses", kept)
        parts = path.split("/")
        if parts[3] == "ticket_fields":
            field = self.fields.get(int(parts[4]))
            return FakeResponse(data={"ticket_field": field}) if field else _not_found()
        if parts[3] == "tickets" and parts[5] == "metrics":
            metric = self.metrics.get(int(parts[4]))
            # Documented as an array.
            return FakeResponse(data={"ticket_metric": [metric]}) if metric else _not_found()
        return FakeResponse(404, {"error": "InvalidEndpoint", "description": "Not found"})

    def _export(self, asked: FakeRequest) -> FakeResponse:
        if self.limited:
            now = self.clock.monotonic()
            self._exports = [*(at for at in self._exports if at > now - 60), now]
            if len(self._exports) > 10:
                return FakeResponse(429, {"error": "APIRateLimitExceeded"}, headers={"Retry-After": "3"})
        before, self._before = self._before, None
        if asked.fault == "repeated_page" and before is not None and "cursor" in asked.query:
            self._before = before
            if before.data["after_cursor"] == asked.query["cursor"]:
                return before
        if "cursor" in asked.query:
            place = _decoded(asked.query["cursor"])
        else:
            start = int(asked.query["start_time"])
            if start > self.now_s - _LAG_SECONDS:
                return FakeResponse(400, {"error": "StartTimeTooRecent", "description": "Too recent"})
            place = (start, -1)
        if asked.fault == "changed":
            self._change(place)
        size = min(int(asked.query.get("per_page", _MOST_TICKETS)), _MOST_TICKETS)
        later = sorted((ticket for ticket in self.tickets if _place(ticket) > place), key=_place)
        page, is_end = later[:size], len(later) <= size
        if asked.fault == "empty_page":
            page, is_end = [], False
        self.served += [_place(ticket)[::-1] for ticket in page]
        self._nonce += 1
        self._before = FakeResponse(
            data={
                "tickets": page,
                **self._side_loads(page, asked.query.get("include", "")),
                "after_url": "https://example.zendesk.com/somewhere",
                "after_cursor": _encoded(_place(page[-1]) if page else place, self._nonce),
                "before_url": None,
                "before_cursor": None,
                "end_of_stream": is_end,
            }
        )
        return self._before

    def _change(self, place: tuple[int, int]) -> None:
        """Update a ticket that was already served, so that it comes again at the end."""
        served = [ticket for ticket in self.tickets if _place(ticket) <= place]
        if served:
            changed = served[0]
            newest = max(ticket["generated_timestamp"] for ticket in self.tickets) + 1
            self.tickets.remove(changed)
            self.tickets.append(
                {**changed, "generated_timestamp": newest, "updated_at": iso(newest), "status": "open"}
            )

    def _side_loads(self, page: list[dict[str, Any]], include: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "users" in include:
            ids = {ticket["requester_id"] for ticket in page}
            found["users"] = [user for key, user in self.users.items() if key in ids]
        if "groups" in include:
            found["groups"] = [{"id": 70, "name": "Care"}]
        if "metric_sets" in include:
            ids = {ticket["id"] for ticket in page} - self.archived
            found["metric_sets"] = [metric for key, metric in self.metrics.items() if key in ids]
        return found

    def _search(self, asked: FakeRequest) -> FakeResponse:
        """Tickets updated within a span; deleted ones are not found."""
        kind, since, until = asked.query["query"].split(" ")
        assert kind == "type:ticket"
        first, last = since.removeprefix("updated>="), until.removeprefix("updated<")
        found = [
            ticket
            for ticket in self.tickets
            if ticket["status"] != "deleted" and first <= ticket["updated_at"] < last
        ]
        return FakeResponse(data={"results": found[:1], "count": len(found), "next_page": None})

    def _ratings(self, asked: FakeRequest) -> FakeResponse:
        since, until = int(asked.query.get("start_time", 0)), int(asked.query.get("end_time", 2**40))
        kept = [rating for rating in self.ratings if since <= _seconds(rating["updated_at"]) <= until]
        if asked.query.get("score") == "received":
            kept = [rating for rating in kept if rating["score"] in ("good", "bad")]
        return self._listed(asked, "satisfaction_ratings", kept)

    def _listed(self, asked: FakeRequest, key: str, items: list[dict[str, Any]]) -> FakeResponse:
        """A list in cursor pages; with `per_page` in offset pages, which have no `meta`."""
        if "per_page" in asked.query:
            return FakeResponse(data={key: items[:_MOST_LISTED], "count": len(items), "next_page": None})
        before, self._before = self._before, None
        if asked.fault == "repeated_page" and before is not None:
            self._before = before
            if before.data["meta"]["after_cursor"] == asked.query.get("page[after]"):
                return before
        cursor = asked.query.get("page[after]")
        start = int(base64.b64decode(cursor).split(b"|")[0]) if cursor else 0
        size = min(int(asked.query.get("page[size]", _MOST_LISTED)), _MOST_LISTED)
        is_empty = asked.fault == "empty_page"
        end = start if is_empty else start + size
        self._nonce += 1
        self._before = FakeResponse(
            data={
                key: items[start:end],
                "meta": {
                    "has_more": is_empty or end < len(items),
                    "after_cursor": base64.b64encode(f"{end}|{self._nonce}".encode()).decode(),
                    "before_cursor": None,
                },
                "links": {"next": "https://example.zendesk.com/next", "prev": None},
            }
        )
        return self._before

    def _change_lists(self) -> None:
        """Change a rating and a survey response, and add one of each: now, by the vendor's clock."""
        now = iso(self.now_s)
        self._nonce += 1
        for rated in self.ratings[:1]:
            rated |= {"score": "bad", "updated_at": now}
            added = {"id": 900_000 + self._nonce, "created_at": now}
            self.ratings.append({**rated, **added})
        for answered in self.survey_responses[:1]:
            (answer,) = answered["answers"]
            answered["answers"] = [{**answer, "rating": 1, "updated_at": now}]
            fresh = {**answer, "created_at": now, "updated_at": now}
            added = {"id": f"late{self._nonce}", "created_at": now, "answers": [fresh]}
            self.survey_responses.append({**answered, **added})

    def _oauth(self, asked: FakeRequest) -> FakeResponse:
        """A refresh returns a new pair of tokens; the old pair is invalid from then on."""
        grant = asked.json
        if grant["grant_type"] != "refresh_token" or grant["refresh_token"] != self.refresh_token:
            return FakeResponse(
                400, {"error": "invalid_grant", "error_description": f"unknown {grant['refresh_token']}"}
            )
        self.refresh_token = f"refresh-canary-{len(self.access_tokens) + 2}"
        self.access_tokens.append(f"access-canary-{len(self.access_tokens) + 1}")
        return FakeResponse(
            data={
                "access_token": self.access_tokens[-1],
                "refresh_token": self.refresh_token,
                "expires_in": 7200,
            }
        )


def _place(ticket: dict[str, Any]) -> tuple[int, int]:
    return ticket["generated_timestamp"], ticket["id"]


def _encoded(place: tuple[int, int], nonce: int) -> str:
    return base64.b64encode(f"{place[0]}.0||{place[1]}|{nonce}".encode()).decode()


def _decoded(cursor: str) -> tuple[int, int]:
    seconds, number, _ = base64.b64decode(cursor).decode().replace("||", "|").split("|")
    return int(float(seconds)), int(number)


def cursor_place(cursor: str) -> tuple[int, int]:
    """(generated_timestamp, ticket id) of the last ticket before a cursor; for tests of states only."""
    return _decoded(cursor)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _not_found() -> FakeResponse:
    return FakeResponse(404, {"error": "RecordNotFound", "description": "Not found"})

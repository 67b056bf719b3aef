"""A fake Freshdesk: ticket lists with their 30-day default and page wall, single tickets, satisfaction ratings."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

KEY = "freshdesk-key-canary"
_LIMIT = 700
_SIDE_LOADS = ("stats", "requester")


def ticket(ticket_id: int, updated_at: str, **more: Any) -> dict[str, Any]:
    """A ticket as in the list, by default opened on the day before 2026-03-01."""
    return {
        "id": ticket_id,
        "status": 2,
        "priority": 1,
        "source": 1,
        "type": "Question",
        "requester_id": 9000 + ticket_id,
        "responder_id": 8,
        "group_id": None,
        "product_id": None,
        "spam": False,
        "created_at": "2026-02-28T00:00:00Z",
        "updated_at": updated_at,
        "stats": {"resolved_at": None, "first_responded_at": None, "closed_at": None},
        **more,
    }


def rating(rating_id: int, ticket_id: int, code: int, created_at: str) -> dict[str, Any]:
    """A satisfaction rating; its comment and user are about people."""
    return {
        "id": rating_id,
        "survey_id": 1,
        "user_id": 9000 + ticket_id,
        "agent_id": 8,
        "ticket_id": ticket_id,
        "feedback": "call me at 030 1234567",
        "ratings": {"default_question": code, "question_1": -102},
        "created_at": created_at,
        "updated_at": created_at,
    }


def csat_response(name: str, ticket_id: int, value: int, created_at: str) -> dict[str, Any]:
    """A response to a survey of the newer kind."""
    return {
        "id": name,
        "survey_id": "S1",
        "ticket_id": ticket_id,
        "user_id": str(9000 + ticket_id),
        "agent_id": "8",
        "answers": [
            {"question_id": "Q_1", "question_text": "How easy was it?", "value": value},
            {"question_id": "Q_2", "question_text": "Why?", "value": None},
        ],
        "created_at": created_at,
        "updated_at": created_at,
    }


def seeded_tickets(seed: int, count: int = 40) -> list[dict[str, Any]]:
    """Tickets in random order, some with the same second of change, some deleted or spam."""
    chance = random.Random(seed)
    at, found = datetime(2026, 3, 1, tzinfo=UTC), []
    for number in range(1, count + 1):
        at += timedelta(seconds=chance.choice((0, 0, 0, 1, 4000)))
        kind = chance.choice(({}, {}, {}, {}, {"deleted": True}, {"spam": True}))
        found.append(ticket(number, _text(at), status=chance.choice((2, 3, 4, 5, 7)), **kind))
    chance.shuffle(found)
    return found


class FakeFreshdesk(FakeVendor):
    """Serves `tickets` and `ratings`. `wall`: the last page of a list; `heeds_filter` False: updated_since does
    nothing, `heeds_list` False: filter does nothing.

    Faults: `repeated_page` sends the last list again, `empty_page` an empty list although there are tickets, `changed`
    changes a ticket now, before the response.
    """

    def __init__(
        self,
        tickets: list[dict[str, Any]],
        ratings: list[dict[str, Any]] | None = None,
        *,
        wall: int = 300,
        clock: Clock | None = None,
        plan: FaultPlan | None = None,
    ):
        super().__init__(clock, plan)
        self.tickets = {ticket["id"]: ticket for ticket in tickets}
        self.ratings = ratings or []
        self.wall = wall
        self.heeds_filter = True
        self.heeds_list = True
        self.refuses_ratings = False
        self.statuses: dict[str, list[str]] | None = None
        self.csat_responses: dict[str, list[dict[str, Any]]] = {}
        self._chance = random.Random(len(tickets))
        self._before: dict[tuple[str, str], FakeResponse] = {}
        self._csat_before: dict[str, FakeResponse] = {}

    def change(self, ticket_id: int, **more: Any) -> None:
        """A ticket changes now, by the vendor's clock."""
        now = datetime.fromtimestamp(self.now_s, UTC)
        self.tickets[ticket_id] = {**self.tickets[ticket_id], **more, "updated_at": _text(now)}

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if (asked.basic or ("",))[0] != KEY:
            return FakeResponse(401, {"code": "invalid_credentials", "message": "You have to be logged in."})
        if asked.fault == "changed" and self.tickets:
            self.change(self._chance.choice(sorted(self.tickets)), status=3)
        parts = asked.path.removeprefix("/api/v2/").split("/")
        if parts[0] == "customer-satisfaction":
            return self._csat(asked, parts)
        return self._desk(asked, parts)

    def _desk(self, asked: FakeRequest, parts: list[str]) -> FakeResponse:
        """Tickets, their ratings and fields."""
        if parts == ["ticket_fields"]:
            fields = [{"name": "status", "type": "default_status", "choices": self.statuses}]
            return (
                FakeResponse(data=fields) if self.statuses else FakeResponse(403, {"code": "access_denied"})
            )
        if parts == ["tickets"]:
            reply = self._listed(asked, self._tickets(asked))
        elif parts == ["search", "tickets"]:
            return self._searched(asked.query["query"])
        elif parts == ["surveys", "satisfaction_ratings"]:
            if self.refuses_ratings:
                return FakeResponse(403, {"code": "access_denied", "message": "You are not authorized."})
            reply = self._listed(asked, self._ratings(asked))
        elif parts[0] == "tickets" and parts[2:] == ["satisfaction_ratings"]:
            return FakeResponse(
                data=[rating for rating in self.ratings if rating["ticket_id"] == int(parts[1])]
            )
        elif parts[0] == "tickets" and len(parts) == 2 and int(parts[1]) in self.tickets:
            words = {"description": "<b>call 030 1234567</b>", "description_text": "call 030 1234567"}
            return FakeResponse(data={**_shown(self.tickets[int(parts[1])], asked), **words})
        else:
            return FakeResponse(404, body=b"")
        one_list = (asked.path, asked.query.get("filter", ""))
        if asked.fault == "repeated_page" and one_list in self._before:
            return self._before[one_list]
        if asked.fault == "empty_page" and reply.data and reply.status == 200:
            return FakeResponse(data=[], headers={"Link": f'<{self.url}{asked.path}?page=9>; rel="next"'})
        self._before[one_list] = reply
        return reply

    def _tickets(self, asked: FakeRequest) -> list[dict[str, Any]]:
        query = asked.query
        kind = query.get("filter", "") if self.heeds_list else ""
        found = [ticket for ticket in self.tickets.values() if _kind(ticket) == kind]
        if "updated_since" in query:
            if self.heeds_filter:
                found = [ticket for ticket in found if ticket["updated_at"] >= query["updated_since"]]
        else:
            month_ago = _text(datetime.fromtimestamp(self.now_s, UTC) - timedelta(days=30))
            found = [ticket for ticket in found if ticket["created_at"] >= month_ago]
        order = query.get("order_by", "created_at")
        # Equal times come in the order of the ids here; the vendor promises no order.
        found.sort(
            key=lambda ticket: (ticket[order], ticket["id"]),
            reverse=query.get("order_type", "desc") == "desc",
        )
        return [_shown(ticket, asked) for ticket in found]

    def _csat(self, asked: FakeRequest, parts: list[str]) -> FakeResponse:
        """Surveys, or the responses of one survey: pages whose next URL holds a token."""
        if parts[2:] == []:
            return FakeResponse(
                data={"data": [{"id": survey} for survey in self.csat_responses], "paging": {"next": None}}
            )
        found = self.csat_responses.get(parts[2], [])
        if asked.fault == "changed":
            self._answer_csat(found)
        since = asked.query.get("created_after", "")
        kept = [response for response in found if response["created_at"] >= since]
        if not kept:
            return FakeResponse(404, body=b"")
        token = asked.query.get("next_token", "0.")
        start, size = int(token.split(".")[0]), min(int(asked.query.get("per_page", 30)), 100)
        is_empty = asked.fault == "empty_page"
        if asked.fault == "repeated_page" and token in self._csat_before:
            return self._csat_before[token]
        end = start if is_empty else start + size
        following = f"{end}.{len(self.asked)}"
        url = f"{self.url}{asked.path}?{urlencode({**asked.query, 'next_token': following})}"
        has_more = is_empty or end < len(kept)
        reply = FakeResponse(data={"data": kept[start:end], "paging": {"next": url if has_more else None}})
        self._csat_before[following] = reply
        return reply

    def _answer_csat(self, responses: list[dict[str, Any]]) -> None:
        """Change an answer and add a response, both now."""
        now = _text(datetime.fromtimestamp(self.now_s, UTC))
        if responses:
            responses[0] |= {"answers": [{"question_id": "Q_1", "value": 1}], "updated_at": now}
            added = {"id": f"late{len(responses)}", "created_at": now, "updated_at": now}
            responses.append({**responses[0], **added})

    def _searched(self, query: str) -> FakeResponse:
        """Tickets changed on a date; neither deleted nor spam."""
        day = query.removeprefix("\"updated_at:'").removesuffix("'\"")
        found = [
            ticket
            for ticket in self.tickets.values()
            if not _kind(ticket) and ticket["updated_at"].startswith(day)
        ]
        return FakeResponse(data={"total": len(found), "results": found[:30]})

    def _ratings(self, asked: FakeRequest) -> list[dict[str, Any]]:
        month_ago = _text(datetime.fromtimestamp(self.now_s, UTC) - timedelta(days=30))
        since = asked.query.get("created_since", month_ago)
        found = [rating for rating in self.ratings if rating["created_at"] >= since]
        return sorted(found, key=lambda rating: rating["created_at"], reverse=True)

    def _listed(self, asked: FakeRequest, records: list[dict[str, Any]]) -> FakeResponse:
        page = int(asked.query.get("page", 1))
        size = min(int(asked.query.get("per_page", 30)), 100)
        if page > self.wall:
            return FakeResponse(
                400,
                {
                    "description": "Validation failed",
                    "errors": [
                        {"field": "page", "message": "You cannot access it.", "code": "invalid_value"}
                    ],
                },
            )
        left = max(0, _LIMIT - len(self.asked))
        headers = {"X-RateLimit-Total": str(_LIMIT), "X-RateLimit-Remaining": str(left)}
        if len(records) > page * size:
            headers["Link"] = f'<{self.url}{asked.path}?page={page + 1}>; rel="next"'
        return FakeResponse(data=records[(page - 1) * size : page * size], headers=headers)


def _shown(ticket: dict[str, Any], asked: FakeRequest) -> dict[str, Any]:
    include = asked.query.get("include", "").split(",")
    person = {"id": ticket["requester_id"], "email": f"person{ticket['id']}@example.com"}
    shown = {"requester": person, **ticket}
    return {name: value for name, value in shown.items() if name not in _SIDE_LOADS or name in include}


def _kind(ticket: dict[str, Any]) -> str:
    return "deleted" if ticket.get("deleted") else "spam" if ticket["spam"] else ""


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

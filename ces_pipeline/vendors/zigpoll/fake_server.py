"""A fake Zigpoll account: answers to slides, newest first, behind a raw key and a cursor; polls with counters."""

from datetime import UTC, datetime
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

KEY = "zigpoll-canary-key"
ACCOUNT = "acc1"
POLL = "poll1"
EASE, COMMENT = "slide-ease", "slide-comment"
_SCOPES = ("accountId", "pollId", "slideId")
_MOST = 5000


def zigpoll_answer(
    number: int, participant: str | None, slide: str, text: str, at: datetime, **more: Any
) -> dict[str, Any]:
    """An answer, as in the vendor's list."""
    return {
        "_id": f"a{number:05d}",
        "accountId": ACCOUNT,
        "pollId": POLL,
        "slideId": slide,
        "participantId": participant,
        "createdAt": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "response": text,
        "valueType": "vote",
        **more,
    }


def zigpoll_poll(poll: str, shown: int) -> dict[str, Any]:
    """A poll with its counters, as in the vendor's list."""
    counts = {"render": 3 * shown, "presentation": shown, "open": shown // 2, "complete": shown // 4}
    return {"_id": poll, "accountId": ACCOUNT, "title": f"Poll {poll}", "isVisible": True, "counts": counts}


class FakeZigpoll(FakeVendor):
    """A span excludes both its bounds. Paging faults: `repeated_page` lists the previous page again with the same
    cursor; `empty_page` lists nothing, with the same cursor; `changed` adds a comment and edits an answer, or shows
    each poll once more."""

    def __init__(self, answers: list[dict[str, Any]], clock: Clock | None = None):
        super().__init__(clock, FaultPlan())
        self.answers = answers
        self.polls: list[dict[str, Any]] = []
        self.sticks_at: str | None = None
        self._changes = 0

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.headers.get("authorization") != KEY:
            return FakeResponse(422, {"error": "Invalid private key."})
        if asked.path == "/me":
            return FakeResponse(data={"accounts": [ACCOUNT]})
        if asked.path == "/polls":
            return self._polls(asked)
        if asked.path != "/responses":
            return FakeResponse(404, {"error": "Not found"})
        scope = {name: asked.query[name] for name in _SCOPES if name in asked.query}
        limit = int(asked.query.get("limit", 100))
        if len(scope) != 1 or limit > _MOST:
            return FakeResponse(400, {"error": "Bad request"})
        if asked.fault == "changed":
            self._change()
        return self._listed(asked, scope, limit)

    def _listed(self, asked: FakeRequest, scope: dict[str, str], limit: int) -> FakeResponse:
        after, before = (float(asked.query.get(name, edge)) for name, edge in _EDGES.items())
        rows = [
            row
            for row in sorted(self.answers, key=lambda row: (row["createdAt"], row["_id"]), reverse=True)
            if all(row[name] == value for name, value in scope.items())
            and after < created_ms(row) < before
            and created_ms(row) <= self.now_s * 1000
        ]
        cursor = asked.query.get("startCursor")
        ids = [row["_id"] for row in rows]
        start = ids.index(cursor) + 1 if cursor else 0
        if asked.fault == "empty_page" and start < len(rows):
            return FakeResponse(data={"data": [], "hasNextPage": True, "endCursor": cursor})
        if cursor and (asked.fault == "repeated_page" or self.sticks_at == cursor):
            page = rows[max(0, start - limit) : start]
            return FakeResponse(data={"data": page, "hasNextPage": True, "endCursor": cursor})
        page = rows[start : start + limit]
        more = start + limit < len(rows)
        return FakeResponse(
            data={"data": page, "hasNextPage": more, "endCursor": page[-1]["_id"] if page else cursor}
        )

    def _polls(self, asked: FakeRequest) -> FakeResponse:
        if asked.fault == "changed":
            self.show()
        return FakeResponse(
            data=[poll for poll in self.polls if poll["accountId"] == asked.query.get("accountId")]
        )

    def show(self, times: int = 1) -> None:
        """Show each poll so many times more."""
        self.polls = [
            zigpoll_poll(poll["_id"], poll["counts"]["presentation"] + times) for poll in self.polls
        ]

    def _change(self) -> None:
        """Add an answer of the latest participant to another slide, and edit an earlier answer."""
        self._changes += 1
        now = datetime.fromtimestamp(self.now_s, UTC)
        latest = max(self.answers, key=lambda row: str(row["createdAt"]))
        self.answers.append(
            zigpoll_answer(90_000 + self._changes, latest["participantId"], COMMENT, "späte Antwort", now)
        )
        latest["response"] = f"{latest['response']} (edited {self._changes})"


_EDGES = {"createdAfter": "-inf", "createdBefore": "inf"}


def created_ms(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["createdAt"]).timestamp() * 1000

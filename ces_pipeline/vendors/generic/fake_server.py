"""A fake survey tool without a vendor: one list of answers, with any of the usual kinds of paging."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

KEY = "rest-canary-key-51d0"
PATH = "/v1/answers"


class FakeSurveyTool(FakeVendor):
    """Records in the order of their `changed` time. paging: as the connector's option of that name."""

    def __init__(
        self,
        records: Sequence[dict[str, Any]],
        paging: str,
        *,
        clock: Clock | None = None,
        plan: FaultPlan | None = None,
    ):
        super().__init__(clock, plan)
        self.records = list(records)
        self.paging = paging
        self._before: tuple[int, FakeResponse] | None = None

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.headers.get("x-key") != KEY:
            return FakeResponse(401, {"error": f"wrong key {asked.headers.get('x-key')}"})
        if asked.path != PATH:
            return FakeResponse(404, {})
        size = int(asked.query.get("size", 100))
        start = self._start(asked, size)
        if asked.fault == "repeated_page" and self._before and self._before[0] == start:
            return self._before[1]
        if asked.fault == "changed" and start:
            self._change(start)
        since = asked.query.get("since", "")
        kept = sorted(
            (record for record in self.records if not since or _moment(record["changed"]) >= _moment(since)),
            key=lambda record: (_moment(record["changed"]), record["id"]),
        )
        is_empty = asked.fault == "empty_page" and self.paging in ("cursor", "next_url", "link")
        page = [] if is_empty else kept[start : start + size]
        # An empty page in the middle has a cursor of its own that leads to the same place.
        following = f"{start + len(page)}{'a' if is_empty else ''}"
        reply = self._reply(
            page, following if is_empty or start + size < len(kept) else None, asked, len(kept)
        )
        self._before = (start + len(page), reply)
        return reply

    def _start(self, asked: FakeRequest, size: int) -> int:
        if self.paging == "page":
            return (int(asked.query.get("page", 1)) - 1) * size
        return int(asked.query.get("offset", asked.query.get("after", "0")).rstrip("a"))

    def _change(self, start: int) -> None:
        """Add a record after all others: records that were already sent keep their position."""
        newest = max(self.records, key=lambda record: _moment(record["changed"]))
        self.records.append({**newest, "id": f"z{start:03d}"})

    def _reply(
        self, page: list[dict[str, Any]], following: str | None, asked: FakeRequest, total: int
    ) -> FakeResponse:
        kept = {name: asked.query[name] for name in ("since", "size") if name in asked.query}
        query = urlencode([*kept.items(), ("after", following or "")])
        url = f"{self.url}{PATH}?{query}"
        if self.paging == "link":
            links: dict[str, str] = {}
            if following:
                links["Link"] = f'<{self.url}{PATH}>; rel="first", <{url}>; rel="next"'
            return FakeResponse(data=page, headers=links)
        following = url if following and self.paging == "next_url" else following
        return FakeResponse(data={"data": {"items": page}, "next": following, "total": total})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

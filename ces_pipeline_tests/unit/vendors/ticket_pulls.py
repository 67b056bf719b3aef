"""Pulls of a ticket connector against its fake vendor, page by page, with what they gave. Nothing is landed here."""

import base64
import json
import random
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ces_pipeline.http.client import Http
from ces_pipeline.http.credentials import FixedHeaders
from ces_pipeline.http.errors import UnavailableError
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, State, Window

HOUR_SECONDS = 3600.0
MOST_WAITING_SECONDS = 600.0
"""A client that waits as Retry-After says waits less than this with the seeded plans of faults."""
DRIP_SECONDS = 400.0
"""The time that the fake vendor itself takes for a slow body: it is not a wait of the client."""


@dataclass
class TicketPulls:
    """The pulls of a source. state: the last state saved. states: all saved states. pages: the records of each page."""

    connector: Connector
    vendor: FakeVendor
    user: str
    password: str
    page_size: int = 3
    since: date = date(2026, 3, 1)
    options: dict[str, Any] = field(default_factory=dict)
    state: State = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    pages: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for page in self.pages for record in page]

    @property
    def api(self) -> Api:
        return Api(
            connector=self.connector.name,
            base_url=self.vendor.url,
            since=self.since,
            page_size=self.page_size,
            options=self.options,
        )

    def pull(self, most_pages: int | None = None) -> list[dict[str, Any]]:
        """Pull to the end, or stop after some pages as if killed. Returns the records of this pull."""
        first = len(self.pages)
        with closing(self._http()) as http:
            for page in self.connector.pages(http, self.api, self.state, self.vendor.clock.now()):
                lines = page.body.decode().splitlines()
                self.pages.append([json.loads(line) for line in lines])
                assert len(lines) == page.records
                self.state = json.loads(json.dumps(page.state))
                self.states.append(self.state)
                if len(self.pages) - first == most_pages:
                    break
        return [record for page in self.pages[first:] for record in page]

    def pull_patiently(self) -> None:
        """Pull to the end, again after each failure to reach the vendor."""
        for _ in range(20):
            try:
                self.pull()
            except UnavailableError:
                continue
            return
        raise AssertionError("never came to an end")

    def expected(self, window: Window) -> int | None:
        with closing(self._http()) as http:
            (count,) = self.connector.expected(http, self.api, [window], self.vendor.clock.now())
            return count

    def probe(self) -> list[Finding]:
        with closing(self._http()) as http:
            return list(self.connector.probe(http, self.api))

    @property
    def waited_seconds(self) -> float:
        return sum(seconds for seconds in self.vendor.clock.slept if seconds != DRIP_SECONDS)

    def _http(self) -> Http:
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return Http(
            "desk",
            self.vendor.url,
            clock=self.vendor.clock,
            log=RequestLog("desk", "desk-1"),
            credentials=FixedHeaders(("DESK_KEY",), {"Authorization": f"Basic {token}"}),
            chance=random.Random(1),
        )

"""Pulls of survey connectors without a lake: pages are read by the source's reader and kept as landing would keep them.

For plans of many faults, where landing for real would take too long. What lands for real is in the vendors' tests.
"""

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import UnavailableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.pull import open_http
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.catalog import CONNECTORS, READERS
from ces_pipeline.vendors.contract import Page, State

NIGHT = timedelta(days=1)
_LONGEST_WAIT_SECONDS = 100.0
"""The client's own waits are shorter. A longer wait is the vendor's slow body, or the night between pulls."""
_MOST_WAITING_SECONDS = 1800.0

Row = dict[str, Any]


def rows_of(reader: str, body: bytes) -> dict[str, Row]:
    """The responses of a page by id, each with its filled cells."""
    if not body:
        return {}
    export = READERS[reader].read(DeliveredFile.in_memory("page", body), None)
    column = export.mapping["response_id"]
    rows = [row for batch in export.batches for row in batch.to_pylist()]
    assert not export.unreadable
    return {
        row[column]: {name: cell for name, cell in row.items() if cell is not None and name != "row_number"}
        for row in rows
    }


@dataclass
class Kept:
    """What landing would keep: the newest content of each response. contents: how many each has had."""

    reader: str
    rows: dict[str, Row] = field(default_factory=dict)
    contents: dict[str, list[Row]] = field(default_factory=dict)

    def take(self, page: Page) -> None:
        rows = rows_of(self.reader, page.body)
        assert len(rows) == page.records
        self.rows |= rows
        for name, row in rows.items():
            had = self.contents.setdefault(name, [])
            if row not in had:
                had.append(row)


@dataclass
class Pulls:
    """Pulls of a source from a fake vendor, with the state between them."""

    source: Source
    vendor: FakeVendor
    environment: dict[str, str]
    state: State = field(default_factory=dict)
    states: list[State] = field(default_factory=list)

    def client(self) -> Http:
        return open_http(
            Home(Path("unused")),
            self.source,
            RequestLog(self.source.id, "a-pull"),
            clock=self.vendor.clock,
            environment=self.environment,
            chance=random.Random(1),
        )

    def pages(self) -> list[Page]:
        """All pages of one pull; their states are not saved."""
        assert self.source.api is not None
        connector = CONNECTORS[self.source.api.connector]
        with closing(self.client()) as http:
            return list(connector.pages(http, self.source.api, dict(self.state), self.vendor.clock.now()))

    def into(self, kept: Kept, *, ends_early: Callable[[], str | None] = lambda: None) -> bool:
        """One pull, saving the state after each page. Returns whether it came to its end.

        ends_early: asked at each page: `fetched` and `landed` end the pull there, as a kill would.
        """
        assert self.source.api is not None
        connector = CONNECTORS[self.source.api.connector]
        with closing(self.client()) as http:
            for page in connector.pages(http, self.source.api, dict(self.state), self.vendor.clock.now()):
                end = ends_early()
                if end == "fetched":
                    return False
                kept.take(page)
                if end == "landed":
                    return False
                self.state = page.state
                self.states.append(page.state)
        return True


def pull_through(pulls: Pulls, kept: Kept, seed: int, plan: FaultPlan) -> None:
    """Pull under a plan of faults and kills until a pull comes to its end; then once more a night later."""
    chance = random.Random(seed)
    pulls.vendor.plan = plan

    def kill() -> str | None:
        return chance.choice(("fetched", "landed")) if chance.random() < 0.15 else None

    for _ in range(30):
        try:
            if pulls.into(kept, ends_early=kill):
                break
        except UnavailableError:
            # The next pull tries again; any other failure is the connector's.
            pass
        pulls.vendor.clock.sleep(60)
    else:
        raise AssertionError(f"seed {seed}: never came to its end")
    pulls.vendor.clock.sleep(NIGHT.total_seconds())
    pulls.vendor.plan = FaultPlan(skew_seconds=plan.skew_seconds)
    assert pulls.into(kept)
    waited = sum(pause for pause in pulls.vendor.clock.slept if pause < _LONGEST_WAIT_SECONDS)
    assert waited < _MOST_WAITING_SECONDS, f"seed {seed}: {waited} s of waiting"

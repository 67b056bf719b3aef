"""Sources that are pulled from a fake vendor: their registry entries, a pull without a lake, and fault plans."""

import random
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.home import Home
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.pull import open_http
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Page, State

FAULT_SEEDS = pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(20), id="20_plans"),
        pytest.param(range(20, 200), id="the_other_180", marks=pytest.mark.slow),
    ],
)
"""Two hundred seeded plans of faults for every connector, some of them in every run."""


def fetch(
    source: Source,
    vendor: FakeVendor,
    environment: Mapping[str, str],
    *,
    state: State | None = None,
    now: datetime | None = None,
    seed: int = 0,
    home: Path = Path("nowhere"),
    log: RequestLog | None = None,
) -> list[Page]:
    """Every page that a pull from `state` would land, on the vendor's own clock."""
    assert source.api is not None
    with closing(
        open_http(
            Home(home),
            source,
            log or RequestLog(source.id, "test"),
            clock=vendor.clock,
            environment=environment,
            chance=random.Random(seed),
        )
    ) as http:
        connector = CONNECTORS[source.api.connector]
        return list(connector.pages(http, source.api, state or {}, now or vendor.clock.now()))


def entry(name: str, vendor: FakeVendor, api: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    """A source of `sources.yaml` that is pulled from the vendor."""
    return {"id": name, "api": {"base_url": vendor.url, "since": "2026-03-01", **api}, **keys}

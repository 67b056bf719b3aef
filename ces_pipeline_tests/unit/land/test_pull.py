"""Protects the order of a pull: pages land while the next ones are fetched, and no checkpoint is saved before its pages have landed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.http.errors import UnavailableError
from ces_pipeline.land import pull as pulling
from ces_pipeline.land.pull import pull, read_pull_state
from ces_pipeline.land.step import SourceLanding, land_opened
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Connector, Page
from ces_pipeline_tests.builders import InboxHome, inbox_home

_NOW = datetime(2026, 3, 3, 2, tzinfo=UTC)
_LONGEST_SECONDS = 20


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    api = {"connector": "zendesk", "base_url": "http://127.0.0.1:9", "since": "2026-03-01"}
    return inbox_home(tmp_path, {"id": "desk", "kind": "tickets", "reader": "zendesk_json", "api": api})


def ticket(number: int) -> dict[str, Any]:
    at = "2026-03-02T10:00:00Z"
    return {"id": number, "status": "open", "requester_id": 7, "created_at": at, "updated_at": at}


def page(number: int) -> Page:
    body = json.dumps({"tickets": [ticket(number)]}).encode() + b"\n"
    return Page(body, 1, {"cursor": f"after-{number}"})


def pulled(
    monkeypatch: pytest.MonkeyPatch, home: InboxHome, pages: Callable[[], Iterator[Page]]
) -> SourceLanding:
    """A pull of these pages, each a delivery of its own."""

    class Vendor(Connector):
        readers = ("zendesk_json",)
        joinable = False

        def pages(self, *_asked: Any) -> Iterator[Page]:
            return pages()

    monkeypatch.setitem(CONNECTORS, "zendesk", Vendor())
    return pull(home.home, home.registry, home.registry.sources["desk"], now=_NOW, environment={})


def cursor(home: InboxHome) -> str | None:
    return read_pull_state(home.lake, home.registry.sources["desk"]).state.get("cursor")


def test_the_next_page_is_fetched_while_one_lands_and_no_place_is_saved_before_its_page_has_landed(
    monkeypatch: pytest.MonkeyPatch, home: InboxHome
) -> None:
    second_is_asked_for = Event()
    saved_at_landing = []

    def patient_landing(*given: Any) -> Any:
        assert second_is_asked_for.wait(_LONGEST_SECONDS)
        saved_at_landing.append(cursor(home))
        return land_opened(*given)

    def pages() -> Iterator[Page]:
        yield page(1)
        second_is_asked_for.set()
        yield page(2)

    monkeypatch.setattr(pulling, "land_opened", patient_landing)
    landed = pulled(monkeypatch, home, pages)
    assert (landed.failures, landed.rows_landed, landed.records_pulled) == ((), 2, 2)
    assert saved_at_landing == [None, "after-1"]
    assert cursor(home) == "after-2"


def test_a_page_that_cannot_land_ends_the_pull_and_the_place_stays_before_it(
    monkeypatch: pytest.MonkeyPatch, home: InboxHome
) -> None:
    def no_space_for_the_second(*given: Any) -> Any:
        if cursor(home) is not None:
            raise HomeError("the disk is full")
        return land_opened(*given)

    monkeypatch.setattr(pulling, "land_opened", no_space_for_the_second)
    with pytest.raises(HomeError, match="the disk is full"):
        pulled(monkeypatch, home, lambda: iter([page(1), page(2), page(3)]))
    assert cursor(home) == "after-1"
    assert [row["ticket_id"] for row in home.rows("desk")] == ["1"]


def test_what_came_before_a_page_that_is_no_export_has_landed(
    monkeypatch: pytest.MonkeyPatch, home: InboxHome
) -> None:
    landed = pulled(monkeypatch, home, lambda: iter([page(1), Page(b"<html>", 1, {"cursor": "lost"})]))
    assert (landed.rows_landed, landed.records_pulled, cursor(home)) == (1, 1, "after-1")
    (failure,) = landed.failures
    assert "not JSON" in failure


def test_what_came_before_the_vendor_failed_has_landed(
    monkeypatch: pytest.MonkeyPatch, home: InboxHome
) -> None:
    def pages() -> Iterator[Page]:
        yield page(1)
        yield Page(b"", 0, {"cursor": "an empty page"})
        yield page(2)
        raise UnavailableError("the vendor is down")

    landed = pulled(monkeypatch, home, pages)
    assert (landed.rows_landed, landed.is_transient, cursor(home)) == (2, True, "after-2")

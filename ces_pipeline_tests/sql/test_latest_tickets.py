"""Protects the latest state of tickets: one spelling per category, and the times that an event log shows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import NOON, registry, ticket
from ces_pipeline_tests.sql.snapshots import derived

_MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path)


def latest(here: Registry, versions: list[dict[str, Any]], columns: str) -> list[tuple[Any, ...]]:
    with derived(here, ["core.tickets"], {"core.ticket_versions": versions}) as made:
        rows = made.rows(f"SELECT {columns} FROM core.tickets ORDER BY ticket_key")
        return [tuple(row.values()) for row in rows]


def event(minute: int, state: str, key: str = "t", **values: Any) -> dict[str, Any]:
    return ticket(key, state=state, updated_at=NOON + minute * _MINUTE, **values)


def test_categories_that_differ_in_case_or_blanks_are_one_as_most_write_it(here: Registry) -> None:
    written = ["billing", "Billing", "Billing", " BILLING  ", "Log in", "log  in", "Log in"]
    rows = [ticket(f"t{n}", category=text, created_at=NOON) for n, text in enumerate(written)]
    assert latest(here, rows, "category") == [("Billing",)] * 4 + [("Log in",)] * 3


def test_an_event_log_shows_opening_and_solve(here: Registry) -> None:
    events = [
        event(0, "open"),
        event(5, "solved"),
        event(10, "open"),
        event(30, "solved"),
        event(90, "closed"),
    ]
    assert latest(here, events, "created_at, resolved_at, resolution_minutes") == [
        (NOON, NOON + 30 * _MINUTE, 30.0)
    ]


def test_a_log_that_ends_open_has_no_solve(here: Registry) -> None:
    events = [event(0, "open"), event(5, "solved"), event(10, "open")]
    assert latest(here, events, "created_at, resolved_at, resolution_minutes") == [(NOON, None, None)]


def test_snapshots_of_several_deliveries_show_no_opening(here: Registry) -> None:
    events = [event(0, "open", delivery_id="d1"), event(60, "solved", delivery_id="d2")]
    assert latest(here, events, "created_at, resolved_at") == [(None, None)]


def test_a_source_that_states_openings_keeps_its_gaps(here: Registry) -> None:
    events = [event(0, "open"), event(60, "closed"), event(0, "open", "u", created_at=NOON)]
    assert latest(here, events, "created_at")[0] == (None,)

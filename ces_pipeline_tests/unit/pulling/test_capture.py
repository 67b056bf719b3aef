"""Protects the account of what a vendor has and what landed: the spans asked about, and that nothing missing is hidden."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.pulling.capture import LAG, SINGLE_DAYS, windows_to_ask
from ces_pipeline.pulling.pull import pull
from ces_pipeline.schemas import TABLES
from ces_pipeline.storage.state import stored_rows
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.unit.pulling import test_freshdesk, test_medallia, test_qualtrics, test_zigpoll
from ces_pipeline_tests.vendors import freshdesk, medallia, qualtrics, rest, servicenow, zendesk, zigpoll
from ces_pipeline_tests.vendors.feeds import entry
from ces_pipeline_tests.vendors.server import Asked, FakeVendor, Reply

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def account(start: datetime, end: datetime, landed: int = 5, expected: int | None = 5) -> dict[str, Any]:
    return {"window_start": start, "window_end": end, "landed": landed, "expected": expected}


class TestWindows:
    def test_the_first_pull_asks_about_the_past_together_and_the_last_days_one_by_one(self) -> None:
        until = MARCH + 40 * DAY + timedelta(hours=2)
        first, *days = windows_to_ask([], MARCH, until)
        assert (first.since, first.until) == (MARCH, MARCH + (40 - SINGLE_DAYS) * DAY)
        assert [one.since for one in days] == [MARCH + n * DAY for n in range(40 - SINGLE_DAYS, 41)]
        assert days[-1].until == until

    def test_the_day_that_was_not_over_is_asked_about_again_as_a_whole(self) -> None:
        held = [account(MARCH, MARCH + timedelta(hours=2))]
        asked = windows_to_ask(held, MARCH, MARCH + DAY + timedelta(hours=2))
        assert [(one.since, one.until) for one in asked] == [
            (MARCH, MARCH + DAY),
            (MARCH + DAY, MARCH + DAY + timedelta(hours=2)),
        ]

    def test_what_was_short_is_asked_about_again_until_it_is_whole(self) -> None:
        late = MARCH + 3 * DAY
        held = [account(MARCH, MARCH + DAY, landed=4), account(MARCH + DAY, late), account(late, late + DAY)]
        asked = windows_to_ask(held, MARCH, late + DAY)
        assert [one.since for one in asked] == [MARCH, late]
        assert [one.since for one in windows_to_ask([*held, account(MARCH, MARCH + DAY)], MARCH, late)] == []

    def test_with_a_later_beginning_nothing_before_it_is_asked_about(self) -> None:
        held = [account(MARCH, MARCH + DAY, landed=4)]
        assert [one.since for one in windows_to_ask(held, MARCH + DAY, MARCH + 2 * DAY)] == [MARCH + DAY]

    @given(
        nights=st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=90)), min_size=1, max_size=6),
        begin=st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1), timezones=st.just(UTC)),
    )
    def test_after_any_nights_the_newest_accounts_cover_every_moment_once(
        self, nights: list[timedelta], begin: datetime
    ) -> None:
        held: dict[datetime, dict[str, Any]] = {}
        now = begin
        for night in nights:
            now += night
            for one in windows_to_ask(list(held.values()), begin, now):
                held[one.since] = account(one.since, one.until)
        spans = sorted((row["window_start"], row["window_end"]) for row in held.values())
        assert spans[0][0] == begin
        assert spans[-1][1] == now
        assert all(before[1] == after[0] for before, after in zip(spans, spans[1:], strict=False))


def accounts(home: InboxHome) -> list[dict[str, Any]]:
    return stored_rows(home.lake, TABLES["audit.pull_windows"]).to_pylist()


def newest(home: InboxHome) -> dict[datetime, tuple[int, int | None]]:
    """Window's start -> (landed, expected), as last asked."""
    rows = sorted(accounts(home), key=lambda row: row["asked_at"])
    return {row["window_start"]: (row["landed"], row["expected"]) for row in rows}


def short(home: InboxHome) -> dict[datetime, tuple[int, int | None]]:
    return {
        start: (landed, expected)
        for start, (landed, expected) in newest(home).items()
        if expected is not None and landed < expected
    }


def desk_feed(vendor: FakeVendor, connector: str, reader: str, user: str, password: str | None) -> dict[str, Any]:
    auth = {"kind": "basic_token", "user": "V_USER", **({"password": "V_PASSWORD"} if password else {})}
    return entry("feed", vendor, {"connector": connector, "auth": auth, "page_size": 3}, kind="tickets", reader=reader)


def zendesk_case() -> tuple[FakeVendor, Any, dict[str, str]]:
    vendor = zendesk.FakeZendesk([zendesk.ticket(n, generated=1_772_323_200 + 20_000 * n) for n in range(12)])
    hidden = lambda: vendor.tickets.pop(5)  # noqa: E731 - one line of a table
    vendor.hide = hidden  # type: ignore[attr-defined]
    return vendor, lambda: desk_feed(vendor, "zendesk", "zendesk_json", "x", "y"), {
        "V_USER": zendesk.EMAIL,
        "V_PASSWORD": zendesk.TOKEN,
    }

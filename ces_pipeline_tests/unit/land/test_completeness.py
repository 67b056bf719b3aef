"""Protects the account of what a vendor has and what landed: the spans asked about, and that nothing missing is hidden."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.land.completeness import SINGLE_DAYS, windows_to_ask
from ces_pipeline.land.delivery_columns import note_columns
from ces_pipeline.land.pull import pull
from ces_pipeline.land.step import SourceLanding
from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.vendors.zendesk.fake_server import FakeZendesk, iso
from ces_pipeline_tests.api_sources import API_SOURCES, COUNT, ApiSource
from ces_pipeline_tests.builders import InboxHome, inbox_home

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
BASES = {
    **{name: {"count"} for name in API_SOURCES},
    "qualtrics": {"export"},
    "zigpoll": {"second_read"},
    "zigpoll_counters": {"unknown"},
    # Its search only takes full days.
    "freshdesk": {"count", "unknown"},
    "freshdesk_csat": {"unknown"},
    "zendesk_field": {"unknown"},
    "zendesk_survey_responses": {"unknown"},
}


def account(start: datetime, end: datetime, landed: int = 5, expected: int | None = 5) -> dict[str, Any]:
    return {"window_start": start, "window_end": end, "landed": landed, "expected": expected}


class TestWindows:
    def test_the_first_pull_asks_about_the_past_together_and_the_last_days_one_by_one(self) -> None:
        until = MARCH + 40 * DAY + timedelta(hours=2)
        first, *days = windows_to_ask([], MARCH, until)
        assert (first.since, first.until) == (MARCH, MARCH + (40 - SINGLE_DAYS) * DAY)
        assert [window.since for window in days] == [MARCH + n * DAY for n in range(40 - SINGLE_DAYS, 41)]
        assert days[-1].until == until

    def test_the_day_that_was_not_over_is_asked_about_again_in_full(self) -> None:
        held = [account(MARCH, MARCH + timedelta(hours=2))]
        asked = windows_to_ask(held, MARCH, MARCH + DAY + timedelta(hours=2))
        assert [(window.since, window.until) for window in asked] == [
            (MARCH, MARCH + DAY),
            (MARCH + DAY, MARCH + DAY + timedelta(hours=2)),
        ]

    def test_what_was_short_is_asked_about_again_until_it_is_complete(self) -> None:
        late = MARCH + 3 * DAY
        held = [account(MARCH, MARCH + DAY, landed=4), account(MARCH + DAY, late), account(late, late + DAY)]
        asked = windows_to_ask(held, MARCH, late + DAY)
        assert [window.since for window in asked] == [MARCH, late]
        assert [
            window.since for window in windows_to_ask([*held, account(MARCH, MARCH + DAY)], MARCH, late)
        ] == []

    def test_with_a_later_beginning_nothing_before_it_is_asked_about(self) -> None:
        held = [account(MARCH, MARCH + DAY, landed=4)]
        assert [window.since for window in windows_to_ask(held, MARCH + DAY, MARCH + 2 * DAY)] == [
            MARCH + DAY
        ]

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
            for window in windows_to_ask(list(held.values()), begin, now):
                held[window.since] = account(window.since, window.until)
        spans = sorted((row["window_start"], row["window_end"]) for row in held.values())
        assert spans[0][0] == begin
        assert spans[-1][1] == now
        assert all(before[1] == after[0] for before, after in pairwise(spans))


def pull_into(home: InboxHome, api_source: ApiSource, vendor: FakeVendor) -> SourceLanding:
    registry = home.registry
    outcome = pull(
        home.home,
        registry,
        registry.sources[api_source.connector],
        clock=vendor.clock,
        environment=api_source.environment,
    )
    assert outcome.failures == ()
    return outcome


def newest(home: InboxHome) -> dict[datetime, dict[str, Any]]:
    """Window's start -> its account as it was last noted."""
    rows = stored_rows(home.lake, TABLES["audit.pull_windows"]).to_pylist()
    return {row["window_start"]: row for row in sorted(rows, key=lambda row: row["asked_at"])}


def hide(vendor: FakeVendor, api_source: ApiSource, ids: set[str]) -> None:
    """From now on the vendor's lists leave these records out, its counts and a second read do not."""
    answer = vendor.answer
    span = {
        "createdAfter": f"{MARCH.timestamp() * 1000 - 1:.0f}",
        "createdBefore": f"{vendor.now_s * 1000:.0f}",
    }

    def without(asked: FakeRequest) -> FakeResponse:
        assert api_source.without is not None
        is_second_read = span.items() <= asked.query.items()
        return answer(asked) if is_second_read else api_source.without(answer(asked), ids)

    vendor.answer = without  # type: ignore[method-assign]


class TestAccounts:
    @pytest.mark.parametrize("name", [name for name, api_source in API_SOURCES.items() if api_source.without])
    def test_a_page_that_never_came_is_missing_in_its_window(self, tmp_path: Path, name: str) -> None:
        api_source = API_SOURCES[name]
        with api_source.make() as vendor:
            home = api_source.home(tmp_path, vendor)
            # Every five hours from 2 March 09:00 on: these are of 5 March, from 07:00 on. Of Medallia only a part of
            # a page can get lost unseen: the connector itself notices a full page that is missing.
            lost = 2 if name == "medallia" else 4
            hide(vendor, api_source, set(api_source.ids(vendor)[14 : 14 + lost]))
            pull_into(home, api_source, vendor)
        short = {
            start: row["expected"] - row["landed"]
            for start, row in newest(home).items()
            if row["expected"] is not None and row["landed"] != row["expected"]
        }
        assert short == {datetime(2026, 3, 5, tzinfo=UTC): lost}

    def test_what_is_delivered_later_in_another_way_completes_the_window(self, tmp_path: Path) -> None:
        api_source = API_SOURCES["rest"]
        with api_source.make() as vendor:
            home = api_source.home(tmp_path, vendor)
            missing = api_source.ids(vendor)[14:18]
            hide(vendor, api_source, set(missing))
            pull_into(home, api_source, vendor)
            rows = [record for record in vendor.records if record["id"] in missing]  # type: ignore[attr-defined]
            home.drop("missing.json", json.dumps(rows), "rest")
            home.land("rest")
            vendor.clock.sleep(86_400)
            pull_into(home, api_source, vendor)
        assert all(row["landed"] == row["expected"] for row in newest(home).values())

    def test_a_vendor_that_gives_no_count_is_unknown_and_stops_nothing(self, tmp_path: Path) -> None:
        api_source = API_SOURCES["zendesk"]
        with api_source.make() as vendor:
            assert isinstance(vendor, FakeZendesk)
            vendor.forbidden = {"/api/v2/search"}
            home = api_source.home(tmp_path, vendor)
            assert pull_into(home, api_source, vendor).records_expected is None
        for row in newest(home).values():
            assert (row["expected"], row["basis"]) == (None, "unknown")
            assert "refused GET /api/v2/search with 403" in row["detail"]

    def test_a_count_by_another_time_than_the_sources_is_no_account_of_it(self, tmp_path: Path) -> None:
        api_source = API_SOURCES["medallia"]
        with api_source.make() as vendor:
            other = {"response_id": "a_surveyid", "score": "q_ces"}
            home = inbox_home(tmp_path, api_source.entry(vendor.url, columns=other))
            pull_into(home, api_source, vendor)
        (detail,) = {row["detail"] for row in newest(home).values()}
        for part in ("columns.recorded_at: k_initialfinishdate_epoch_int", "medallia in sources.yaml"):
            assert part in detail

    def test_a_ticket_counts_where_it_was_last_changed(self, tmp_path: Path) -> None:
        api_source = API_SOURCES["zendesk"]
        with api_source.make() as vendor:
            assert isinstance(vendor, FakeZendesk)
            home = api_source.home(tmp_path, vendor)
            pull_into(home, api_source, vendor)
            moved = vendor.clock.now().timestamp() - 7200
            vendor.tickets.append(
                {**vendor.tickets.pop(20), "updated_at": iso(moved), "generated_timestamp": moved}
            )
            vendor.clock.sleep(86_400)
            pull_into(home, api_source, vendor)
        account_row = newest(home)[datetime(2026, 3, 20, tzinfo=UTC)]
        assert (account_row["landed"], account_row["expected"]) == (1, 1)

    @pytest.mark.parametrize(
        ("kind", "columns", "survey"),
        [
            (
                "events",
                {"event_id": "id", "event_type": "score", "occurred_at": "changed"},
                {"survey": "after_chat"},
            ),
            ("invitations", {"invitation_id": "id", "sent_at": "changed"}, {"survey": "after_chat"}),
            ("accounts", {"person": "id", "valid_from": "changed"}, {}),
        ],
    )
    def test_sources_of_every_kind_have_an_account(
        self, tmp_path: Path, kind: str, columns: dict[str, str], survey: dict[str, str]
    ) -> None:
        api_source = API_SOURCES["rest"]
        with api_source.make() as vendor:
            source = {name: value for name, value in api_source.entry(vendor.url).items() if name != "survey"}
            source |= {"kind": kind, "columns": columns, **survey}
            home = inbox_home(tmp_path, source)
            pull_into(home, api_source, vendor)
            note_columns(home.lake, "rest")
        rows = newest(home).values()
        assert sum(row["landed"] for row in rows) == COUNT
        assert all(row["landed"] == row["expected"] for row in rows)

    @pytest.mark.parametrize("name", sorted(API_SOURCES))
    def test_what_came_in_full_is_complete_and_what_no_one_counts_is_unknown(
        self, tmp_path: Path, name: str
    ) -> None:
        api_source = API_SOURCES[name]
        with api_source.make() as vendor:
            home = api_source.home(tmp_path, vendor)
            pull_into(home, api_source, vendor)
            rows = list(newest(home).values())
        assert rows
        for row in rows:
            is_known = row["expected"] is not None
            assert row["landed"] == row["expected"] or not is_known
            assert (row["basis"] == "unknown") == (row["detail"] is not None) == (not is_known)
        bases = {row["basis"] for row in rows}
        assert bases == BASES[name]
        if name != "qualtrics":
            assert sum(row["landed"] for row in rows) == COUNT

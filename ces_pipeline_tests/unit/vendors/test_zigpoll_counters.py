"""Zigpoll's counters: every view that the vendor counted lands once, with anything between two readings."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.land.pull import pull
from ces_pipeline.pipeline import clean, publish, stale_days
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.contract import Page
from ces_pipeline.vendors.zigpoll.counters_connector import ZigpollCounters
from ces_pipeline.vendors.zigpoll.fake_server import FakeZigpoll, zigpoll_poll
from ces_pipeline_tests.api_sources import API_SOURCES
from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.unit.vendors.survey_pulls import NIGHT, Kept, Pulls, pull_through

API_SOURCE = API_SOURCES["zigpoll_counters"]
HOUR_SECONDS = 3600.0


class KeptViews(Kept):
    """What landing would keep: the latest record of each id."""

    def take(self, page: Page) -> None:
        for line in page.body.decode().splitlines():
            record = json.loads(line)
            held = self.rows.get(record["id"])
            if held is None or record["occurred_at"] >= held["occurred_at"]:
                self.rows[record["id"]] = record

    @property
    def views(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for record in self.rows.values():
            found[record["poll_id"]] = found.get(record["poll_id"], 0) + record["views"]
        return found


def shown(vendor: FakeZigpoll) -> dict[str, int]:
    return {poll["_id"]: poll["counts"]["presentation"] for poll in vendor.polls}


def pulls_of(vendor: FakeZigpoll) -> Pulls:
    return Pulls(Source.model_validate(API_SOURCE.entry(vendor.url)), vendor, API_SOURCE.environment)


@pytest.fixture
def vendor() -> Iterator[FakeZigpoll]:
    """Two polls that were shown 100 and 40 times."""
    with FakeZigpoll([]) as vendor:
        vendor.polls = [zigpoll_poll("a", 100), zigpoll_poll("b", 40)]
        yield vendor


@FAULT_SEEDS
def test_any_plan_of_faults_and_kills_lands_every_view_once(seeds: range) -> None:
    with FakeZigpoll([]) as vendor:
        for seed in seeds:
            chance = random.Random(seed)
            vendor.restart_plan(FaultPlan(), VirtualClock())
            vendor.polls = [zigpoll_poll(f"p{number}", chance.randrange(500)) for number in range(5)]
            first = shown(vendor)
            pulls, kept = pulls_of(vendor), KeptViews("json")
            assert pulls.into(kept)
            for night in range(3):
                vendor.clock.sleep(NIGHT.total_seconds())
                vendor.show(chance.randrange(1, 50))
                plan = FaultPlan.seeded(1000 * night + seed, paging=("changed",), requests=8)
                vendor.restart_plan(FaultPlan(), vendor.clock)
                pull_through(pulls, kept, seed, plan)
            assert kept.views == {poll: count - first[poll] for poll, count in shown(vendor).items()}, seed
            read_at = [state["read_at"] for state in pulls.states]
            assert read_at == sorted(read_at), seed


class TestIncreases:
    def test_the_first_pull_notes_where_the_counters_stand(self, vendor: FakeZigpoll) -> None:
        (page,) = pulls_of(vendor).pages()
        assert (page.body, page.records) == (b"", 0)
        assert page.state == {"read_at": "2026-03-20T02:00:00+00:00", "counters": {"a": 100, "b": 40}}
        assert page.notice == "the counters of 2 polls are saved; views are counted from now on"

    def test_a_later_pull_gives_the_views_since_then_at_the_middle_of_the_time_between(
        self, vendor: FakeZigpoll
    ) -> None:
        pulls = pulls_of(vendor)
        assert pulls.into(KeptViews("json"))
        vendor.clock.sleep(24 * HOUR_SECONDS)
        # b was not shown, c is new.
        vendor.polls = [zigpoll_poll("a", 107), zigpoll_poll("b", 40), zigpoll_poll("c", 5)]
        (page,) = pulls.pages()
        records = [json.loads(line) for line in page.body.decode().splitlines()]
        assert records[0] == {
            "id": "a:2026-03-20T02:00:00+00:00",
            "poll_id": "a",
            "event_type": "survey_views",
            "views": 7,
            "counted_from": "2026-03-20T02:00:00+00:00",
            "counted_until": "2026-03-21T02:00:00+00:00",
            "occurred_at": "2026-03-20T14:00:00.000+00:00",
        }
        assert [(record["poll_id"], record["views"]) for record in records] == [("a", 7), ("c", 5)]
        assert page.notice is None

    def test_a_counter_that_fell_is_reported_and_counts_from_0(self, vendor: FakeZigpoll) -> None:
        pulls, kept = pulls_of(vendor), KeptViews("json")
        assert pulls.into(kept)
        vendor.clock.sleep(HOUR_SECONDS)
        vendor.polls = [zigpoll_poll("a", 3), zigpoll_poll("b", 41)]
        (page,) = pulls.pages()
        assert page.notice is not None
        assert page.notice.startswith("the counter of poll a fell, so it was reset: ")
        assert pulls.into(kept)
        assert kept.views == {"a": 3, "b": 1}

    def test_a_poll_that_is_not_listed_for_a_while_is_not_counted_anew(self, vendor: FakeZigpoll) -> None:
        pulls, kept = pulls_of(vendor), KeptViews("json")
        for listed in ((100, 40), (101,), (103, 42)):
            vendor.polls = [zigpoll_poll(name, count) for name, count in zip("ab", listed, strict=False)]
            assert pulls.into(kept)
            vendor.clock.sleep(HOUR_SECONDS)
        assert kept.views == {"a": 3, "b": 2}

    def test_a_clock_set_back_counts_nothing_and_loses_nothing(self, vendor: FakeZigpoll) -> None:
        pulls, kept = pulls_of(vendor), KeptViews("json")
        assert pulls.into(kept)
        vendor.show(2)
        assert pulls.pages() == []
        vendor.clock.sleep(HOUR_SECONDS)
        assert pulls.into(kept)
        assert kept.views == {"a": 2, "b": 2}


class TestLists:
    def test_pages_of_polls_are_all_read_and_a_list_that_repeats_its_cursor_gives_up(
        self, vendor: FakeZigpoll
    ) -> None:
        pages = {None: (["a"], "1"), "1": (["b"], None)}

        def paged(asked: FakeRequest) -> FakeResponse:
            names, following = pages[asked.query.get("startCursor")]
            listed = [zigpoll_poll(name, 1) for name in names]
            return FakeResponse(data={"data": listed, "hasNextPage": bool(following), "endCursor": following})

        vendor.answer = paged  # type: ignore[method-assign]
        (page,) = pulls_of(vendor).pages()
        assert set(page.state["counters"]) == {"a", "b"}
        pages["1"] = (["b"], "1")
        with pytest.raises(UnavailableError, match="same endCursor"):
            pulls_of(vendor).pages()

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"error": "?"}, "not a list of polls"),
            ([{"title": "x"}], "has no _id"),
            (
                [{**zigpoll_poll("a", 1), "counts": {"shows": 1, "render": True, "open": -1}}],
                r"no count 'counts.presentation': .* \(its numbers: counts.shows\)",
            ),
        ],
    )
    def test_another_shape_is_refused(self, vendor: FakeZigpoll, wrong: Any, message: str) -> None:
        vendor.answer = lambda _asked: FakeResponse(data=wrong)  # type: ignore[method-assign]
        with pytest.raises(BadResponseError, match=message):
            pulls_of(vendor).pages()

    def test_a_wrong_key_is_reported_by_its_variable(self, vendor: FakeZigpoll) -> None:
        pulls = pulls_of(vendor)
        pulls.environment = {"VENDOR_KEY": "wrong-canary"}
        with pytest.raises(RefusedError, match="wrong key: check VENDOR_KEY"):
            pulls.pages()


def test_the_probe_reports_an_account_without_polls(vendor: FakeZigpoll) -> None:
    for polls, expected in ((vendor.polls, [True, True]), ([], [False])):
        vendor.polls = polls
        pulls = pulls_of(vendor)
        assert pulls.source.api is not None
        with closing(pulls.client()) as http:
            assert [
                finding.is_well for finding in ZigpollCounters().probe(http, pulls.source.api)
            ] == expected


@pytest.mark.parametrize("options", [{}, {"account": "a"}, {"account": "a", "counter": 3}])
def test_missing_options_are_reported_before_any_request(options: dict[str, Any]) -> None:
    api = Api(
        connector="zigpoll_counters", base_url="https://x.example", since=date(2026, 3, 1), options=options
    )
    with pytest.raises(ValueError, match=r"options\.(account|counter) is required"):
        ZigpollCounters().check(api)


def test_views_reach_the_funnel_and_a_pull_whose_state_was_lost_counts_none_twice(
    tmp_path: Path, vendor: FakeZigpoll
) -> None:
    settings = {name: value for name, value in API_SOURCE.entry(vendor.url).items() if name != "survey"}
    home = inbox_home(
        tmp_path,
        {**settings, "survey_column": "poll_id"},
        surveys=[{"id": "after_chat", "scale": "ease_1_5", "also_known_as": ["a"]}],
    )
    registry = home.registry

    def night() -> None:
        outcome = pull(
            home.home,
            registry,
            registry.sources["zigpoll_counters"],
            clock=vendor.clock,
            environment=API_SOURCE.environment,
        )
        assert outcome.failures == ()

    night()
    vendor.clock.sleep(24 * HOUR_SECONDS)
    vendor.show(60)
    state = home.home.lake / "pulls" / "zigpoll_counters" / "state.json"
    before = state.read_bytes()
    night()
    # As if it had been killed between landing and saving; the next pull is a day late.
    state.write_bytes(before)
    vendor.clock.sleep(24 * HOUR_SECONDS)
    vendor.show(5)
    night()
    days = stale_days(home.home, registry, "events")
    list(clean(home.home, registry, "events", days, run_id="test"))
    assert publish(home.home, registry, run_id="test").published
    with open_published(home.home.published) as published:
        assert published.execute(
            "SELECT survey_id, day::VARCHAR, basis, views FROM mart.response_funnel_daily"
        ).fetchall() == [("after_chat", "2026-03-21", "views", 65)]

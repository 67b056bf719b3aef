"""Zigpoll: a participant's answers stay together with any pages, windows and edits."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.land.pull import pull
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.contract import json_lines
from ces_pipeline.vendors.zigpoll.connector import Zigpoll
from ces_pipeline.vendors.zigpoll.fake_server import (
    ACCOUNT,
    COMMENT,
    EASE,
    KEY,
    POLL,
    FakeZigpoll,
    created_ms,
    zigpoll_answer,
)
from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.unit.vendors.survey_pulls import Kept, Pulls, Row, pull_through, rows_of

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
READER = "zigpoll_json"
VARIABLE = "ZIGPOLL_KEY"


def entry(url: str, page_size: int = 4, **options: Any) -> dict[str, Any]:
    return {
        "id": "checkout_poll",
        "kind": "survey",
        "reader": READER,
        "survey": "after_chat",
        "columns": {"score": f"slide:{EASE}", "comment": f"slide:{COMMENT}"},
        "api": {
            "connector": "zigpoll",
            "base_url": url,
            "auth": {"kind": "header_key", "header": "Authorization", "key": VARIABLE},
            "since": SINCE.date(),
            "page_size": page_size,
            "options": options or {"account": ACCOUNT},
        },
    }


def pulls_of(vendor: FakeZigpoll, page_size: int = 4, **options: Any) -> Pulls:
    source = Source.model_validate(entry(vendor.url, page_size, **options))
    return Pulls(source, vendor, {VARIABLE: KEY})


def served_rows(vendor: FakeZigpoll) -> dict[str, Row]:
    """The vendor's answers as responses."""
    answers = sorted(vendor.answers, key=lambda row: (created_ms(row), row["_id"]))
    return rows_of(READER, json_lines(*answers))


def two_slides(number: int, who: str | None, at: datetime, between: timedelta) -> list[dict[str, Any]]:
    metadata = {"metadata": {"ticket_id": f"T-{number}"}} if number % 3 else {"metadata": None}
    return [
        zigpoll_answer(2 * number, who, EASE, str(number % 5 + 1), at, **metadata),
        zigpoll_answer(2 * number + 1, who, COMMENT, f"schön, №{number} 🙂", at + between, **metadata),
    ]


@pytest.fixture
def vendor() -> Iterator[FakeZigpoll]:
    with FakeZigpoll(
        [
            answer
            for number in range(6)
            for answer in two_slides(
                number, f"p{number}", NOON + timedelta(hours=number), timedelta(minutes=90)
            )
        ]
    ) as vendor:
        yield vendor


@FAULT_SEEDS
def test_any_plan_of_faults_and_kills_gives_every_response_complete(seeds: range) -> None:
    with FakeZigpoll([]) as vendor:
        for seed in seeds:
            chance = random.Random(seed)
            vendor.restart_plan(FaultPlan(), VirtualClock())
            span = int((vendor.clock.now() - SINCE).total_seconds()) - 4 * 86_400
            vendor.answers = [
                answer
                for number in range(12)
                for answer in two_slides(
                    number,
                    f"p{number}" if chance.random() < 0.9 else None,
                    SINCE + timedelta(seconds=chance.randrange(span)),
                    timedelta(seconds=chance.choice((0, 30, 5000, 3 * 86_400))),
                )
            ]
            kept = Kept(READER)
            pulls = pulls_of(vendor, account=ACCOUNT, window_days=9)
            pull_through(pulls, kept, seed, FaultPlan.seeded(seed))
            assert kept.rows == served_rows(vendor), seed
            untils = [state["until_ms"] for state in pulls.states]
            assert untils == sorted(untils), seed


def test_a_pull_lands(vendor: FakeZigpoll, tmp_path: Path) -> None:
    home = inbox_home(tmp_path, entry(vendor.url))
    registry = home.registry
    source = registry.sources["checkout_poll"]
    outcome = pull(home.home, registry, source, clock=vendor.clock, environment={VARIABLE: KEY})
    assert (outcome.failures, outcome.rows_landed) == ((), 6)
    row = home.rows("checkout_poll")[1]
    assert (row["score"], row["comment"], row["ticket_id"]) == ("2", "schön, №1 🙂", "T-1")
    vendor.answers.append(zigpoll_answer(99, "p99", EASE, "3", vendor.clock.now()))
    vendor.clock.sleep(7200)
    again = pull(home.home, registry, source, clock=vendor.clock, environment={VARIABLE: KEY})
    assert (again.failures, again.rows_landed) == ((), 1)
    assert home.find(KEY) == []


class TestResponses:
    def test_answers_on_different_pages_make_one_response(self, vendor: FakeZigpoll) -> None:
        """With one answer per page, the slides of every response are on different pages."""
        (page,) = pulls_of(vendor, page_size=1).pages()
        assert page.records == 6
        assert rows_of(READER, page.body) == served_rows(vendor)

    def test_reading_again_never_takes_a_slide_away(self, vendor: FakeZigpoll) -> None:
        """A complete response stays complete wherever the tail begins, also between its slides."""
        vendor.answers = two_slides(1, "p1", NOON, timedelta(hours=20))
        pulls, kept = pulls_of(vendor), Kept(READER)
        for _ in range(4 * 17):
            assert pulls.into(kept)
            vendor.clock.sleep(timedelta(hours=6).total_seconds())
        assert kept.rows == served_rows(vendor)
        assert [len(contents) for contents in kept.contents.values()] == [1]

    def test_a_comment_days_later_joins_its_score(self, vendor: FakeZigpoll) -> None:
        vendor.answers = two_slides(1, "p1", NOON, timedelta(days=5))
        pulls, kept = pulls_of(vendor), Kept(READER)
        for _ in range(6):
            assert pulls.into(kept)
            vendor.clock.sleep(timedelta(days=1).total_seconds())
        assert kept.rows == served_rows(vendor)
        assert len(kept.contents[f"p1:{POLL}"]) == 2

    def test_an_edit_within_the_tail_is_seen(self, vendor: FakeZigpoll) -> None:
        pulls, kept = pulls_of(vendor), Kept(READER)
        assert pulls.into(kept)
        vendor.clock.sleep(timedelta(days=4).total_seconds())
        vendor.answers[0]["response"] = "5"
        assert pulls.into(kept)
        assert kept.rows[f"p0:{POLL}"][f"slide:{EASE}"] == "5"


class TestPaging:
    @pytest.mark.parametrize("fault", ["repeated_page", "empty_page"])
    def test_an_unchanged_cursor_loses_nothing(self, vendor: FakeZigpoll, fault: str) -> None:
        vendor.plan = FaultPlan({1: fault})
        (page,) = pulls_of(vendor).pages()
        assert rows_of(READER, page.body) == served_rows(vendor)

    def test_a_cursor_that_always_sticks_at_one_place_is_stepped_over(self, vendor: FakeZigpoll) -> None:
        vendor.sticks_at = vendor.answers[5]["_id"]
        (page,) = pulls_of(vendor, page_size=3).pages()
        assert rows_of(READER, page.body) == served_rows(vendor)

    def test_a_list_that_never_moves_gives_up(self, vendor: FakeZigpoll) -> None:
        vendor.plan = FaultPlan(dict.fromkeys(range(1000), "empty_page"))
        pulls = pulls_of(vendor)
        with pytest.raises(UnavailableError, match="same endCursor"):
            pulls.into(Kept(READER))
        assert (pulls.state, len(vendor.asked) < 20) == ({}, True)

    def test_answers_of_one_millisecond_at_a_page_edge_all_come(self, vendor: FakeZigpoll) -> None:
        vendor.answers = [zigpoll_answer(number, f"p{number}", EASE, "3", NOON) for number in range(9)]
        vendor.plan = FaultPlan({2: "repeated_page"})
        (page,) = pulls_of(vendor).pages()
        assert set(rows_of(READER, page.body)) == {f"p{number}:{POLL}" for number in range(9)}

    def test_answers_on_the_edge_of_windows_come_though_bounds_exclude_it(self, vendor: FakeZigpoll) -> None:
        edges = [SINCE, SINCE + timedelta(days=5), SINCE + timedelta(days=10)]
        vendor.answers = [zigpoll_answer(n, f"p{n}", EASE, "3", at) for n, at in enumerate(edges)]
        kept = Kept(READER)
        assert pulls_of(vendor, account=ACCOUNT, window_days=5, tail_days=0.01).into(kept)
        assert set(kept.rows) == {f"p{number}:{POLL}" for number in range(3)}

    def test_bounds_are_epoch_milliseconds(self, vendor: FakeZigpoll) -> None:
        pulls_of(vendor).pages()
        assert int(vendor.asked[0].query["createdAfter"]) == int(SINCE.timestamp()) * 1000 - 1

    def test_a_page_is_never_larger_than_the_vendor_allows(self, vendor: FakeZigpoll) -> None:
        pulls_of(vendor, page_size=100_000).pages()
        assert vendor.asked[0].query["limit"] == "5000"


def test_a_wrong_key_is_reported_by_its_variable_though_the_status_is_422(vendor: FakeZigpoll) -> None:
    pulls = pulls_of(vendor)
    pulls.environment = {VARIABLE: "wrong-canary"}
    with pytest.raises(RefusedError, match=f"wrong key: check {VARIABLE}") as caught:
        pulls.pages()
    assert caught.value.status == 422
    assert "wrong-canary" not in str(caught.value)
    assert len(vendor.asked) == 1


def test_a_record_that_lost_its_slide_is_reported(vendor: FakeZigpoll) -> None:
    del vendor.answers[0]["slideId"]
    with pytest.raises(BadResponseError, match="slideId"):
        pulls_of(vendor).pages()


def test_the_probe_reports_a_scope_without_answers(vendor: FakeZigpoll) -> None:
    for poll, is_well in ((POLL, True), ("elsewhere", False)):
        pulls = pulls_of(vendor, poll=poll)
        assert pulls.source.api is not None
        with closing(pulls.client()) as http:
            findings = list(Zigpoll().probe(http, pulls.source.api))
        assert [finding.is_well for finding in findings] == [True, is_well]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one"),
        ({"account": "a", "poll": "b"}, "exactly one"),
        ({"account": "a", "tail_days": 0}, "options.tail_days"),
        ({"account": "a", "window_days": "28"}, "options.window_days"),
    ],
)
def test_mistaken_options_are_reported_before_any_request(options: dict[str, Any], message: str) -> None:
    api = Api(connector="zigpoll", base_url="https://x.example", since=SINCE.date(), options=options)
    with pytest.raises(ValueError, match=message):
        Zigpoll().check(api)

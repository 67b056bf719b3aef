"""Medallia: every record once by keyset: with ties, errors at status 200 and expiring tokens."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.land.pull import pull
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.contract import Window
from ces_pipeline.vendors.medallia.connector import Medallia
from ces_pipeline.vendors.medallia.fake_server import (
    CLIENT,
    DATE_FIELD,
    QUERY_PATH,
    SECRET,
    TOKEN_PATH,
    FakeMedallia,
    medallia_record,
)
from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.unit.vendors.survey_pulls import Kept, Pulls, pull_through, rows_of

SINCE = datetime(2026, 3, 10, tzinfo=UTC)
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
READER = "medallia_json"
ENVIRONMENT = {"MEDALLIA_ID": CLIENT, "MEDALLIA_SECRET": SECRET}
FIELDS = ["q_ces", "q_comment", "e_responsedate"]


def entry(url: str, page_size: int = 4, **options: Any) -> dict[str, Any]:
    return {
        "id": "relationship",
        "kind": "survey",
        "reader": READER,
        "survey": "after_chat",
        "columns": {"score": "q_ces", "comment": "q_comment", "recorded_at": DATE_FIELD},
        "api": {
            "connector": "medallia",
            "base_url": url,
            "auth": {
                "kind": "oauth_client",
                "token_url": f"{url}{TOKEN_PATH}",
                "client_id": "MEDALLIA_ID",
                "client_secret": "MEDALLIA_SECRET",
            },
            "since": SINCE.date(),
            "page_size": page_size,
            "options": {"fields": FIELDS, **options},
        },
    }


def pulls_of(vendor: FakeMedallia, page_size: int = 4, **options: Any) -> Pulls:
    return Pulls(Source.model_validate(entry(vendor.url, page_size, **options)), vendor, dict(ENVIRONMENT))


def ids(pulls: Pulls) -> list[str]:
    return [name for page in pulls.pages() for name in rows_of(READER, page.body)]


def order(state: dict[str, Any]) -> tuple[int, int]:
    """How far a state is: the end of its pull's span, then the newest date seen."""
    return int(state["until"]), int(state.get("seen", 0))


@pytest.fixture
def vendor() -> Iterator[FakeMedallia]:
    # Ids have different lengths: s10 sorts before s9, also if a page ends between records of the same time.
    with FakeMedallia(
        [medallia_record(f"s{n}", NOON + timedelta(hours=n // 6)) for n in range(15)]
    ) as vendor:
        yield vendor


ALL = {f"s{number}" for number in range(15)}


@FAULT_SEEDS
def test_any_plan_of_faults_and_kills_gives_every_record_once(seeds: range) -> None:
    with FakeMedallia([]) as vendor:
        for seed in seeds:
            chance = random.Random(seed)
            vendor.restart_plan(FaultPlan(), VirtualClock())
            vendor.forget()
            span = int((vendor.clock.now() - SINCE).total_seconds())
            # Few times and many records: most pages end between records of the same time.
            moments = [SINCE + timedelta(seconds=chance.randrange(span)) for _ in range(8)]
            vendor.records = [medallia_record(f"s{number}", chance.choice(moments)) for number in range(25)]
            kept = Kept(READER)
            pulls = pulls_of(vendor)
            pull_through(pulls, kept, seed, FaultPlan.seeded(seed))
            assert set(kept.rows) == {record["a_surveyid"] for record in vendor.records}, seed
            assert all(len(contents) == 1 for contents in kept.contents.values()), seed
            assert pulls.states == sorted(pulls.states, key=order), seed


def test_a_pull_lands(vendor: FakeMedallia, tmp_path: Path) -> None:
    home = inbox_home(tmp_path, entry(vendor.url))
    registry = home.registry
    source = registry.sources["relationship"]
    outcome = pull(home.home, registry, source, clock=vendor.clock, environment=ENVIRONMENT)
    assert (outcome.failures, outcome.rows_landed, outcome.records_expected) == ((), 15, 15)
    row = home.rows("relationship")[0]
    assert (row["score"], row["comment"], row["submitted_at"]) == ("6", "easy", NOON)
    vendor.records.append(medallia_record("new", vendor.clock.now()))
    vendor.clock.sleep(7200)
    again = pull(home.home, registry, source, clock=vendor.clock, environment=ENVIRONMENT)
    assert (again.failures, again.rows_landed) == ((), 1)
    assert home.find(SECRET, "access0", "access1") == []


class TestPaging:
    @pytest.mark.parametrize("page_size", [1, 2, 3, 5, 6, 7, 15, 100])
    def test_ties_at_a_page_edge_are_neither_lost_nor_doubled(
        self, vendor: FakeMedallia, page_size: int
    ) -> None:
        found = ids(pulls_of(vendor, page_size))
        assert (set(found), len(found)) == (ALL, 15)

    def test_a_pull_goes_on_behind_its_last_page(self, vendor: FakeMedallia) -> None:
        pulls, kept = pulls_of(vendor), Kept(READER)
        asked = iter((None, None, "fetched"))
        assert not pulls.into(kept, ends_early=lambda: next(asked))
        landed = set(kept.rows)
        following = pulls.pages()[0]
        assert not landed & set(rows_of(READER, following.body))

    def test_an_empty_page_with_a_count_is_asked_again(self, vendor: FakeMedallia) -> None:
        vendor.plan = FaultPlan({2: "empty_page"})
        assert set(ids(pulls_of(vendor))) == ALL

    def test_a_page_that_comes_again_is_asked_again(self, vendor: FakeMedallia) -> None:
        vendor.plan = FaultPlan({3: "repeated_page"})
        found = ids(pulls_of(vendor))
        assert (set(found), len(found)) == (ALL, 15)

    def test_pages_that_never_move_give_up(self, vendor: FakeMedallia) -> None:
        vendor.plan = FaultPlan(dict.fromkeys(range(3, 1000), "repeated_page"))
        with pytest.raises(UnavailableError, match="same or an empty page again and again"):
            pulls_of(vendor).pages()
        assert len(vendor.asked) < 20

    @pytest.mark.parametrize("page_size", [4, 5])
    def test_a_short_page_ends_if_there_is_no_count(self, vendor: FakeMedallia, page_size: int) -> None:
        """With pages of five the last page is full, and an empty page has to follow."""
        vendor.has_count = False
        pages = pulls_of(vendor, page_size).pages()
        assert [page.records for page in pages] == ([4, 4, 4, 3] if page_size == 4 else [5, 5, 5, 0])
        assert pages[-1].state.get("after") is None

    def test_a_page_is_never_larger_than_the_vendor_allows(self, vendor: FakeMedallia) -> None:
        assert set(ids(pulls_of(vendor, page_size=5000))) == ALL

    def test_records_that_come_while_a_pull_runs_wait_for_the_next(self, vendor: FakeMedallia) -> None:
        vendor.records.append(medallia_record("future", vendor.clock.now() + timedelta(seconds=30)))
        vendor.clock.sleep(60)
        pulls, kept = pulls_of(vendor), Kept(READER)
        with closing(pulls.client()) as http:
            assert pulls.source.api is not None
            start = vendor.clock.now() - timedelta(seconds=60)
            for page in Medallia().pages(http, pulls.source.api, {}, start):
                kept.take(page)
                pulls.state = page.state
        assert set(kept.rows) == ALL
        assert pulls.into(kept)
        assert set(kept.rows) == ALL | {"future"}

    def test_a_record_that_is_minutes_late_is_found(self, vendor: FakeMedallia) -> None:
        pulls, kept = pulls_of(vendor), Kept(READER)
        assert pulls.into(kept)
        newest = max(int(record[DATE_FIELD]) for record in vendor.records)
        vendor.records.append(medallia_record("late", datetime.fromtimestamp(newest - 300, UTC)))
        vendor.clock.sleep(60)
        assert pulls.into(kept)
        assert set(kept.rows) == ALL | {"late"}

    def test_a_date_of_a_days_length_pages_too(self, vendor: FakeMedallia) -> None:
        for number, record in enumerate(vendor.records):
            record["e_day"] = f"2026-03-{10 + number // 6:02}"
        pulls, kept = pulls_of(vendor, date_field="e_day", date_format="%Y-%m-%d"), Kept(READER)
        assert pulls.into(kept)
        assert pulls.into(kept)
        assert (set(kept.rows), pulls.state["seen"]) == (ALL, "2026-03-12")

    def test_a_date_of_another_format_is_reported_without_its_value(self, vendor: FakeMedallia) -> None:
        vendor.records[0][DATE_FIELD] = "1773835200.x5"
        vendor.records = vendor.records[:1]
        vendor.understands_dates = False
        with pytest.raises(BadResponseError, match="date_format") as caught:
            pulls_of(vendor).pages()
        assert "x5" not in str(caught.value)

    def test_a_record_without_its_date_is_reported(self, vendor: FakeMedallia) -> None:
        vendor.blanks = frozenset({DATE_FIELD})
        with pytest.raises(BadResponseError, match=f"no value of {DATE_FIELD}"):
            pulls_of(vendor).pages()


class TestErrors:
    """GraphQL reports errors with HTTP 200, sometimes together with data."""

    def test_an_unknown_field_is_left_out_and_the_records_land(self, vendor: FakeMedallia) -> None:
        (page,) = pulls_of(vendor, 100, fields=[*FIELDS, "e_gone"]).pages()
        rows = rows_of(READER, page.body)
        assert set(rows) == ALL
        assert rows["s1"]["q_ces"] == "6"
        assert all("e_gone" not in row for row in rows.values())

    def test_an_unknown_field_that_paging_needs_stops_the_pull(self, vendor: FakeMedallia) -> None:
        with pytest.raises(RefusedError, match="no field e_gone"):
            pulls_of(vendor, id_field="e_gone").pages()

    def test_other_errors_next_to_data_land_nothing(self, vendor: FakeMedallia) -> None:
        vendor.errors = [{"message": "partial result for jane.doe@example.org"}]
        pulls = pulls_of(vendor)
        with pytest.raises(PullError, match="1 errors") as caught:
            pulls.into(Kept(READER))
        assert pulls.state == {}
        assert "jane" not in str(caught.value)

    def test_the_probe_names_unknown_fields(self, vendor: FakeMedallia) -> None:
        pulls = pulls_of(vendor, fields=[*FIELDS, "e_gone"])
        assert pulls.source.api is not None
        with closing(pulls.client()) as http:
            findings = list(Medallia().probe(http, pulls.source.api))
        assert [finding.is_well for finding in findings] == [True, False]
        assert "e_gone" in findings[-1].text


class TestTokens:
    def test_an_expired_token_is_renewed_in_the_middle_of_a_pull(self, vendor: FakeMedallia) -> None:
        """The vendor says that a token lasts a day, but it lasts a second."""
        vendor.has_true_expiry, vendor.token_seconds = False, 1.0
        pulls, kept = pulls_of(vendor), Kept(READER)

        def later() -> None:
            vendor.clock.sleep(5)

        assert pulls.into(kept, ends_early=later)
        assert set(kept.rows) == ALL
        assert sum(asked.path == TOKEN_PATH for asked in vendor.asked) > 1

    def test_a_token_that_is_never_good_is_renewed_once_and_then_refused(self, vendor: FakeMedallia) -> None:
        vendor.has_true_expiry, vendor.token_seconds = False, 0.0
        with pytest.raises(RefusedError, match="MEDALLIA_SECRET") as caught:
            pulls_of(vendor).pages()
        assert caught.value.status == 401
        assert [asked.path for asked in vendor.asked] == [TOKEN_PATH, QUERY_PATH] * 2


def test_the_vendors_own_count_of_a_window(vendor: FakeMedallia) -> None:
    pulls = pulls_of(vendor)
    assert pulls.source.api is not None
    window = Window(NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    with closing(pulls.client()) as http:
        assert Medallia().expected(http, pulls.source.api, [window], window.until) == [6]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "options.fields"),
        ({"fields": "q_ces"}, "options.fields"),
        ({"fields": ['x"}){secret}']}, "not a valid field id"),
        ({"fields": ["q_ces"], "overlap_minutes": -1}, "options.overlap_minutes"),
    ],
)
def test_mistaken_options_are_reported_before_any_request(options: dict[str, Any], message: str) -> None:
    api = Api(connector="medallia", base_url="https://x.example", since=SINCE.date(), options=options)
    with pytest.raises(ValueError, match=message):
        Medallia().check(api)

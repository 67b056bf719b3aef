"""Freshdesk: no ticket lost or doubled in any fault, and the traps of its lists."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.land.pull import pull
from ces_pipeline.schemas.fields import TICKET_FIELDS
from ces_pipeline.vendors.freshdesk.connector import Freshdesk
from ces_pipeline.vendors.freshdesk.fake_server import KEY, FakeFreshdesk, rating, seeded_tickets, ticket
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.real_data import real_data
from ces_pipeline_tests.unit.vendors.ticket_pulls import HOUR_SECONDS, MOST_WAITING_SECONDS, TicketPulls

LISTS = ("tickets", "deleted", "spam")


def pulls(vendor: FakeFreshdesk, page_size: int = 3, **options: Any) -> TicketPulls:
    return TicketPulls(Freshdesk(), vendor, KEY, "X", page_size, options=options)


def ids(records: list[dict[str, Any]]) -> list[int]:
    return [record["id"] for record in records]


def each_second(count: int) -> list[dict[str, Any]]:
    return [ticket(number, f"2026-03-01T00:00:{number:02d}Z") for number in range(1, count + 1)]


def same_second(count: int) -> list[dict[str, Any]]:
    return [ticket(number, "2026-03-01T00:00:00Z") for number in range(1, count + 1)]


def after_request(vendor: FakeFreshdesk, number: int, event: Callable[[], None]) -> None:
    """Make a change at the vendor after it has responded to so many requests."""
    answer = vendor.answer

    def answered(asked: FakeRequest) -> FakeResponse:
        reply = answer(asked)
        if len(vendor.asked) == number:
            event()
        return reply

    vendor.answer = answered  # type: ignore[method-assign]


def assert_all_landed(done: TicketPulls, vendor: FakeFreshdesk) -> None:
    """Every ticket's current version has come, and each version of a ticket always has the same content."""
    contents: dict[tuple[int, str], set[str]] = {}
    for record in done.records:
        contents.setdefault((record["id"], record["updated_at"]), set()).add(repr(sorted(record.items())))
    assert {key for key, _ in contents} == set(vendor.tickets)
    assert {(ticket["id"], ticket["updated_at"]) for ticket in vendor.tickets.values()} <= set(contents)
    assert all(len(versions) == 1 for versions in contents.values())


@FAULT_SEEDS
def test_no_plan_of_faults_loses_or_doubles_anything(seeds: range) -> None:
    for seed in seeds:
        ratings = [rating(seed_id, seed_id, 103, "2026-03-03T00:00:00Z") for seed_id in (1, 5, 9)]
        with FakeFreshdesk(seeded_tickets(seed), ratings, plan=FaultPlan.seeded(seed)) as vendor:
            done = pulls(vendor, 2 + seed % 9)
            done.pull_patiently()
            vendor.clock.sleep(HOUR_SECONDS)
            vendor.plan = FaultPlan(skew_seconds=vendor.plan.skew_seconds)
            done.pull()
            assert_all_landed(done, vendor)
            for name in LISTS:
                places = [state[name]["since"] for state in done.states if name in state]
                assert places == sorted(places), seed
            rated = {record["id"] for record in done.records if record["csat"] == 100}
            assert rated == {1, 5, 9}
            assert done.waited_seconds < HOUR_SECONDS + MOST_WAITING_SECONDS, seed


def test_without_faults_every_ticket_comes_once() -> None:
    with FakeFreshdesk(seeded_tickets(1, 60)) as vendor:
        assert sorted(ids(pulls(vendor).pull())) == list(range(1, 61))


@pytest.mark.parametrize("make", [each_second, same_second])
def test_a_pull_killed_after_any_page_goes_on_at_the_next(
    make: Callable[[int], list[dict[str, Any]]],
) -> None:
    with FakeFreshdesk(make(10)) as vendor:
        complete = pulls(vendor)
        complete.pull()
        for killed_after in range(1, len(complete.pages)):
            done = pulls(vendor)
            done.pull(killed_after)
            landed = {record["id"] for record in done.records}
            again = ids(done.pull())
            assert landed | set(again) == set(range(1, 11))
            # Only the second of the saved state is read twice.
            assert make is same_second or len(landed & set(again)) <= 1


class TestGotchas:
    def test_tickets_opened_more_than_a_month_ago_are_no_exception(self) -> None:
        with FakeFreshdesk([ticket(1, "2026-03-02T00:00:00Z", created_at="2021-01-01T00:00:00Z")]) as vendor:
            assert ids(pulls(vendor).pull()) == [1]

    def test_more_pages_than_a_list_may_have(self) -> None:
        with FakeFreshdesk(each_second(40), wall=3) as vendor:
            assert sorted(ids(pulls(vendor).pull())) == list(range(1, 41))

    def test_ties_at_a_page_edge(self) -> None:
        tickets = [*each_second(2), *[ticket(n, "2026-03-01T00:00:03Z") for n in range(3, 12)]]
        with FakeFreshdesk([*tickets, ticket(12, "2026-03-01T00:00:04Z")], wall=5) as vendor:
            found = Counter(ids(pulls(vendor).pull()))
            assert found == Counter(range(1, 13))

    def test_more_ties_than_can_be_listed_are_reported(self) -> None:
        with (
            FakeFreshdesk(same_second(10), wall=3) as vendor,
            pytest.raises(BadResponseError, match=r"3 pages hold changed at 2026-03-01T00:00:00Z"),
        ):
            pulls(vendor).pull()

    @pytest.mark.parametrize("make", [each_second, same_second])
    @pytest.mark.parametrize("request_number", range(2, 7))
    def test_a_ticket_that_changes_meanwhile_hides_no_other(
        self, make: Callable[[int], list[dict[str, Any]]], request_number: int
    ) -> None:
        with FakeFreshdesk(make(9)) as vendor:
            after_request(vendor, request_number, lambda: vendor.change(1, status=4))
            done = pulls(vendor)
            assert set(ids(done.pull())) == set(range(1, 10))
            assert [record["status"] for record in done.records if record["id"] == 1][-1] == 4

    def test_a_change_in_the_second_where_the_last_pull_ended_is_seen(self) -> None:
        with FakeFreshdesk(same_second(2)) as vendor:
            done = pulls(vendor)
            done.pull()
            vendor.tickets[3] = ticket(3, "2026-03-01T00:00:00Z")
            assert 3 in ids(done.pull())

    def test_a_change_that_shows_minutes_late_is_seen(self) -> None:
        with FakeFreshdesk([ticket(1, "2026-03-20T01:59:00Z")]) as vendor:
            done = pulls(vendor)
            done.pull()
            vendor.tickets[2] = ticket(2, "2026-03-20T01:53:00Z")
            assert 2 in ids(done.pull())

    def test_deleted_and_spam_tickets_are_marked_as_gone(self) -> None:
        at = "2026-03-01T00:00:01Z"
        tickets = [ticket(1, at), ticket(2, at, deleted=True), ticket(3, at, spam=True)]
        with FakeFreshdesk(tickets) as vendor:
            assert {record["id"]: record["deleted"] for record in pulls(vendor).pull()} == {
                1: False,
                2: True,
                3: True,
            }

    def test_an_empty_page_that_is_not_the_last_hides_nothing(self) -> None:
        faults = {1: "empty_page", 3: "empty_page", 6: "empty_page"}
        with FakeFreshdesk(each_second(9), plan=FaultPlan(faults)) as vendor:
            assert ids(pulls(vendor, ratings=False).pull()) == list(range(1, 10))
        faults = dict.fromkeys(range(1, 50), "empty_page")
        with (
            FakeFreshdesk(each_second(9), plan=FaultPlan(faults)) as vendor,
            pytest.raises(UnavailableError, match="same or an empty page again and again"),
        ):
            pulls(vendor, ratings=False).pull()

    def test_a_list_that_ignores_the_filter_is_refused(self) -> None:
        with FakeFreshdesk([ticket(1, "2026-02-01T00:00:00Z")]) as vendor:
            vendor.heeds_filter = False
            with pytest.raises(BadResponseError, match="ignores updated_since"):
                pulls(vendor).pull()

    def test_a_list_of_deleted_tickets_that_holds_others_is_refused(self) -> None:
        with FakeFreshdesk(each_second(1)) as vendor:
            vendor.heeds_list = False
            with pytest.raises(BadResponseError, match="or filter"):
                pulls(vendor).pull()

    def test_a_page_without_the_fields_that_it_is_followed_by_is_refused(self) -> None:
        with FakeFreshdesk([ticket(1, "2026-03-01T00:00:00Z")]) as vendor:
            vendor.answer = lambda _asked: FakeResponse(data=[{"id": 1}])  # type: ignore[method-assign]
            with pytest.raises(BadResponseError, match="tickets came without `updated_at`"):
                pulls(vendor, ratings=False).pull()

    def test_stats_and_requesters_are_asked_for_unless_the_source_says_otherwise(self) -> None:
        with FakeFreshdesk(each_second(1)) as vendor:
            (full,) = pulls(vendor).pull()
            (lean,) = pulls(vendor, requester=False).pull()
        assert (full["requester"]["email"], "requester" in lean) == ("person1@example.com", False)
        assert (
            full["stats"]
            == lean["stats"]
            == dict.fromkeys(("resolved_at", "first_responded_at", "closed_at"))
        )

    def test_a_wrong_key_is_reported_without_the_key(self) -> None:
        with FakeFreshdesk(each_second(1)) as vendor, pytest.raises(RefusedError) as refused:
            TicketPulls(Freshdesk(), vendor, "wrong-key", "X").pull()
        assert refused.value.status == 401
        assert "wrong-key" not in str(refused.value)


class TestRatings:
    AT = "2026-03-01T00:00:01Z"

    def test_codes_become_a_percentage_and_people_are_left_out(self) -> None:
        codes = (-103, -102, -101, 100, 101, 102, 103, 7)
        tickets = [ticket(number, self.AT) for number in range(len(codes) + 1)]
        ratings = [rating(number, number, code, "2026-03-02T00:00:00Z") for number, code in enumerate(codes)]
        with FakeFreshdesk(tickets, ratings) as vendor:
            found = {record["id"]: record for record in pulls(vendor).pull()}
        assert [found[number]["csat"] for number in range(9)] == [
            0, 16.67, 33.33, 50, 66.67, 83.33, 100, None, None,
        ]  # fmt: skip
        assert "call me" not in repr(found)
        assert found[0]["satisfaction_rating"]["ratings"] == {"default_question": -103, "question_1": -102}

    def test_the_newest_of_several_counts_in_any_order(self) -> None:
        ratings = [
            rating(1, 1, 103, "2026-03-04T00:00:00Z"),
            rating(2, 1, -103, "2026-03-06T00:00:00Z"),
            rating(3, 1, 100, "2026-03-05T00:00:00Z"),
        ]
        with FakeFreshdesk([ticket(1, self.AT)], ratings) as vendor:
            assert [record["csat"] for record in pulls(vendor).pull()] == [0]

    def test_a_rating_of_more_than_a_month_ago_is_found(self) -> None:
        with FakeFreshdesk([ticket(1, self.AT)], [rating(1, 1, 103, "2026-02-10T00:00:00Z")]) as vendor:
            done = pulls(vendor)
            done.since = done.since.replace(month=2, day=1)
            assert [record["csat"] for record in done.pull()] == [100]

    def test_a_ticket_older_than_the_first_pull_is_asked_for_its_own(self) -> None:
        old = ticket(1, self.AT, created_at="2024-01-01T00:00:00Z")
        with FakeFreshdesk([old], [rating(1, 1, 102, "2024-01-05T00:00:00Z")]) as vendor:
            assert [record["csat"] for record in pulls(vendor).pull()] == [83.33]

    def test_a_ticket_that_is_only_rated_comes_again_with_a_later_version(self) -> None:
        with FakeFreshdesk([ticket(1, self.AT), ticket(2, self.AT)]) as vendor:
            done = pulls(vendor)
            done.pull()
            vendor.ratings.append(rating(1, 1, 103, "2026-03-10T00:00:00Z"))
            vendor.tickets[3] = ticket(3, "2026-03-11T00:00:00Z")
            done.pull()
            vendor.ratings.append(rating(2, 2, 100, "2026-03-12T00:00:00Z"))
            assert ids(done.pull())[-1] == 2
            mine = [record for record in done.records if record["id"] == 1]
            assert (mine[0]["csat"], mine[-1]["csat"]) == (None, 100)
            assert mine[-1]["version"] > mine[0]["version"] == 0
            # A rating that landed before the newest one does not land again.
            assert 1 not in ids(done.pull())

    def test_a_rated_ticket_keeps_its_rating_when_it_is_closed_later(self) -> None:
        ticket_1 = ticket(1, self.AT, created_at="2026-03-01T00:00:00Z")
        ratings = [rating(1, 1, 103, "2026-03-10T00:00:00Z"), rating(2, 404, 103, "2026-03-12T00:00:00Z")]
        with FakeFreshdesk([ticket_1], ratings) as vendor:
            done = pulls(vendor)
            for _ in range(3):
                done.pull()
                vendor.clock.sleep(86_400)
                vendor.change(1, status=5)
            assert {record["csat"] for record in done.records} == {100}
            # Found in the list of recent ratings, without a request for each ticket.
            assert not any(request.path.endswith("/1/satisfaction_ratings") for request in vendor.asked)
            assert done.records[-1]["status"] == 5

    def test_a_rated_ticket_that_is_gone_is_skipped(self) -> None:
        with FakeFreshdesk([], [rating(1, 404, 103, "2026-03-10T00:00:00Z")]) as vendor:
            assert pulls(vendor).pull() == []

    def test_refused_ratings_are_reported_after_the_tickets_have_come(self) -> None:
        with FakeFreshdesk(each_second(4)) as vendor:
            vendor.refuses_ratings = True
            done = pulls(vendor)
            with pytest.raises(RefusedError, match="satisfaction_ratings"):
                done.pull()
            assert ids(done.records) == [1, 2, 3, 4]
            assert ids(pulls(vendor, ratings=False).pull()) == [1, 2, 3, 4]

    def test_a_rating_without_codes_is_refused(self) -> None:
        wrong = {**rating(1, 1, 103, "2026-03-10T00:00:00Z"), "ratings": "happy"}
        with (
            FakeFreshdesk([ticket(1, self.AT)], [wrong]) as vendor,
            pytest.raises(BadResponseError, match="under `ratings`"),
        ):
            pulls(vendor).pull()

    def test_more_ratings_than_can_be_listed_are_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ces_pipeline.vendors.freshdesk.connector._LAST_PAGE", 2)
        ratings = [rating(number, 1, 103, "2026-03-10T00:00:00Z") for number in range(7)]
        with (
            FakeFreshdesk([], ratings) as vendor,
            pytest.raises(BadResponseError, match="than Freshdesk lists"),
        ):
            pulls(vendor).pull()


def test_doctor_reports_which_right_is_missing() -> None:
    with FakeFreshdesk(each_second(1)) as vendor:
        assert [finding.is_well for finding in pulls(vendor).probe()] == [True, True]
        vendor.refuses_ratings = True
        assert [finding.is_well for finding in pulls(vendor).probe()] == [True, False]
        assert [finding.is_well for finding in pulls(vendor, ratings=False).probe()] == [True]


def test_options_are_true_or_false() -> None:
    with (
        FakeFreshdesk([]) as vendor,
        pytest.raises(ValueError, match=r"options\.ratings: must be true or false"),
    ):
        Freshdesk().check(pulls(vendor, ratings="no").api)


def entry_of(vendor: FakeFreshdesk, since: str = "2026-03-01") -> dict[str, Any]:
    return {
        "id": "fresh",
        "kind": "tickets",
        "reader": "freshdesk_json",
        "columns": {"csat": "csat", "version": "version"},
        "api": {
            "connector": "freshdesk",
            "base_url": vendor.url,
            "auth": {"kind": "basic_token", "user": "FRESHDESK_KEY"},
            "since": since,
        },
    }


def pull_into(home: InboxHome, vendor: FakeFreshdesk) -> None:
    outcome = pull(
        home.home,
        home.registry,
        home.registry.sources["fresh"],
        clock=vendor.clock,
        environment={"FRESHDESK_KEY": KEY},
    )
    assert outcome.failures == ()


class TestStatuses:
    def statuses(self, vendor: FakeFreshdesk) -> dict[int, Any]:
        with vendor:
            return {record["id"]: record["status"] for record in pulls(vendor).pull()}

    def tickets(self) -> list[dict[str, Any]]:
        return [ticket(code, f"2026-03-01T00:00:0{code}Z", status=code) for code in (2, 5, 6, 7, 8)]

    def test_an_accounts_own_have_the_names_that_agents_see(self) -> None:
        vendor = FakeFreshdesk(self.tickets())
        vendor.statuses = {
            "2": ["Open", "We are on it"],
            "6": ["Waiting on Customer", "Your turn"],
            "7": ["Parked", "x"],
        }
        assert self.statuses(vendor) == {2: 2, 5: 5, 6: "Waiting on Customer", 7: "Parked", 8: 8}
        assert [request.path for request in vendor.asked].count("/api/v2/ticket_fields") == 1

    def test_who_may_not_read_the_fields_has_the_codes(self) -> None:
        assert self.statuses(FakeFreshdesk(self.tickets())) == {2: 2, 5: 5, 6: 6, 7: 7, 8: 8}

    def test_without_any_of_them_the_fields_are_not_asked_for(self) -> None:
        vendor = FakeFreshdesk(self.tickets()[:2])
        self.statuses(vendor)
        assert "/api/v2/ticket_fields" not in [request.path for request in vendor.asked]


def test_a_real_ticket_lands_by_api_as_by_file(tmp_path: Path) -> None:
    path = real_data("tickets/freshdesk/v2_ticket_1.json")
    with FakeFreshdesk([json.loads(path.read_bytes())]) as vendor:
        by_api = inbox_home(tmp_path, entry_of(vendor, "2016-01-01"))
        pull_into(by_api, vendor)
        landed = by_api.row("fresh")
        # The same home, so the same key makes the pseudonyms.
        by_api.write_registry({"id": "file", "kind": "tickets", "reader": "freshdesk_json"})
        by_api.drop("ticket.json", path.read_bytes(), "file")
        assert by_api.land("file").failures == ()
    delivered = by_api.row("file")
    fields = {field.stored_as for field in TICKET_FIELDS} - {"version", "is_deleted"}
    assert {name: landed[name] for name in fields} == {name: delivered[name] for name in fields}
    assert landed["ticket_id"] == "1"


def test_a_pull_lands(tmp_path: Path) -> None:
    """Statuses that an account added keep their code, unset stats stay blank, and a late rating counts."""
    tickets = [
        ticket(1, "2026-03-01T00:00:01Z", status=7),
        ticket(2, "2026-03-02T23:59:59Z", status=4, stats={"resolved_at": "2026-03-02T10:00:00Z"}),
        ticket(3, "2026-03-02T00:00:00Z", deleted=True),
    ]
    with FakeFreshdesk(tickets, [rating(1, 2, 103, "2026-03-02T12:00:00Z")]) as vendor:
        home = inbox_home(tmp_path, entry_of(vendor))
        pull_into(home, vendor)
        vendor.clock.sleep(86_400)
        vendor.ratings.append(rating(2, 1, 100, "2026-03-20T12:00:00Z"))
        pull_into(home, vendor)
    # A version that both pulls read may be in both deliveries; cleaning keeps one.
    rows = {(row["ticket_id"], row["status"], row["csat"], row["is_deleted"]) for row in home.rows("fresh")}
    assert rows == {
        ("1", "7", None, "false"),
        ("1", "7", "50.0", "false"),
        ("2", "resolved", "100.0", "false"),
        ("3", "open", None, "true"),
    }
    versions = {row["csat"]: row["version"] for row in home.rows("fresh") if row["ticket_id"] == "1"}
    assert int(versions["50.0"]) > int(versions[None])
    assert {row["solved_at"] for row in home.rows("fresh") if row["ticket_id"] == "1"} == {None}
    assert home.find(KEY, "person1@example.com", "030 1234567") == []

"""The Zendesk connectors keep every ticket and answer in any fault on the way."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ces_pipeline.http.errors import RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.contract import Page
from ces_pipeline.vendors.zendesk.fake_server import EMAIL, TOKEN, FakeZendesk, cursor_place, iso, ticket
from ces_pipeline_tests.api_sources import API_SOURCES
from ces_pipeline_tests.pulled import FAULT_SEEDS, entry, fetch
from ces_pipeline_tests.unit.vendors.survey_pulls import Kept, Pulls, pull_through

ENVIRONMENT = {"ZD_EMAIL": EMAIL, "ZD_TOKEN": TOKEN}
AUTH = {"kind": "basic_token", "user": "ZD_EMAIL", "password": "ZD_TOKEN"}


def source_for(vendor: FakeZendesk, connector: str = "zendesk", **api: Any) -> Source:
    settings = {"connector": connector, "auth": AUTH, **api}
    kind = {"kind": "tickets", "reader": "zendesk_json"}
    survey = {"kind": "survey", "reader": "json", "survey": "after_chat"}
    return Source.model_validate(
        entry("desk", vendor, settings, **(kind if connector == "zendesk" else survey))
    )


def documents(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(line) for page in pages for line in page.body.decode().splitlines()]


def tickets(pages: list[Page]) -> list[dict[str, Any]]:
    return [ticket for page in documents(pages) for ticket in page["tickets"]]


def places(pages: list[Page]) -> list[tuple[int, int]]:
    return [(ticket["generated_timestamp"], ticket["id"]) for ticket in tickets(pages)]


@dataclass
class KeptDocuments(Kept):
    """What landing would keep of records that are JSON documents."""

    def take(self, page: Page) -> None:
        found = [json.loads(line) for line in page.body.decode().splitlines()]
        assert len(found) == page.records == len({record["id"] for record in found})
        self.rows |= {str(record["id"]): record for record in found}

    def newest(self) -> dict[str, tuple[Any, str]]:
        """Id -> (what was answered, when that changed)."""
        return {
            name: (row.get("rating", row.get("score")), row["updated_at"]) for name, row in self.rows.items()
        }


NEWEST: dict[str, Callable[[FakeZendesk], dict[Any, tuple[Any, str]]]] = {
    "zendesk_field": lambda vendor: {
        ticket["id"]: (ticket["custom_fields"][0]["value"], ticket["updated_at"]) for ticket in vendor.tickets
    },
    "zendesk_ratings": lambda vendor: {
        rating["id"]: (rating["score"], rating["updated_at"]) for rating in vendor.ratings
    },
    "zendesk_survey_responses": lambda vendor: {
        response["id"]: (response["answers"][0]["rating"], response["answers"][0]["updated_at"])
        for response in vendor.survey_responses
    },
}


def state_order(state: dict[str, Any]) -> Any:
    """What must never go back from one saved state to the next."""
    return cursor_place(state["cursor"]) if "cursor" in state else state.get("newest", "")


class TestFaults:
    @FAULT_SEEDS
    def test_no_plan_loses_or_doubles_anything(self, seeds: range) -> None:
        data = [ticket(number) for number in range(1, 24)]
        with FakeZendesk(data) as vendor:
            assert isinstance(vendor, FakeZendesk)
            source = source_for(vendor, page_size=5)
            for seed in seeds:
                vendor.restart_plan(FaultPlan.seeded(seed), VirtualClock())
                vendor.tickets, vendor.served = [ticket(number) for number in range(1, 24)], []
                pages = fetch(source, vendor, ENVIRONMENT, seed=seed)
                landed = places(pages)
                assert len(landed) == len(set(landed)), seed
                assert set(landed) == {place[::-1] for place in vendor.served}, seed
                assert {(ticket["generated_timestamp"], ticket["id"]) for ticket in vendor.tickets} <= set(
                    landed
                ), seed
                states = [cursor_place(page.state["cursor"]) for page in pages]
                assert states == sorted(states), seed
                assert vendor.clock.monotonic() < 4 * 3600, seed
                assert sum(page.records for page in pages) == len(landed), seed

    @FAULT_SEEDS
    @pytest.mark.parametrize("name", ["zendesk_field", "zendesk_ratings", "zendesk_survey_responses"])
    def test_any_plan_of_faults_and_kills_gives_every_answer_in_its_newest_form(
        self, name: str, seeds: range
    ) -> None:
        api_source = API_SOURCES[name]
        with api_source.make() as vendor:
            assert isinstance(vendor, FakeZendesk)
            source = Source.model_validate(api_source.entry(vendor.url))
            for seed in seeds:
                fresh = api_source.make()
                assert isinstance(fresh, FakeZendesk)
                vendor.tickets, vendor.ratings = fresh.tickets, fresh.ratings
                vendor.survey_responses = fresh.survey_responses
                vendor.restart_plan(FaultPlan(), VirtualClock())
                pulls, kept = Pulls(source, vendor, api_source.environment), KeptDocuments("json")
                pull_through(pulls, kept, seed, FaultPlan.seeded(seed))
                assert kept.newest() == {str(key): value for key, value in NEWEST[name](vendor).items()}, seed
                order = [state_order(state) for state in pulls.states]
                assert order == sorted(order), seed

    def test_a_pull_from_any_state_continues_exactly_behind_its_page(self) -> None:
        with FakeZendesk([ticket(number) for number in range(1, 24)]) as vendor:
            source = source_for(vendor, page_size=5)
            pages = fetch(source, vendor, ENVIRONMENT)
            for number, page in enumerate(pages):
                rest = fetch(source, vendor, ENVIRONMENT, state=page.state)
                assert places(rest) == places(pages[number + 1 :])


class TestExport:
    def test_it_stops_at_end_of_stream_alone(self) -> None:
        # A page that is empty, or shorter than requested, is not the end.
        with FakeZendesk(
            [ticket(1), ticket(2)], plan=FaultPlan({0: "empty_page", 1: "empty_page"})
        ) as vendor:
            assert [ticket["id"] for ticket in tickets(fetch(source_for(vendor), vendor, ENVIRONMENT))] == [
                1,
                2,
            ]

    def test_the_cursor_of_the_last_page_is_where_the_next_pull_begins(self) -> None:
        with FakeZendesk([ticket(1), ticket(2)]) as vendor:
            last = fetch(source_for(vendor), vendor, ENVIRONMENT)[-1].state
            vendor.tickets.append(ticket(3))
            assert [
                ticket["id"] for ticket in tickets(fetch(source_for(vendor), vendor, ENVIRONMENT, state=last))
            ] == [3]
            assert "start_time" not in vendor.asked[-1].query

    def test_tickets_that_share_a_second_across_a_page_edge_all_come(self) -> None:
        with FakeZendesk([ticket(number, generated=1_772_400_000) for number in range(1, 8)]) as vendor:
            pages = fetch(source_for(vendor, page_size=3), vendor, ENVIRONMENT)
            assert [ticket["id"] for ticket in tickets(pages)] == list(range(1, 8))

    def test_a_deletion_comes_although_updated_at_is_old(self) -> None:
        with FakeZendesk([ticket(1), ticket(2)]) as vendor:
            state = fetch(source_for(vendor), vendor, ENVIRONMENT)[-1].state
            scrubbed = {"status": "deleted", "subject": "SCRUBBED", "description": "X"}
            vendor.tickets[0] = {**vendor.tickets[0], **scrubbed, "generated_timestamp": 1_773_900_000}
            (gone,) = tickets(fetch(source_for(vendor), vendor, ENVIRONMENT, state=state))
            assert (gone["id"], gone["status"]) == (1, "deleted")

    def test_a_start_of_today_is_moved_back_so_that_the_vendor_takes_it(self) -> None:
        # Half a minute past midnight, and five minutes earlier by the vendor's clock.
        clock = VirtualClock(datetime(2026, 3, 20, 0, 0, 30, tzinfo=UTC))
        with FakeZendesk([ticket(1)], clock=clock, plan=FaultPlan(skew_seconds=-300.0)) as vendor:
            fetch(source_for(vendor, since="2026-03-20"), vendor, ENVIRONMENT)

    def test_it_keeps_to_ten_exports_a_minute_without_a_refusal(self) -> None:
        with FakeZendesk([ticket(number) for number in range(1, 26)], limited=True) as vendor:
            pages = fetch(source_for(vendor, page_size=1), vendor, ENVIRONMENT)
            assert len(tickets(pages)) == len(vendor.asked) == 25

    def test_the_same_page_for_ever_is_given_up(self) -> None:
        plan = FaultPlan(dict.fromkeys(range(1, 60), "repeated_page"))
        with (
            FakeZendesk([ticket(number) for number in range(1, 9)], plan=plan) as vendor,
            pytest.raises(UnavailableError, match="again and again"),
        ):
            fetch(source_for(vendor, page_size=2), vendor, ENVIRONMENT)

    def test_an_answer_without_its_end_mark_is_not_taken_for_the_end(self) -> None:
        class Changed(FakeZendesk):
            def _export(self, asked: Any) -> Any:
                reply = super()._export(asked)
                del reply.data["end_of_stream"]
                return reply

        with Changed([ticket(1)]) as vendor, pytest.raises(Exception, match="end_of_stream"):
            fetch(source_for(vendor), vendor, ENVIRONMENT)


class TestMetrics:
    def test_archived_tickets_are_requested_one_by_one_and_deleted_ones_never(self) -> None:
        data = [
            ticket(1),
            ticket(2, status="closed"),
            ticket(3, status="deleted"),
            ticket(4, status="closed"),
        ]
        with FakeZendesk(data) as vendor:
            for number in (1, 2):
                vendor.metrics[number] = {"ticket_id": number, "reopens": number}
            vendor.archived = {2, 4}
            (page,) = documents(fetch(source_for(vendor), vendor, ENVIRONMENT))
            assert {metric["ticket_id"]: metric["reopens"] for metric in page["metric_sets"]} == {1: 1, 2: 2}
            asked = [request.path for request in vendor.asked if request.path.endswith("/metrics")]
            assert asked == ["/api/v2/tickets/2/metrics", "/api/v2/tickets/4/metrics"]

    def test_a_metric_set_on_the_ticket_itself_is_as_good(self) -> None:
        with FakeZendesk([ticket(2, status="closed", metric_set={"reopens": 1})]) as vendor:
            fetch(source_for(vendor), vendor, ENVIRONMENT)
            assert len(vendor.asked) == 1

    def test_they_can_be_left_out(self) -> None:
        with FakeZendesk([ticket(2, status="closed")]) as vendor:
            fetch(source_for(vendor, options={"archived_metrics": False}), vendor, ENVIRONMENT)
            assert len(vendor.asked) == 1


class TestField:
    def test_scores_in_a_field_become_answers(self) -> None:
        filled = [{"id": 4711, "value": "2"}]
        data = [
            ticket(1),
            ticket(2, custom_fields=filled),
            ticket(3, custom_fields=filled, status="deleted"),
        ]
        with FakeZendesk(data) as vendor:
            vendor.metrics[2] = {"ticket_id": 2, "solved_at": iso(1_772_500_000)}
            source = source_for(vendor, "zendesk_field", options={"field_id": 4711})
            (answer,) = documents(fetch(source, vendor, ENVIRONMENT))
            assert answer == {
                "id": "2",
                "ticket_id": "2",
                "score": "2",
                "requester": "person2@example.org",
                "channel": "web",
                "answered_at": iso(1_772_500_000),
                "updated_at": data[1]["updated_at"],
            }


def rating(number: int, **values: Any) -> dict[str, Any]:
    at = iso(1_772_400_000 + 60 * number)
    return {"id": number, "ticket_id": number, "score": "good", "created_at": at, "updated_at": at, **values}


class TestRatings:
    def test_all_of_more_than_a_page_come_and_offers_do_not(self) -> None:
        with FakeZendesk([]) as vendor:
            vendor.ratings = [
                rating(number, score="offered" if number % 10 == 0 else "good") for number in range(250)
            ]
            pages = fetch(source_for(vendor, "zendesk_ratings"), vendor, ENVIRONMENT)
            assert [document["id"] for document in documents(pages)] == [
                number for number in range(250) if number % 10
            ]
            assert pages[-1].state == {"newest": rating(249)["updated_at"]}

    def test_a_list_cut_short_continues_and_the_next_pull_starts_a_little_before_the_newest(self) -> None:
        with FakeZendesk([]) as vendor:
            vendor.ratings = [rating(number) for number in range(250)]
            source = source_for(vendor, "zendesk_ratings")
            pages = fetch(source, vendor, ENVIRONMENT)
            rest = fetch(source, vendor, ENVIRONMENT, state=pages[0].state)
            assert [document["id"] for document in documents(rest)] == list(range(100, 250))
            again = fetch(source, vendor, ENVIRONMENT, state=pages[-1].state)
            assert [document["id"] for document in documents(again)] == list(range(239, 250))


class TestSurveyResponses:
    def test_answers_are_distinguished_by_type(self) -> None:
        at, later = iso(1_772_400_000), iso(1_772_400_060)
        with FakeZendesk([]) as vendor:
            vendor.survey_responses = [
                {
                    "id": "R1",
                    "survey_id": "S",
                    "survey_version": 2,
                    "responder_id": 9,
                    "created_at": at,
                    "subjects": [{"type": "zen:ticket", "id": 12}],
                    "answers": [
                        {
                            "type": "rating_scale",
                            "rating": 4,
                            "rating_category": "good",
                            "created_at": at,
                            "updated_at": at,
                        },
                        {"type": "closed_ended", "selections": [{"option_id": "o7"}], "updated_at": at},
                        {"type": "open_ended", "value": "quick", "created_at": later, "updated_at": later},
                    ],
                },
                {"id": "R2", "created_at": at, "answers": [{"type": "skipped", "created_at": at}]},
            ]
            pages = fetch(source_for(vendor, "zendesk_survey_responses"), vendor, ENVIRONMENT)
            assert documents(pages) == [
                {
                    "id": "R1",
                    "survey_id": "S",
                    "survey_version": 2,
                    "ticket_id": "12",
                    "responder_id": 9,
                    "rating": 4,
                    "rating_category": "good",
                    "comment": "quick",
                    "options": "o7",
                    "created_at": at,
                    "updated_at": later,
                }
            ]
            # Milliseconds: seconds here would mean 1970, and the full history every night.
            assert vendor.asked[0].query["filter[created_at_start]"] == "1772323200000"


class TestRights:
    def test_a_wrong_token_is_refused_at_once_with_the_names_of_the_variables(self) -> None:
        with FakeZendesk([ticket(1)]) as vendor:
            with pytest.raises(RefusedError, match=r"401.*ZD_EMAIL, ZD_TOKEN"):
                fetch(source_for(vendor), vendor, {**ENVIRONMENT, "ZD_TOKEN": "old"})
            assert len(vendor.asked) == 1

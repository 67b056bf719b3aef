"""Freshdesk's newer surveys: every response in its newest form, in any fault between its pages."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.contract import Page
from ces_pipeline.vendors.freshdesk.fake_server import FakeFreshdesk, csat_response
from ces_pipeline_tests.api_sources import API_SOURCES, COUNT
from ces_pipeline_tests.pulled import FAULT_SEEDS, fetch
from ces_pipeline_tests.unit.vendors.survey_pulls import Kept, Pulls, pull_through

API_SOURCE = API_SOURCES["freshdesk_csat"]


def source(vendor: FakeFreshdesk) -> Source:
    return Source.model_validate(API_SOURCE.entry(vendor.url))


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(line) for page in pages for line in page.body.decode().splitlines()]


class KeptRecords(Kept):
    """What landing would keep: a record by its id."""

    def take(self, page: Page) -> None:
        self.rows |= {record["id"]: record for record in records([page])}


def made() -> FakeFreshdesk:
    vendor = API_SOURCE.make()
    assert isinstance(vendor, FakeFreshdesk)
    return vendor


@FAULT_SEEDS
def test_any_plan_of_faults_and_kills_gives_every_response_in_its_newest_form(seeds: range) -> None:
    with made() as vendor:
        assert isinstance(vendor, FakeFreshdesk)
        for seed in seeds:
            vendor.csat_responses = made().csat_responses
            vendor.restart_plan(FaultPlan(), VirtualClock())
            pulls, kept = Pulls(source(vendor), vendor, API_SOURCE.environment), KeptRecords("json")
            pull_through(pulls, kept, seed, FaultPlan.seeded(seed))
            assert {name: row["answers"]["Q_1"] for name, row in kept.rows.items()} == {
                response["id"]: response["answers"][0]["value"] for response in vendor.csat_responses["S1"]
            }, seed
            newest = [state.get("newest", {}).get("S1", "") for state in pulls.states]
            assert newest == sorted(newest), seed


def test_a_response_is_one_record_with_its_answers_by_question() -> None:
    with made() as vendor:
        assert isinstance(vendor, FakeFreshdesk)
        pages = fetch(source(vendor), vendor, API_SOURCE.environment)
        first, *_ = records(pages)
        assert len(records(pages)) == COUNT
    assert first == {
        "id": "c1",
        "survey_id": "S1",
        "ticket_id": 1,
        "user_id": "9001",
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "answers": {"Q_1": 4},
    }


def test_an_empty_page_with_a_next_one_is_no_end_and_a_survey_without_answers_has_none() -> None:
    with made() as vendor:
        assert isinstance(vendor, FakeFreshdesk)
        vendor.restart_plan(FaultPlan({1: "empty_page", 3: "empty_page"}), VirtualClock())
        assert len(records(fetch(source(vendor), vendor, API_SOURCE.environment))) == COUNT


def test_the_next_pull_begins_four_weeks_before_the_newest_response() -> None:
    with made() as vendor:
        assert isinstance(vendor, FakeFreshdesk)
        state = {"newest": {"S1": "2026-05-01T00:00:00Z"}}
        vendor.clock.sleep(timedelta(days=60).total_seconds())
        vendor.csat_responses["S1"] += [
            csat_response("early", 1, 4, "2026-04-02T23:59:59Z"),
            csat_response("late", 1, 4, "2026-04-03T00:00:00Z"),
        ]
        assert [
            record["id"]
            for record in records(fetch(source(vendor), vendor, API_SOURCE.environment, state=state))
        ] == ["late"]


def test_a_list_that_does_not_move_on_is_given_up() -> None:
    class Stuck(FakeFreshdesk):
        def _csat(self, asked: FakeRequest, parts: list[str]) -> FakeResponse:
            reply = super()._csat(asked, parts)
            if parts[2:]:
                reply.data["paging"]["next"] = f"{self.url}{asked.path}?next_token=0.0"
            return reply

    stuck = Stuck([])
    stuck.csat_responses = made().csat_responses
    with stuck as vendor, pytest.raises(UnavailableError, match="again and again"):
        fetch(source(stuck), vendor, API_SOURCE.environment)


def test_another_shape_is_reported() -> None:
    class Changed(FakeFreshdesk):
        def _csat(self, asked: FakeRequest, parts: list[str]) -> FakeResponse:
            return FakeResponse(data={"surveys": []})

    with Changed([]) as vendor, pytest.raises(BadResponseError, match="no list under `data`"):
        fetch(source(vendor), vendor, API_SOURCE.environment)

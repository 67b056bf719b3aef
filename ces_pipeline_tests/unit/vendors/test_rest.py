"""A source of any API by configuration: every kind of paging gives every record, and mistakes are named."""

import json
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Page
from ces_pipeline.vendors.generic.fake_server import KEY, PATH, FakeSurveyTool
from ces_pipeline.vendors.zendesk.fake_server import iso
from ces_pipeline_tests.pulled import FAULT_SEEDS, entry, fetch

ENVIRONMENT = {"TOOL_KEY": KEY}
OPTIONS: dict[str, dict[str, Any]] = {
    "cursor": {"cursor_param": "after", "next_path": "next", "record_path": "data.items"},
    "next_url": {"next_path": "next", "record_path": "data.items"},
    "link": {},
    "page": {"record_path": "data.items"},
    "offset": {"record_path": "data.items"},
}
CONTINUING = ("cursor", "next_url", "link")


def records(count: int = 23) -> list[dict[str, Any]]:
    # Every third record has the same time as the record before it: ties cross the edges of pages.
    return [
        {"id": f"r{number:03d}", "changed": iso(1_772_400_000 + 60 * (number - number % 3))}
        for number in range(count)
    ]


def source_for(vendor: FakeSurveyTool, **options: Any) -> Source:
    settings = {
        "path": PATH,
        "paging": vendor.paging,
        "size_param": "size",
        **OPTIONS[vendor.paging],
        **options,
    }
    api = {
        "connector": "rest",
        "auth": {"kind": "header_key", "header": "X-Key", "key": "TOOL_KEY"},
        "page_size": 5,
        "options": settings,
    }
    return Source.model_validate(
        entry("tool", vendor, api, kind="survey", reader="json", survey="after_chat")
    )


def landed(pages: list[Page]) -> list[str]:
    return [record["id"] for page in pages for line in page.body.splitlines() for record in json.loads(line)]


@FAULT_SEEDS
@pytest.mark.parametrize("paging", sorted(OPTIONS))
def test_no_plan_loses_or_doubles_anything(paging: str, seeds: range) -> None:
    """Every kind of paging has its share of the plans."""
    known = ("repeated_page", "empty_page", "changed") if paging in CONTINUING else ("changed",)
    first = sorted(OPTIONS).index(paging)
    with FakeSurveyTool(records(), paging) as vendor:
        assert isinstance(vendor, FakeSurveyTool)
        source = source_for(vendor)
        for seed in seeds[first :: len(OPTIONS)]:
            vendor.restart_plan(FaultPlan.seeded(seed, paging=known), VirtualClock())
            vendor.records = records()
            pages = fetch(source, vendor, ENVIRONMENT, seed=seed)
            found = landed(pages)
            assert len(found) == len(set(found)), seed
            # A record that is added after the last page was read comes with the next pull.
            vendor.restart_plan(FaultPlan(), vendor.clock)
            found += landed(fetch(source, vendor, ENVIRONMENT, state=pages[-1].state))
            assert set(found) == {record["id"] for record in vendor.records}, seed
            assert vendor.clock.monotonic() < 4 * 3600, seed


@pytest.mark.parametrize("paging", CONTINUING)
def test_an_interrupted_list_goes_on_at_the_next_page(paging: str) -> None:
    with FakeSurveyTool(records(), paging) as vendor:
        source = source_for(vendor, since_param="since", time_field="changed")
        pages = fetch(source, vendor, ENVIRONMENT)
        for number, page in enumerate(pages[:-1]):
            rest = fetch(source, vendor, ENVIRONMENT, state=page.state)
            assert landed(rest) == landed(pages[number + 1 :])


@pytest.mark.parametrize("paging", ["page", "offset"])
def test_pages_that_may_have_shifted_are_read_from_the_first_again(paging: str) -> None:
    with FakeSurveyTool(records(), paging) as vendor:
        source = source_for(vendor, since_param="since", time_field="changed")
        pages = fetch(source, vendor, ENVIRONMENT)
        assert pages[0].state == {}
        assert landed(fetch(source, vendor, ENVIRONMENT, state=pages[0].state)) == landed(pages)


@pytest.mark.parametrize("paging", ["page", "offset"])
def test_an_ascending_list_goes_on_at_the_newest_time_it_saw(paging: str) -> None:
    with FakeSurveyTool(records(), paging) as vendor:
        source = source_for(
            vendor, since_param="since", time_field="changed", ascending=True, overlap_minutes=0
        )
        pages = fetch(source, vendor, ENVIRONMENT)
        for page in pages[:-1]:
            rest = fetch(source, vendor, ENVIRONMENT, state=page.state)
            # The newest record comes again: other records may have the same time, and here some do.
            assert landed(rest) == [
                record["id"] for record in records() if record["changed"] >= page.state["newest"]
            ]


def test_a_list_that_is_not_as_ascending_as_said_is_reported_and_nothing_is_left_out() -> None:
    class Falling(FakeSurveyTool):
        def _reply(self, page: Any, *more: Any) -> Any:
            return super()._reply(page[::-1], *more)

    with (
        Falling(records(), "page") as vendor,
        pytest.raises(BadResponseError, match="not in ascending order"),
    ):
        fetch(
            source_for(vendor, since_param="since", time_field="changed", ascending=True), vendor, ENVIRONMENT
        )


def test_the_next_pull_begins_a_little_before_the_newest_time() -> None:
    with FakeSurveyTool(records(), "link") as vendor:
        source = source_for(vendor, since_param="since", time_field="changed", overlap_minutes=5)
        last = fetch(source, vendor, ENVIRONMENT)[-1].state
        assert last == {"newest": records()[-1]["changed"]}
        again = landed(fetch(source, vendor, ENVIRONMENT, state=last))
        assert again == ["r018", "r019", "r020", "r021", "r022"]


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("iso", "2026-03-01T00:00:00Z"),
        ("date", "2026-03-01"),
        ("unix_s", "1772323200"),
        ("unix_ms", "1772323200000"),
    ],
)
def test_the_start_is_written_as_the_tool_wants_it(style: str, text: str) -> None:
    with FakeSurveyTool([], "link") as vendor:
        vendor.answer = lambda _asked: _empty()  # type: ignore[method-assign]
        fetch(source_for(vendor, since_param="since", since_format=style), vendor, ENVIRONMENT)
        assert vendor.asked[0].query["since"] == text


def _empty() -> Any:
    from ces_pipeline.http.fakes.server import FakeResponse

    return FakeResponse(data=[])


def test_a_tool_that_ignores_its_page_parameter_is_given_up_and_not_read_for_ever() -> None:
    with (
        FakeSurveyTool(records(), "page") as vendor,
        pytest.raises(UnavailableError, match="again and again"),
    ):
        fetch(source_for(vendor, page_param="p"), vendor, ENVIRONMENT)


def test_a_record_path_that_leads_nowhere_is_named() -> None:
    with (
        FakeSurveyTool(records(), "cursor") as vendor,
        pytest.raises(BadResponseError, match=r"'data\.rows'"),
    ):
        fetch(source_for(vendor, record_path="data.rows"), vendor, ENVIRONMENT)


def test_a_link_to_another_host_is_not_followed() -> None:
    class Elsewhere(FakeSurveyTool):
        def answer(self, asked: Any) -> Any:
            reply = super().answer(asked)
            return type(reply)(data=reply.data, headers={"Link": '<https://elsewhere.example/x>; rel="next"'})

    with Elsewhere(records(), "link") as vendor, pytest.raises(BadResponseError, match="another host"):
        fetch(source_for(vendor), vendor, ENVIRONMENT)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "options.path"),
        ({"path": "/x", "paging": "pages"}, "options.paging"),
        ({"path": "/x", "paging": "cursor", "next_path": "n"}, "options.cursor_param"),
        ({"path": "/x", "since_format": "us"}, "options.since_format"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(options: dict[str, Any], named: str) -> None:
    with FakeSurveyTool([], "link") as vendor:
        source = source_for(vendor)
        assert source.api is not None
        api = source.api.model_copy(update={"options": options})
        with pytest.raises(ValueError, match=named):
            CONNECTORS["rest"].check(api)

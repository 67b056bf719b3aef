"""A survey tool without a connector of its own, from its API to published answers, by configuration only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.cli import runs
from ces_pipeline.errors import RegistryError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.generic.fake_server import KEY, PATH, FakeSurveyTool
from ces_pipeline.vendors.zendesk.fake_server import iso
from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.pulled import entry

OPTIONS = {
    "path": PATH,
    "paging": "cursor",
    "cursor_param": "after",
    "next_path": "next",
    "record_path": "data.items",
    "size_param": "size",
    "since_param": "since",
    "time_field": "changed",
}


def records(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"r{number}",
            "changed": iso(1_772_400_000 + 60 * number),
            "score": 1 + number % 5,
            "person": {"email": f"jane{number}@example.org"},
        }
        for number in range(count)
    ]


def source_for(vendor: FakeSurveyTool, **options: Any) -> dict[str, Any]:
    auth = {"kind": "header_key", "header": "X-Key", "key": "TOOL_KEY"}
    api = {"connector": "rest", "auth": auth, "page_size": 5, "options": {**OPTIONS, **options}}
    columns = {"response_id": "id", "score": "score", "recorded_at": "changed", "respondent": "person.email"}
    return entry("tool", vendor, api, kind="survey", reader="json", survey="after_chat", columns=columns)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSurveyTool]:
    monkeypatch.setenv("TOOL_KEY", KEY)
    with FakeSurveyTool(records(23), "cursor") as vendor:
        yield vendor  # type: ignore[misc]


@pytest.mark.slow
def test_answers_are_published_and_the_next_night_adds_what_is_new(
    tmp_path: Path, vendor: FakeSurveyTool
) -> None:
    home = inbox_home(tmp_path, source_for(vendor))
    assert runs.run(home.home) is True
    vendor.records += [{**records(1)[0], "id": "new", "changed": iso(1_772_500_000)}]
    assert runs.run(home.home) is True
    with open_published(home.home.published) as connection:
        answers = connection.execute("SELECT response_id FROM core.responses ORDER BY 1").fetchall()
    assert [answer for (answer,) in answers] == sorted(record["id"] for record in vendor.records)
    assert home.find("@example.org", KEY) == []


def test_a_list_of_objects_within_a_record_is_not_taken_for_the_records(
    tmp_path: Path, vendor: FakeSurveyTool
) -> None:
    answer = {
        "number": "r1",
        "changed": iso(1_772_400_000),
        "score": 3,
        "tags": [{"name": "a"}, {"name": "b"}],
    }

    def single(_asked: FakeRequest) -> FakeResponse:
        return FakeResponse(data={"data": {"items": [answer]}, "next": None})

    vendor.answer = single  # type: ignore[method-assign]
    registered = source_for(vendor)
    registered["columns"] = {"response_id": "number", "score": "score", "recorded_at": "changed"}
    home = inbox_home(tmp_path, registered)
    (outcome,) = pipeline.land(home.home, home.registry)
    assert outcome.failures == ()
    assert home.row("tool")["response_id"] == "r1"


def test_a_tool_that_sends_a_web_page_is_reported_in_one_line_and_the_inbox_still_lands(
    tmp_path: Path, vendor: FakeSurveyTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ces_pipeline.http.clock.SystemClock.sleep", lambda _self, _seconds: None)
    vendor.restart_plan(FaultPlan(dict.fromkeys(range(99), "html")), vendor.clock)
    home = inbox_home(tmp_path, source_for(vendor))
    home.drop("by_hand.json", '[{"id": "f1", "changed": "2026-03-01T00:00:00Z", "score": 3}]', "tool")
    (outcome,) = pipeline.land(home.home, home.registry)
    assert outcome.rows_landed == 1
    (failure,) = outcome.failures
    assert failure.startswith("tool: 127.0.0.1 ")
    assert "GET /v1/answers, last: HTML not JSON" in failure
    assert outcome.is_transient


def test_a_field_that_goes_or_comes_changes_nothing_else(tmp_path: Path, vendor: FakeSurveyTool) -> None:
    vendor.records = [{"id": "r1", "changed": iso(1_772_400_000), "score": 3, "brand_new": "x"}]
    home = inbox_home(tmp_path, source_for(vendor))
    (outcome,) = pipeline.land(home.home, home.registry)
    assert outcome.failures == ()
    assert "not in this file: person.email" in outcome.notes[0]
    assert home.row("tool")["extra"] == {"brand_new": "x"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"connector": "nope"}, "api.connector: no such connector 'nope'"),
        ({"options": {**OPTIONS, "pageing": "x"}}, "api.options.pageing: unknown key"),
        ({"options": {"path": "/x", "paging": "cursor"}}, "options.cursor_param"),
    ],
)
def test_a_mistake_in_the_registry_names_entry_and_key(
    tmp_path: Path, vendor: FakeSurveyTool, change: dict[str, Any], named: str
) -> None:
    registered = source_for(vendor)
    registered["api"] |= change
    with pytest.raises(RegistryError, match=f"entry tool: .*{named}"):
        _ = inbox_home(tmp_path, registered).registry


def test_a_reader_that_cannot_read_what_is_pulled_is_refused(tmp_path: Path, vendor: FakeSurveyTool) -> None:
    with pytest.raises(RegistryError, match=r"entry tool: reader: .*rest .*json"):
        _ = inbox_home(tmp_path, {**source_for(vendor), "reader": "csv"}).registry


def test_an_unexpected_shape_names_the_option_to_correct(tmp_path: Path, vendor: FakeSurveyTool) -> None:
    def renamed(_asked: FakeRequest) -> FakeResponse:
        return FakeResponse(data={"payload": []})

    vendor.answer = renamed  # type: ignore[method-assign]
    home = inbox_home(tmp_path, source_for(vendor))
    (outcome,) = pipeline.land(home.home, home.registry)
    (failure,) = outcome.failures
    assert failure.startswith("tool: ")
    assert "'data.items'" in failure
    assert "api.options.record_path" in failure
    assert not outcome.is_transient
